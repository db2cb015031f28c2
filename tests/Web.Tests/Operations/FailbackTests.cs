using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using Failback = FailoverHub.Web.Fleet.Failback;
using ProtoFailback = FailoverHub.Protos.V1.FailbackPolicy;
using ProtoHold = FailoverHub.Protos.V1.FailbackHold;
using ProtoRole = FailoverHub.Protos.V1.Role;
using Role = FailoverHub.Web.Fleet.Role;
using WithdrawnReason = FailoverHub.Protos.V1.WithdrawnReason;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>Operations and what agents keep for themselves: failback policies, holds and drains that were ordered on the node.</summary>
[Trait("Kind", "Hub")]
public sealed class FailbackTests
{
    private static readonly Failback ByHand = Failback.Of(Web.Fleet.FailbackPolicy.Manual, TimeSpan.Zero);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OperationRequest OnPair(OperationType type, Failback? failback = null) => new() { Type = type, Pair = "web", Failback = failback, Reason = "kernel update" };

    [Fact]
    public async Task SetFailback_TellsBothNodesAndIsKeptAcrossARestart()
    {
        await using var rig = await StartWithFailbackAsync();
        Assert.Equal((Failback.Default, false), (rig.Pair.Failback, rig.Pair.FailbackIsSet));

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.SetFailback, ByHand)));

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.All([rig.A, rig.B], agent => Assert.Equal((ProtoFailback.Manual, false), (agent.Intents.Single().Prefixes.Single().FailbackPolicy, agent.Intents.Single().Prefixes.Single().AtOnce)));
        Assert.Equal((ByHand, true, PairState.Healthy), (rig.Pair.Failback, rig.Pair.FailbackIsSet, rig.Pair.State));
        var entry = Assert.Single(await rig.AuditAsync());
        Assert.Equal(("set-failback", "pair web", "accepted"), (entry.Action, entry.Target, entry.Outcome));
        Assert.Contains("manual", entry.After, StringComparison.Ordinal);

        await rig.RestartHubAsync();
        Assert.Equal((ByHand, true), (rig.Pair.Failback, rig.Pair.FailbackIsSet));
    }

    /// <summary>What the hub's writer has not written yet, or has written late, neither makes nor undoes it.</summary>
    [Fact]
    public async Task SetFailback_ThatHasSucceeded_IsKeptInTheTransactionThatSaysSo()
    {
        await using var rig = await StartWithFailbackAsync();
        var older = rig.Hub.Fleet.State.Facts.Pairs[rig.Pair.Id];
        rig.B.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnPair(OperationType.SetFailback, ByHand));
        var running = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;

        // The fleet is not told, so nobody else writes the pair.
        await rig.Hub.Get<OperationStore>().SaveAsync(running with { Status = OperationStatus.Succeeded, Outcome = "It is done.", FinishedAt = rig.Time.GetUtcNow() }, raiseRevision: false, Cancellation);
        rig.Hub.Writer.Enqueue(new PairWrite(older));
        await rig.Hub.Writer.FlushAsync(Cancellation);

        await using var db = rig.OpenDatabase();
        Assert.Equal("Manual:0", (await db.Pairs.SingleAsync(Cancellation)).Failback);
    }

    [Fact]
    public async Task Move_ThatHasSucceeded_IsKeptInTheTransactionThatSaysSo()
    {
        await using var rig = await StartWithFailbackAsync();
        var older = rig.Hub.Fleet.State.Facts.Pairs[rig.Pair.Id];
        var id = await rig.AcceptedAsync(Switchover());
        await rig.EndedAsync(id);
        rig.Hub.Writer.Enqueue(new PairWrite(older));
        await rig.Hub.Writer.FlushAsync(Cancellation);

        await using var db = rig.OpenDatabase();
        Assert.Equal(("web-2", "alice", id), await db.Pairs.SingleAsync(Cancellation) is var pair ? (pair.MovedTo, pair.MovedBy, pair.MovedByOperation) : default);
    }

    [Fact]
    public async Task OperationsBeforeOne_AreTheOlderOnes()
    {
        await using var rig = await StartWithFailbackAsync();
        var first = await rig.AcceptedAsync(Switchover());
        await rig.EndedAsync(first);
        var second = await rig.AcceptedAsync(OnPair(OperationType.Failback));
        await rig.EndedAsync(second);

        Assert.Equal([first], (await rig.Hub.Operations.BeforeAsync(OperationFilter.OfPair(rig.Pair.Id), second, 10, Cancellation))!.Select(o => o.Id));
        Assert.Empty((await rig.Hub.Operations.BeforeAsync(OperationFilter.All, first, 10, Cancellation))!);
        Assert.Null(await rig.Hub.Operations.BeforeAsync(OperationFilter.All, "no-such", 10, Cancellation));
    }

    [Fact]
    public async Task SetFailback_ThatANodeRejects_IsTakenBackAndNotKept()
    {
        await using var rig = await StartWithFailbackAsync();
        rig.B.Obedience = Obedience.Rejects;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.SetFailback, ByHand)));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.False(rig.Pair.FailbackIsSet);
        Assert.Equal([ProtoFailback.Manual, ProtoFailback.Immediate], rig.A.Intents.Select(i => i.Prefixes.Single().FailbackPolicy));
    }

    [Fact]
    public async Task SetFailback_OfAgentsThatKeepNone_IsNoSenseAndSaysWhy()
    {
        await using var rig = await StartAsync();

        var answer = await rig.Hub.Operations.SubmitAsync(OnPair(OperationType.SetFailback, ByHand), Alice, Cancellation);

        Assert.Contains("update them first", Assert.IsType<SubmitResult.Invalid>(answer).Problem["failback"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failback_OfANodeThatIsHeldBack_PromotesItAtOnceAndNobodyElseIsTold()
    {
        await using var rig = await StartWithFailbackAsync();
        await HoldAsync(rig, "It was started 2 s ago.");
        Assert.Equal((PairState.FailedOver, "web-2"), (rig.Pair.State, rig.Pair.ActiveNode));

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.Failback)));

        Assert.Equal((OperationStatus.Succeeded, "Fail web back to web-1"), (ended.Status, ended.Title));
        var prefix = Assert.Single(rig.A.Intents).Prefixes.Single();
        Assert.Equal((ProtoRole.Primary, true, ProtoFailback.Manual), (prefix.Role, prefix.AtOnce, prefix.FailbackPolicy));
        Assert.Empty(rig.B.Intents);
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
        Assert.Equal("failback", Assert.Single(await rig.AuditAsync()).Action);
    }

    [Fact]
    public async Task Failback_AfterAPlannedMove_DemotesThenPromotes()
    {
        await using var rig = await StartWithFailbackAsync();
        await rig.EndedAsync(await rig.AcceptedAsync(Switchover()));

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.Failback)))).Status);

        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
        Assert.Equal([ProtoRole.Primary, ProtoRole.Secondary], rig.B.Intents.Select(i => i.Prefixes.Single().Role));
        Assert.All(rig.A.Intents.Concat(rig.B.Intents).Select(i => i.Prefixes.Single()), p => Assert.Equal((p.Role == ProtoRole.Primary, ProtoFailback.AfterStable, 60u), (p.AtOnce, p.FailbackPolicy, p.StableSeconds)));
    }

    [Fact]
    public async Task Failback_WhenThePreferredNodeIsActive_IsNoSense()
    {
        await using var rig = await StartWithFailbackAsync();

        Assert.Contains("active already", Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(OnPair(OperationType.Failback), Alice, Cancellation)).Problem["target"], StringComparison.Ordinal);
    }

    /// <summary>A step that does not ask a held prefix to be primary now must not wait for it.</summary>
    [Fact]
    public async Task SetFailback_OfANodeThatIsHeldBack_DoesNotWaitUntilItIsPrimary()
    {
        await using var rig = await StartWithFailbackAsync();
        await HoldAsync(rig, "It was started 2 s ago.");

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.SetFailback, Failback.Default)));

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Equal((PairState.FailedOver, Failback.Default), (rig.Pair.State, rig.Pair.Failback));
    }

    [Fact]
    public async Task Undrain_OfANodeThatWasDrainedOnItself_LiftsThatAndSaysSoBefore()
    {
        await using var rig = await StartWithFailbackAsync();
        await DrainLocallyAsync(rig);
        Assert.Equal((PairState.FailedOver, "web-2"), (rig.Pair.State, rig.Pair.ActiveNode));
        Assert.Contains("drained on the node itself", rig.Pair.StateReason, StringComparison.Ordinal);
        var undrain = OnNode(OperationType.Undrain, "web-1");
        Assert.Contains("ordered on the node itself", rig.Hub.Operations.Preview(undrain, out _)!.Steps[0], StringComparison.Ordinal);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(undrain))).Status);

        Assert.True(Assert.Single(rig.A.Intents).LiftLocalDrain);
        Assert.False(rig.Hub.Fleet.Current.FindNode("web-1")!.Drained);
    }

    /// <summary>What somebody ordered on the node is not undone by what is asked of the pair.</summary>
    [Fact]
    public async Task SetFailback_OfALocallyDrainedNode_LeavesItDrained()
    {
        await using var rig = await StartWithFailbackAsync();
        await DrainLocallyAsync(rig);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.SetFailback, ByHand)))).Status);

        Assert.False(Assert.Single(rig.A.Intents).LiftLocalDrain);
        Assert.Equal((true, true, false), (rig.Pair.Members[0].Node.Drained, rig.Pair.Members[0].Node.LocallyDrained, rig.Pair.Members[0].Node.AssignedDrained));
    }

    [Fact]
    public async Task SetFailback_OfANodeThatWasMadeSecondaryOnItself_LeavesItSo_AndASwitchoverEndsIt()
    {
        await using var rig = await StartWithFailbackAsync();
        await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.SetFailback, Failback.Default)));
        await rig.A.ReportAsync(r => r.Prefixes[0].AssignedRole = r.Prefixes[0].ReportedRole = ProtoRole.Secondary);
        await rig.Hub.UntilAsync(s => s.FindNode("web-1")!.Prefixes[0].LocalRole == Role.Secondary);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.SetFailback, ByHand)))).Status);
        Assert.Equal(ProtoRole.Secondary, rig.A.Intents.Last().Prefixes.Single().Role);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-1")))).Status);
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task SecondPrimary_OfAStickyPair_IsNoBreachOfARule()
    {
        await using var rig = await StartWithFailbackAsync();
        var request = OnNode(OperationType.SetRole, "web-2") with { Role = Role.Primary };
        Assert.False(Rule("SR-02").Passed);
        await rig.EndedAsync(await rig.AcceptedAsync(OnPair(OperationType.SetFailback, Failback.Of(Web.Fleet.FailbackPolicy.Sticky, TimeSpan.Zero))));
        Assert.True(Rule("SR-02").Passed);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(request))).Status);

        Assert.Equal(PairState.Healthy, rig.Pair.State);

        RuleResult Rule(string id) => rig.Hub.Operations.Preview(request, out _)!.Rules.Single(r => r.RuleId == id);
    }

    [Fact]
    public async Task LocalCommands_ThatComeLate_AreInTheAuditOnceAndTheChainIsIntact()
    {
        await using var rig = await StartWithFailbackAsync();
        var at = new DateTimeOffset(2026, 5, 4, 9, 0, 0, TimeSpan.Zero);
        var batch = new JournalBatch
        {
            BootId = "boot-0",
            Entries =
            {
                new JournalEntry { Sequence = 1, Kind = "local-command", AtUnixMs = at.ToUnixTimeMilliseconds(), Actor = "root (uid 0)", Text = "root (uid 0) ordered to drain this node; drained" },
                new JournalEntry { Sequence = 2, Kind = "drained", AtUnixMs = at.ToUnixTimeMilliseconds(), Text = "Drained." },
                new JournalEntry { Sequence = 3, Kind = "local-command", AtUnixMs = at.ToUnixTimeMilliseconds(), Actor = "root (uid 0)", Text = "root (uid 0) ordered to undrain this node; no longer drained" },
            },
        };
        await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-2")));
        for (var i = 0; i < 2; i++)
        {
            await rig.A.SendAsync(new AgentMessage { Journal = batch.Clone() });
            HubMessage message;
            do
            {
                message = await rig.A.ReceiveAsync();
            }
            while (message.BodyCase != HubMessage.BodyOneofCase.JournalAck);
        }

        var entries = await rig.AuditAsync();
        Assert.Equal(["local-command", "local-command", "drain"], entries.Select(e => e.Action));
        Assert.All(entries.Take(2), e => Assert.Equal(("root (uid 0) on web-1, locally", "node web-1 of pair web", at, rig.Time.GetUtcNow()), (e.Actor, e.Target, e.HappenedAt, e.At)));
        Assert.Null(entries[2].HappenedAt);
        Assert.Equal((true, 3L), ((await rig.Hub.History.VerifyAuditAsync(Cancellation)) is var v ? (v.Intact, v.Entries) : default));
        Assert.Equal(2, (await rig.EventsAsync(new HistoryFilter { Kind = "local-command", Node = "web-1" })).Count);
    }

    private static Task<OperationRig> StartWithFailbackAsync() => StartAsync(keepsFailback: true);

    /// <summary>web-1 was away and is back, and its policy holds it back until an operator says so.</summary>
    private static async Task HoldAsync(OperationRig rig, string reason)
    {
        await WithdrawAsync(rig, WithdrawnReason.AddressMissing);
        await rig.Hub.UntilAsync(s => s.FindPair("web")!.ActiveNode == "web-2");
        await rig.A.ReportAsync(r =>
        {
            r.Prefixes[0].FailbackPolicy = ProtoFailback.Manual;
            r.Prefixes[0].FailbackHold = new ProtoHold { RemainingMs = -1, Reason = reason };
            r.Prefixes[0].Announced = true;
            r.Prefixes[0].ReportedRole = ProtoRole.Secondary;
            r.Prefixes[0].EstablishedSessionsCarrying = 4;
        });
        await rig.B.ReportAsync(r => r.Prefixes[0].FailbackPolicy = ProtoFailback.Manual);
        await rig.Hub.UntilAsync(s => s.FindNode("web-1")!.Prefixes[0].Hold is not null && s.FindNode("web-2")!.Prefixes[0].Failback == ByHand);
    }

    private static async Task DrainLocallyAsync(OperationRig rig)
    {
        await WithdrawAsync(rig, WithdrawnReason.Drained, r => r.Drained = r.LocallyDrained = true);
        await rig.Hub.UntilAsync(s => s.FindNode("web-1")!.LocallyDrained);
    }

    private static Task WithdrawAsync(OperationRig rig, WithdrawnReason reason, Action<NodeReport>? also = null) => rig.A.ReportAsync(r =>
    {
        r.Prefixes[0].Announced = false;
        r.Prefixes[0].ReportedRole = ProtoRole.Unspecified;
        r.Prefixes[0].WithdrawnReason = reason;
        r.Prefixes[0].EstablishedSessionsCarrying = 0;
        also?.Invoke(r);
    });
}
