using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Tests.Agents;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoFailback = FailoverHub.Protos.V1.FailbackPolicy;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations.Freezes;

/// <summary>Nothing is done to what is frozen, and nothing fails back by itself, until its end or until somebody unfreezes it.</summary>
[Trait("Kind", "Hub")]
public sealed class FreezeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static OperationRequest Freeze(string pair = "web", double minutes = 10) =>
        new() { Type = OperationType.Freeze, Pair = pair, ExpiresIn = TimeSpan.FromMinutes(minutes), Reason = "audit in progress" };

    internal static OperationRequest Unfreeze(string pair = "web") => new() { Type = OperationType.Unfreeze, Pair = pair, Reason = "audit is done" };

    [Theory]
    [InlineData("web")]
    [InlineData("*")]
    public async Task Frozen_AnOperationIsRefused_UntilItIsUnfrozen(string scope)
    {
        await using var rig = await StartAsync();

        var id = await rig.AcceptedAsync(Freeze(scope));
        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover(), Alice, Cancellation));

        Assert.Equal(["SR-07"], refused.Preview.Rules.Where(r => r.Blocks).Select(r => r.RuleId));
        Assert.Equal((PairState.Frozen, "alice", scope == "*"), (rig.Pair.State, rig.Pair.Freeze!.By, rig.Pair.Freeze.OfAll));
        Assert.Equal(scope == "*", rig.Hub.Fleet.Current.Freeze is not null);
        Assert.Equal((OperationStatus.Succeeded, OperationType.Freeze), (await rig.Hub.Operations.FindAsync(id, Cancellation)) is { } done ? (done.Status, done.Type) : default);

        await rig.AcceptedAsync(Unfreeze(scope));
        Assert.Equal((PairState.Healthy, null), (rig.Pair.State, rig.Pair.Freeze));
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover()))).Status);
        Assert.Equal(["switchover", "unfreeze", "switchover", "freeze"], (await rig.AuditAsync()).Select(a => a.Action));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0.5)]
    [InlineData(7 * 24 * 60 + 1.0)]
    public async Task Freeze_WithoutAnEndOrWithOneThatIsTooFar_MakesNoSense(double? minutes)
    {
        await using var rig = await StartAsync();

        var answer = await rig.Hub.Operations.SubmitAsync(Freeze() with { ExpiresIn = minutes is { } m ? TimeSpan.FromMinutes(m) : null }, Alice, Cancellation);

        Assert.Equal(["expiresInSeconds"], Assert.IsType<SubmitResult.Invalid>(answer).Problem.Keys);
        Assert.StartsWith("refused, invalid", Assert.Single(await rig.AuditAsync()).Outcome, StringComparison.Ordinal);
        Assert.Null(rig.Pair.Freeze);
    }

    [Fact]
    public async Task Freeze_WithoutAReason_IsRefusedAndAudited()
    {
        await using var rig = await StartAsync();

        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Freeze() with { Reason = "" }, Alice, Cancellation));

        Assert.Equal(["SR-14"], refused.Preview.Rules.Where(r => r.Blocks).Select(r => r.RuleId));
        Assert.StartsWith("refused: SR-14", Assert.Single(await rig.AuditAsync()).Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unfreeze_OfWhatIsNotFrozen_MakesNoSense()
    {
        await using var rig = await StartAsync();
        await rig.AcceptedAsync(Freeze("*"));

        var answer = Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(Unfreeze(), Alice, Cancellation));

        Assert.Contains("unfreeze all pairs", answer.Problem["pair"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Freeze_SurvivesARestart_AndEndsAtItsTimeWithAnAuditEntry()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Freeze(minutes: 10));
        await rig.RestartHubAsync();
        Assert.Equal("audit in progress", rig.Hub.Fleet.Current.FindPair("web")!.Freeze!.Reason);

        rig.Time.Advance(TimeSpan.FromMinutes(10));
        await rig.TickUntilAsync(() => rig.Hub.Fleet.Current.FindPair("web")!.Freeze is null && rig.Hub.Fleet.State.Facts.Freezes.IsEmpty);

        var entry = (await rig.AuditAsync())[0];
        Assert.Equal(("hub", "freeze-expired", "pair web", id), (entry.Actor, entry.Action, entry.Target, entry.CorrelationId));
        Assert.Single(await rig.EventsAsync(new HistoryFilter { Kind = EventKinds.FreezeExpired }));
        await rig.RestartHubAsync();
        Assert.Null(rig.Hub.Fleet.Current.FindPair("web")!.Freeze);
        Assert.Single(await rig.AuditAsync(), a => a.Action == "freeze-expired");
    }

    [Fact]
    public async Task Frozen_NodesHoldFailbackUntilItIsUnfrozen_ThenTheyKeepWhatTheyKeptBefore()
    {
        await using var rig = await StartAsync(keepsFailback: true);

        await rig.AcceptedAsync(Freeze());
        await PolicyAsync(rig, FailbackPolicy.Manual);
        await rig.AcceptedAsync(Unfreeze());
        await PolicyAsync(rig, FailbackPolicy.AfterStable);

        Assert.Equal([ProtoFailback.Manual, ProtoFailback.AfterStable], rig.A.Intents.Select(i => i.Prefixes.Single().FailbackPolicy));
        Assert.Equal([ProtoRole.Primary, ProtoRole.Primary], rig.A.Intents.Select(i => i.Prefixes.Single().Role));
        Assert.Equal("web-1", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task Frozen_NodeThatWasAway_IsToldToHoldFailbackWhenItComesBack()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        await rig.A.DisposeAsync();
        await rig.Hub.UntilAsync(s => !s.FindNode("web-1")!.IsFresh);
        await rig.AcceptedAsync(Freeze());
        await rig.RestartHubAsync();

        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary, keepsFailback: true);

        await rig.Hub.UntilAsync(s => s.FindNode("web-1")!.Prefixes is [{ Failback.Policy: FailbackPolicy.Manual }]);
    }

    [Fact]
    public async Task Frozen_NodeThatRejectsToHoldFailback_IsToldAgainWithBackOffUntilItDoes()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        rig.A.Obedience = Obedience.Rejects;
        var asked = rig.Time.GetUtcNow();
        await rig.AcceptedAsync(Freeze(minutes: 60));
        await rig.Hub.UntilAsync(s => rig.Hub.Fleet.State.Facts.Nodes["web-1"].Answer is { Outcome: IntentOutcome.Rejected });
        await PassTimeUntilAsync(rig, () => rig.A.Intents.Count == 3 && rig.Hub.Fleet.State.Facts.Nodes["web-1"].Answer!.Revision == (long)rig.A.Intents.Last().Revision);

        // After 5 s, after 10 more; the disk of the hub takes its time, which is none of this clock's.
        Assert.True(rig.Time.GetUtcNow() - asked >= TimeSpan.FromSeconds(15), $"{rig.Time.GetUtcNow() - asked}");
        Assert.Single(rig.B.Intents);
        rig.A.Obedience = Obedience.Applies;
        await PassTimeUntilAsync(rig, () => rig.Hub.Fleet.Current.FindNode("web-1")!.Prefixes is [{ Failback.Policy: FailbackPolicy.Manual }]);
        Assert.Equal(4, rig.A.Intents.Count);
        Assert.All(rig.A.Intents, i => Assert.Equal((ProtoRole.Primary, ProtoFailback.Manual), (i.Prefixes.Single().Role, i.Prefixes.Single().FailbackPolicy)));

        await PassTimeUntilAsync(rig, () => rig.Time.GetUtcNow() - asked > TimeSpan.FromSeconds(120));
        Assert.Equal(4, rig.A.Intents.Count);
    }

    [Fact]
    public async Task Frozen_NodeThatConfirmsToHoldFailbackAndKeepsItsPolicy_IsToldAgainWithBackOff_WithOneEventAndAnAuditEntryForEachIntent()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        rig.A.Obedience = Obedience.ConfirmsAndKeepsItsPolicy;
        var asked = rig.Time.GetUtcNow();
        await rig.AcceptedAsync(Freeze(minutes: 60));
        await PassTimeUntilAsync(rig, () => rig.A.Intents.Count == 3);

        // After 5 s, after 10 more, though it reports its own policy each second.
        Assert.True(rig.Time.GetUtcNow() - asked >= TimeSpan.FromSeconds(15), $"{rig.Time.GetUtcNow() - asked}");
        await PassTimeUntilAsync(rig, () => rig.Time.GetUtcNow() - asked >= TimeSpan.FromSeconds(120));
        Assert.InRange(rig.A.Intents.Count, 4, 5);
        Assert.Single(rig.B.Intents);
        var told = Assert.Single(await rig.EventsAsync(new HistoryFilter { Kind = EventKinds.FailbackNotKept }));
        Assert.Equal(("web", EventSeverity.Warning), (told.Pair, told.Severity));
        Assert.Equal(rig.A.Intents.Count, (await rig.AuditAsync()).Count(a => a is { Action: FreezeStore.HoldAction, Target: "node web-1 of pair web" }));
    }

    [Fact]
    public async Task Frozen_WhatNodesAreTold_IsAuditedBeforeItLeavesTheHub_WithTheFreezeItBelongsTo()
    {
        await using var rig = await StartAsync(keepsFailback: true);

        var id = await rig.AcceptedAsync(Freeze());
        await PolicyAsync(rig, FailbackPolicy.Manual);
        await rig.AcceptedAsync(Unfreeze());
        await PolicyAsync(rig, FailbackPolicy.AfterStable);

        var audit = await rig.AuditAsync();
        foreach (var (node, target) in new[] { ("web-1", "node web-1 of pair web"), ("web-2", "node web-2 of pair web") })
        {
            var held = Assert.Single(audit, a => a.Action == FreezeStore.HoldAction && a.Target == target);
            Assert.Equal(("hub", "Frozen by alice: audit in progress", "accepted", id), (held.Actor, held.Reason, held.Outcome, held.CorrelationId));
            Assert.Contains("\"manual\"", held.After, StringComparison.Ordinal);
            Assert.DoesNotContain("\"manual\"", held.Before, StringComparison.Ordinal);
            var released = Assert.Single(audit, a => a.Action == FreezeStore.ReleaseAction && a.Target == target);
            Assert.Equal(("hub", "No longer frozen", "accepted", id), (released.Actor, released.Reason, released.Outcome, released.CorrelationId));
            Assert.Contains("\"manual\"", released.Before, StringComparison.Ordinal);
            Assert.Contains("after-stable 60 s", released.After, StringComparison.Ordinal);
            Assert.True(held.Id < released.Id, node);
        }
    }

    [Fact]
    public async Task Frozen_WhoHangsUpAsSoonAsItIsStored_LeavesNoGapForTheNextRequest()
    {
        await using var rig = await StartAsync();
        using var request = new CancellationTokenSource();
        rig.Hub.Get<HistoryChanges>().Audited += _ => request.Cancel();

        await rig.Hub.Operations.SubmitAsync(Freeze(), Alice, request.Token);

        Assert.Equal(PairState.Frozen, rig.Pair.State);
    }

    [Fact]
    public async Task Freeze_OfAPairThatIsGone_EndsAsThatAndNotAsOneOfAllPairs()
    {
        await using var rig = await StartAsync();
        await rig.AcceptedAsync(Freeze(minutes: 10));
        var pair = rig.Pair.Id;
        await rig.A.DisposeAsync();
        await rig.B.DisposeAsync();
        foreach (var node in new[] { "web-1", "web-2" })
        {
            await rig.Hub.Fleet.PostAsync(new FleetMessage.NodeRemoved(node), Cancellation);
        }

        await rig.Hub.UntilAsync(s => s.Pairs.IsEmpty);
        rig.Time.Advance(TimeSpan.FromMinutes(10));
        await rig.TickUntilAsync(() => rig.Hub.Fleet.State.Facts.Freezes.IsEmpty);

        var told = Assert.Single(await rig.EventsAsync(new HistoryFilter { Kind = EventKinds.FreezeExpired }));
        Assert.StartsWith($"A pair that there is no more ({pair}) is no longer frozen", told.Text, StringComparison.Ordinal);
    }

    private static async Task PassTimeUntilAsync(OperationRig rig, Func<bool> holds)
    {
        for (var seconds = 0; !holds(); seconds++)
        {
            Assert.True(seconds < 1_000, rig.Hub.Describe());
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            foreach (var agent in new[] { rig.A, rig.B })
            {
                // What is new is shown at once; that it has arrived can be told by the number.
                var mark = (uint)rig.Time.GetUtcNow().ToUnixTimeSeconds();
                await agent.ReportAsync(r => r.Sessions[0].Flaps = mark);
                await rig.Hub.UntilAsync(s => s.FindNode(agent.Node) is { IsFresh: true, Sessions: [{ } first, ..] } && first.Flaps == mark);
            }

            // Whoever is just telling a node something holds this lock while the disk takes its time, which is none of this clock's.
            var admission = rig.Hub.Get<OperationServices>().Admission;
            await admission.WaitAsync(Cancellation);
            admission.Release();
        }
    }

    private static Task<FleetSnapshot> PolicyAsync(OperationRig rig, FailbackPolicy policy) =>
        rig.Hub.UntilAsync(s => s.Nodes.All(n => n.Prefixes.All(p => p.Failback?.Policy == policy)));
}
