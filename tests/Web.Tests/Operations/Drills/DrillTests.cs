using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Fleet;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations.Drills;

/// <summary>There, measured, back, measured: over the real hub and agents that obey, or do not.</summary>
[Trait("Kind", "Hub")]
public sealed class DrillTests
{
    private static readonly OperationRequest Drill = new() { Type = OperationType.Drill, Pair = "web", Reason = "monthly drill" };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drill_MovesThereAndBack_EachAnOperationOfItsOwnWithWhatItCost()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Reachable)).AddSingleton<IMoveMeter>(new TwoVantagePoints()));

        var id = await rig.AcceptedAsync(Drill);
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Equal([.. Enumerable.Repeat(StepStatus.Succeeded, 5)], ended.Steps.Select(s => s.Status));
        string[] moves = [.. new[] { DrillTarget.FailOver, DrillTarget.FailBack }.Select(i => DrillTarget.OperationOf(ended.Steps[i])!)];
        foreach (string move in moves)
        {
            Assert.Equal((OperationType.Switchover, OperationStatus.Succeeded), (await rig.Hub.Operations.FindAsync(move, Stop) is { } found ? (found.Type, found.Status) : default));
        }

        // Every vantage point is named, with all its figures.
        Assert.Equal(
            "203.0.113.10/32: 1 of 3 probes from the hub were lost, the first at 12:00:00.000 and the last at 12:00:00.000 UTC; without an answer for 0.90 to 1.00 s, probed each 1.0 s. "
            + "2 of 30 probes from node-c were lost, the first at 12:00:00.500 and the last at 12:00:00.600 UTC; without an answer for 0.10 to 0.20 s, probed each 0.1 s.",
            ended.Steps[DrillTarget.MeasureThere].Detail);
        Assert.Contains("There: 203.0.113.10/32: 1 of 3 probes", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(["switchover", "switchover", "drill"], (await rig.AuditAsync()).Select(a => a.Action));
    }

    [Fact]
    public async Task Drill_UnderWay_LeavesThePairToNobodyElse()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        var between = rig.Pair;

        var other = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover("web-1"), Alice, Stop));
        var second = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Drill, Alice, Stop));
        await EndAsync(rig, id);

        Assert.Equal((id, null, PairState.Switching), (between.OperationId, between.MoveId, between.State));
        Assert.StartsWith("A drill is under way: ", between.StateReason, StringComparison.Ordinal);
        Assert.Equal((null, PairState.Healthy), (rig.Pair.OperationId, rig.Pair.State));
        Assert.Equal("SR-05", Assert.Single(other.Preview.Rules, r => r.Blocks).RuleId);
        Assert.Contains(second.Preview.Rules, r => r is { RuleId: "SR-05", Blocks: true });
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.SubmitAsync(Switchover(), Alice, Stop));
    }

    [Fact]
    public async Task Drill_OfAnAddressThatIsSilentAlready_MovesNothing()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Unreachable)));

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Drill));

        Assert.Equal((OperationStatus.Failed, "Nothing was moved."), (ended.Status, ended.Outcome));
        Assert.Contains("203.0.113.10/32 does not answer already", ended.Steps[DrillTarget.Preflight].Detail, StringComparison.Ordinal);
        Assert.Equal([StepStatus.Failed, StepStatus.Skipped, StepStatus.Skipped, StepStatus.Skipped, StepStatus.Skipped], ended.Steps.Select(s => s.Status));
        Assert.Equal("web-1", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task Drill_WhoseFailoverFails_IsLeftAsThatLeftIt()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.Rejects;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Drill));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.StartsWith("The failover did not succeed, so there is nothing to fail back: Operation ", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(StepStatus.Skipped, ended.Steps[DrillTarget.FailBack].Status);
    }

    [Fact]
    public async Task Drill_CancelledWhileItIsAway_GoesBackFirst()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);

        // Not a second passes: nothing that is measured is waited for.
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "enough", Alice, Stop));
        var ended = await rig.EndedAsync(id);

        Assert.True((OperationStatus.Cancelled, "Cancelled by alice; the addresses are back.") == (ended.Status, ended.Outcome), Described(ended));
        Assert.Equal((StepStatus.Skipped, StepStatus.Skipped, "web-1"), (ended.Steps[DrillTarget.MeasureThere].Status, ended.Steps[DrillTarget.MeasureBack].Status, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task Drill_CancelledWhenItIsBack_EndsAtOnce()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailBack].Status != StepStatus.Pending, rig.A, rig.B);
        await rig.Hub.UntilAsync(id, o => o.Steps[DrillTarget.MeasureBack].Status == StepStatus.Running);

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "enough", Alice, Stop));
        var ended = await rig.EndedAsync(id);

        Assert.True((OperationStatus.Cancelled, "Cancelled by alice; the addresses are back.") == (ended.Status, ended.Outcome), Described(ended));
    }

    [Fact]
    public async Task WayBack_ThatARuleRefusesForAWhile_IsTriedAgainAndSaysSo()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.AcceptedAsync(new OperationRequest { Type = OperationType.Freeze, Pair = "web", ExpiresIn = TimeSpan.FromHours(1), Reason = "audit in progress" });

        var waits = await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailBack].Detail is not null, rig.A, rig.B);
        await rig.AcceptedAsync(new OperationRequest { Type = OperationType.Unfreeze, Pair = "web", Reason = "audit is over" });
        var ended = await EndAsync(rig, id);

        Assert.Equal(StepStatus.Running, waits.Steps[DrillTarget.FailBack].Status);
        Assert.Matches("^Not yet: SR-07 Frozen: .* It is tried again until 12:0[5-9]:[0-9]{2} UTC[.]$", waits.Steps[DrillTarget.FailBack].Detail);
        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Contains("It was tried 2 times; at first: SR-07 Frozen", ended.Steps[DrillTarget.FailBack].Detail, StringComparison.Ordinal);
        Assert.NotNull(DrillTarget.OperationOf(ended.Steps[DrillTarget.FailBack]));

        // One refusal is in the audit, not one for each look.
        Assert.Single(await rig.AuditAsync(), a => a.Action == "switchover" && a.Outcome.StartsWith("refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WayBack_ThatStaysRefused_EndsAfterFiveMinutesAndSaysPlainlyThatNothingWasMovedBack()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.A.DisposeAsync();
        await rig.Hub.UntilAsync(s => s.FindNode("web-1") is { IsFresh: false });

        var ended = await EndAsync(rig, id, rig.B);

        Assert.True(OperationStatus.Failed == ended.Status, Described(ended));
        Assert.StartsWith("The addresses were NOT moved back: they are on web-2. SR-03 TargetReady: web-1 ", ended.Outcome, StringComparison.Ordinal);
        Assert.EndsWith("Mend that, then switch web over to web-1.", ended.Outcome, StringComparison.Ordinal);
        // The clock of the test runs ahead of a hub that has no processor: that it ends, and not before, is what counts.
        Assert.InRange(ended.FinishedAt!.Value - ended.Steps[DrillTarget.FailBack].StartedAt!.Value, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(9));
        Assert.Equal((StepStatus.Failed, StepStatus.Skipped), (ended.Steps[DrillTarget.FailBack].Status, ended.Steps[DrillTarget.MeasureBack].Status));
        Assert.Null(rig.Pair.OperationId);
    }

    [Fact]
    public async Task WayBack_ThatFailsAgainAndAgain_IsTriedThreeTimes()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        rig.A.Obedience = Obedience.Rejects;

        var ended = await EndAsync(rig, id);

        Assert.True(OperationStatus.Failed == ended.Status, Described(ended));
        Assert.Contains("The addresses were NOT moved back: they are on web-2.", ended.Outcome, StringComparison.Ordinal);
        Assert.Contains("It was tried 3 times.", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(4, (await rig.AuditAsync()).Count(a => a.Action == "switchover" && a.Outcome.StartsWith("accepted", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("web", 60, null, "startAt")]
    [InlineData("web", null, "203.0.113.10/32", "prefix")]
    public async Task Drill_ForLaterOrOfAPart_IsRefusedAndAudited(string pair, int? later, string? prefix, string field)
    {
        await using var rig = await StartAsync();

        var refused = Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(
            Drill with { Pair = pair, StartAt = later is { } s ? rig.Time.GetUtcNow().AddSeconds(s) : null, Prefix = prefix is null ? null : IPNetwork.Parse(prefix) }, Alice, Stop));

        Assert.Equal(field, Assert.Single(refused.Problem).Key);
        Assert.Equal("drill", Assert.Single(await rig.AuditAsync()).Action);
    }

    [Fact]
    public async Task Preview_SaysBothMovesAndWhatTheyDoToTraffic()
    {
        await using var rig = await StartAsync();

        OperationPreview preview = rig.Hub.Operations.Preview(Drill, out _)!;

        Assert.True(preview.Allowed);
        Assert.Equal(["Fail over to web-2", "Fail back to web-1"], new[] { preview.Steps[DrillTarget.FailOver], preview.Steps[DrillTarget.FailBack] });
        Assert.Contains("moves back to web-1", preview.TrafficEffect, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"drill\"", preview.ApiCall, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HubThatEndsWhileItIsAway_TheNextOneMovesTheAddressesBack_Once()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await KeepDataAsync(rig);

        await rig.KillHubAsync();
        await DialAsync(rig, "web-2");
        var other = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover("web-1"), Alice, Stop));
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.StartsWith("Over to web-2 and back to web-1.", ended.Outcome, StringComparison.Ordinal);
        Assert.EndsWith("The hub ended while it was under way, and was started again.", ended.Outcome, StringComparison.Ordinal);
        Assert.Contains(other.Preview.Rules, r => r is { RuleId: "SR-05", Blocks: true });
        Assert.Null(rig.Pair.OperationId);
        Assert.Equal(2, (await rig.AuditAsync()).Count(a => a.Action == "switchover" && a.Outcome.StartsWith("accepted", StringComparison.Ordinal)));

        // Another start has nothing left to do, and tells nothing again.
        await rig.RestartHubAsync();
        await DialAsync(rig, "web-1");
        Assert.Equal(ended.Outcome, (await rig.Hub.Operations.FindAsync(id, Stop))!.Outcome);
        Assert.Null(rig.Pair.OperationId);
        Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationFinished }));
    }

    [Fact]
    public async Task HubThatEndsOnTheWayBack_TheNextOneDoesNotAskForItTwice()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        rig.A.Obedience = Obedience.IsDeaf;
        await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailBack].Status == StepStatus.Running, rig.A, rig.B);
        while ((await rig.A.ReceiveIntentAsync()).Prefixes.Single().Role != Protos.V1.Role.Primary)
        {
            // The way there was for it too.
        }

        await KeepDataAsync(rig);

        // web-1 obeyed all the same, and both come back to another hub.
        await rig.KillHubAsync();
        await DialAsync(rig, "web-1");
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Equal(2, (await rig.AuditAsync()).Count(a => a.Action == "switchover" && a.Outcome.StartsWith("accepted", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task HubThatEndsBeforeAnythingMoved_SaysSo()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Drill);
        await rig.A.ReceiveIntentAsync();
        await KeepDataAsync(rig);

        await rig.KillHubAsync();
        await DialAsync(rig, "web-1");
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Failed, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Contains("The failover did not succeed, so there is nothing to fail back", ended.Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HubThatWasAwayForLong_MovesNothingByItself_AndSaysPlainlyWhereTheAddressesAre()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await KeepDataAsync(rig);

        rig.Time.Advance(TimeSpan.FromHours(2));
        await rig.KillHubAsync();
        await DialAsync(rig, "web-2");
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Failed, "web-2") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Contains("The addresses were NOT moved back: they are on web-2. Look at the pair, then switch web over to web-1.", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal((StepStatus.Succeeded, StepStatus.Skipped), (ended.Steps[DrillTarget.FailOver].Status, ended.Steps[DrillTarget.FailBack].Status));
        Assert.Single(await rig.AuditAsync(), a => a.Action == "switchover");
    }

    // What is known of nodes is written a moment later than operations are.
    private static async Task KeepDataAsync(OperationRig rig)
    {
        await rig.Hub.Writer.FlushAsync(Stop);
        rig.CopyData();
    }

    /// <summary>Both nodes come back to a hub that was started anew, as they were left: one of them primary, and obeying what it was last told.</summary>
    private static async Task DialAsync(OperationRig rig, string primary)
    {
        foreach (var node in (string[])["web-1", "web-2"])
        {
            var revision = rig.Hub.Fleet.State.Facts.Nodes.GetValueOrDefault(node)?.Intent?.Revision ?? 0;
            var agent = await FakeAgent.StartAsync(rig.Hub.AgentUrl, node, node == primary ? Protos.V1.Role.Primary : Protos.V1.Role.Secondary, revision: (ulong)revision);
            if (node == "web-1")
            {
                rig.A = agent;
            }
            else
            {
                rig.B = agent;
            }
        }

        await rig.Hub.UntilAsync(s => s.FindPair("web") is { } pair && pair.Members.All(m => m.Node.IsFresh));
    }

    /// <summary>It has gone there and measures: virtual time stands still, so it stays there.</summary>
    private static async Task AwayAsync(OperationRig rig, string id)
    {
        var now = await rig.Hub.UntilAsync(id, o => o.IsFinished || o.Steps[DrillTarget.MeasureThere].Status == StepStatus.Running);
        Assert.False(now.IsFinished, Described(now));
    }

    /// <summary>Time passes only while it is measured or waited for: a move has a deadline, and virtual time does not wait for the disk.</summary>
    private static async Task<OperationView> EndAsync(OperationRig rig, string id, params FakeAgent[] reporting)
    {
        while (true)
        {
            var now = await rig.Hub.UntilAsync(id, o => o.IsFinished || NeedsTime(o));
            if (now.IsFinished)
            {
                return now;
            }

            await rig.PassTimeUntilAsync(id, o => o.IsFinished || !NeedsTime(o), reporting is [] ? [rig.A, rig.B] : reporting);
        }
    }

    private static bool NeedsTime(OperationView drill) =>
        drill.Steps[DrillTarget.MeasureThere].Status == StepStatus.Running
        || drill.Steps[DrillTarget.MeasureBack].Status == StepStatus.Running
        || drill.Steps[DrillTarget.FailBack] is { Status: StepStatus.Running, Detail: { } said } && said.StartsWith("Not yet", StringComparison.Ordinal);

    private static string Described(OperationView drill) =>
        string.Join(Environment.NewLine, [$"{drill.Status}: {drill.Outcome}", .. drill.Steps.Select(s => $"{s.Title}: {s.Status}, {s.StartedAt:HH:mm:ss} to {s.FinishedAt:HH:mm:ss}. {s.Detail}")]);

    /// <summary>The hub lost one probe of three, a node two of thirty: it looked ten times as often.</summary>
    private sealed class TwoVantagePoints : IMoveMeter
    {
        private static readonly DateTimeOffset At = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

        public Task<bool> IsKeptAsync(string operation, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<ImmutableArray<OutageRecord>> OfOperationAsync(OperationView operation, ImmutableArray<IPNetwork> prefixes, CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<OutageRecord>>(
        [
            Of("hub", "hub", prefixes[0], new OutageFigures(3, 1, At, At, TimeSpan.FromSeconds(1), false, TimeSpan.FromSeconds(1)) { Shortest = TimeSpan.FromSeconds(0.9) }),
            Of("id-c", "node-c", prefixes[0], new OutageFigures(30, 2, At.AddSeconds(0.5), At.AddSeconds(0.6), TimeSpan.FromSeconds(0.2), false, TimeSpan.FromSeconds(0.1)) { Shortest = TimeSpan.FromSeconds(0.1) }),
        ]);

        private static OutageRecord Of(string id, string name, IPNetwork prefix, OutageFigures figures) => new()
        {
            At = At,
            Pair = "web",
            Prefix = prefix.ToString(),
            Vantage = id,
            VantageName = name,
            Kind = MoveKind.Switchover,
            OperationId = null,
            From = null,
            To = null,
            Figures = figures,
        };
    }

    /// <summary>The one shared address, as the test says it is; whenever it is asked for there is a newer answer, and around every move it missed one.</summary>
    private sealed class AnsweringAddress(ReachabilityState state) : IReachability
    {
        // Than any move of these tests: the network has had time.
        private static readonly DateTimeOffset Later = new(2026, 12, 31, 12, 0, 0, TimeSpan.Zero);

        private int _asked;

        public ImmutableArray<TargetReachability> Current =>
        [
            new TargetReachability
            {
                Prefix = Fleets.Prefix,
                Address = Fleets.Prefix.BaseAddress,
                Method = ProbeMethod.Icmp,
                Port = null,
                VantagePoint = "hub",
                State = state,
                Recent = [.. Enumerable.Range(0, 3).Select(_ => new ProbeSample(Later.AddMilliseconds(Interlocked.Increment(ref _asked)), state == ReachabilityState.Reachable ? TimeSpan.FromMilliseconds(1) : null, null))],
                Problem = null,
            },
        ];

        public TargetReachability? Find(IPNetwork prefix) => Current.FirstOrDefault(t => t.Prefix.Equals(prefix));

        public Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<ProbeSample>>([.. Enumerable.Range(0, 3).Select(i => new ProbeSample(from.AddSeconds(i), i == 1 ? null : TimeSpan.FromMilliseconds(1), i == 1 ? "no answer" : null))]);

        public async IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return Current;
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
