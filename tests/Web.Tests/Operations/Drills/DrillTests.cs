using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Fleet;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations.Drills;

/// <summary>There, measured, back, measured: over the real hub and agents that obey, or do not.</summary>
public sealed class DrillTests
{
    private static readonly OperationRequest Drill = new() { Type = OperationType.Drill, Pair = "web", Reason = "monthly drill" };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drill_MovesThereAndBack_EachAnOperationOfItsOwnWithWhatItCost()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Reachable)));

        var id = await rig.AcceptedAsync(Drill);
        var ended = await EndAsync(rig, id);

        Assert.Equal((OperationStatus.Succeeded, "web-1"), (ended.Status, rig.Pair.ActiveNode));
        Assert.Equal([.. Enumerable.Repeat(StepStatus.Succeeded, 5)], ended.Steps.Select(s => s.Status));
        string[] moves = [.. new[] { DrillTarget.FailOver, DrillTarget.FailBack }.Select(i => DrillTarget.OperationOf(ended.Steps[i])!)];
        foreach (string move in moves)
        {
            Assert.Equal((OperationType.Switchover, OperationStatus.Succeeded), (await rig.Hub.Operations.FindAsync(move, Stop) is { } found ? (found.Type, found.Status) : default));
        }

        Assert.Contains("1 of 3 probes from the hub were lost", ended.Steps[DrillTarget.MeasureThere].Detail, StringComparison.Ordinal);
        Assert.Contains("There: 203.0.113.10/32: 1 of 3 probes", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(["switchover", "switchover", "drill"], (await rig.AuditAsync()).Select(a => a.Action));
    }

    [Fact]
    public async Task Drill_UnderWay_LeavesThePairToNobodyElse()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await rig.Hub.UntilAsync(id, o => o.Steps[DrillTarget.MeasureThere].Status == StepStatus.Running);

        var other = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover("web-1"), Alice, Stop));
        var second = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Drill, Alice, Stop));
        await EndAsync(rig, id);

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
        await rig.Hub.UntilAsync(id, o => o.Steps[DrillTarget.MeasureThere].Status == StepStatus.Running);

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "enough", Alice, Stop));
        var ended = await EndAsync(rig, id);

        Assert.Equal((OperationStatus.Cancelled, "Cancelled by alice; the addresses are back."), (ended.Status, ended.Outcome));
        Assert.Equal((StepStatus.Skipped, "web-1"), (ended.Steps[DrillTarget.MeasureBack].Status, rig.Pair.ActiveNode));
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
    public async Task HubThatEndsInTheMiddle_ReportsItAndMovesNothingMore()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await rig.Hub.UntilAsync(id, o => o.Steps[DrillTarget.MeasureThere].Status == StepStatus.Running);

        await rig.RestartHubAsync();
        var ended = (await rig.Hub.Operations.FindAsync(id, Stop))!;

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("The addresses may be on the other node", ended.Outcome, StringComparison.Ordinal);
    }

    /// <summary>Time passes only while it is measured: a move has a deadline, and virtual time does not wait for the disk.</summary>
    private static async Task<OperationView> EndAsync(OperationRig rig, string id)
    {
        await rig.Hub.UntilAsync(id, o => o.IsFinished || o.Steps[DrillTarget.MeasureThere].Status != StepStatus.Pending);
        await rig.PassTimeUntilAsync(id, o => o.IsFinished || o.Steps[DrillTarget.FailBack].Status != StepStatus.Pending, rig.A, rig.B);
        await rig.Hub.UntilAsync(id, o => o.IsFinished || o.Steps[DrillTarget.MeasureBack].Status != StepStatus.Pending);
        return await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);
    }

    /// <summary>The one shared address, as the test says it is; whenever it is asked for there is a newer answer, and around every move it missed one.</summary>
    private sealed class AnsweringAddress(ReachabilityState state) : IReachability
    {
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
                Recent = [new ProbeSample(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero).AddMilliseconds(Interlocked.Increment(ref _asked)), state == ReachabilityState.Reachable ? TimeSpan.FromMilliseconds(1) : null, null)],
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
