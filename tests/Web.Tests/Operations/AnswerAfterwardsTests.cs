using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Fleet;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>An address that answered before a move has to answer after it.</summary>
[Trait("Kind", "Hub")]
public sealed class AnswerAfterwardsTests
{
    [Fact]
    public async Task AddressThatAnswersAfterwards_IsPartOfWhatWasObserved()
    {
        var prober = new ScriptedProber();
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(prober));
        prober.Say(new ProbeSample(rig.Time.GetUtcNow().AddSeconds(-1), TimeSpan.FromMilliseconds(1), null));

        var id = await rig.AcceptedAsync(Switchover());
        await rig.Hub.UntilAsync(id, o => o.Steps[2].Status == StepStatus.Running);
        prober.Say([.. Enumerable.Range(10, 3).Select(i => Answered(rig.Time.GetUtcNow().AddMilliseconds(100 * i)))]);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Contains("203.0.113.10/32 answers", ended.Steps[2].Detail, StringComparison.Ordinal);
    }

    /// <summary>In a burst the node that had the address answers a hundred times before the network has heard of the move.</summary>
    [Theory]
    [InlineData("the old node, before the network follows", false)]
    [InlineData("now and then", false)]
    [InlineData("two, which may be luck", false)]
    [InlineData("each, when it has settled", true)]
    public async Task Answers_CountWhenTheNetworkHasHadTime_AndNothingElseIsHeard(string what, bool answers)
    {
        var prober = new ScriptedProber();
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(prober));
        prober.Say(Answered(rig.Time.GetUtcNow().AddSeconds(-1)));

        var id = await rig.AcceptedAsync(Switchover());
        await rig.Hub.UntilAsync(id, o => o.Steps[2].Status == StepStatus.Running);
        var now = rig.Time.GetUtcNow();
        ProbeSample[] old = [.. Enumerable.Range(1, 99).Select(i => Answered(now.AddMilliseconds(10 * i)))];
        prober.Say(ReachabilityState.Reachable, what switch
        {
            "the old node, before the network follows" => old,
            "now and then" => [.. old, .. Enumerable.Range(100, 60).Select(i => new ProbeSample(now.AddMilliseconds(10 * i), i % 20 == 19 ? null : TimeSpan.FromMilliseconds(1), i % 20 == 19 ? "no answer" : null)), Answered(now.AddMilliseconds(1_600))],
            "two, which may be luck" => [.. old, Answered(now.AddMilliseconds(1_000)), Answered(now.AddMilliseconds(1_010))],
            _ => [.. old, .. Enumerable.Range(0, 10).Select(i => new ProbeSample(now.AddMilliseconds(1_000 + (10 * i)), null, "no answer")), .. Enumerable.Range(0, 80).Select(i => Answered(now.AddMilliseconds(1_100 + (10 * i))))],
        });
        var ended = answers ? await rig.EndedAsync(id) : await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Contains(answers ? "203.0.113.10/32 answers." : "Whether 203.0.113.10/32 answers now is not known", ended.Steps[2].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddressThatIsSilentAfterwards_IsMovedBack()
    {
        var prober = new ScriptedProber();
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(prober));
        prober.Say(new ProbeSample(rig.Time.GetUtcNow().AddSeconds(-1), TimeSpan.FromMilliseconds(1), null));

        var id = await rig.AcceptedAsync(Switchover());
        await rig.Hub.UntilAsync(id, o => o.Steps[2].Status == StepStatus.Running);
        prober.Say(new ProbeSample(rig.Time.GetUtcNow().AddSeconds(1), null, "no answer"), new ProbeSample(rig.Time.GetUtcNow().AddSeconds(2), null, "no answer"));
        await rig.PassTimeUntilAsync(id, o => o.Steps[2].Status == StepStatus.Failed, rig.A, rig.B);

        // Time stands still while it is taken back: virtual time does not wait for the disk.
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("answered before and does not now", ended.Outcome, StringComparison.Ordinal);
        Assert.Contains("taken back", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
    }

    [Theory]
    [InlineData(0, ReachabilityState.Reachable)]
    [InlineData(0, ReachabilityState.Unknown)]
    [InlineData(1, ReachabilityState.Unreachable)]
    public async Task ProberThatFallsSilentItself_UndoesNothingAndTheAnswerIsCalledNotKnown(int unanswered, ReachabilityState state)
    {
        var prober = new ScriptedProber();
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(prober));
        var before = new ProbeSample(rig.Time.GetUtcNow().AddSeconds(-1), TimeSpan.FromMilliseconds(1), null);
        prober.Say(before);

        var id = await rig.AcceptedAsync(Switchover());
        await rig.Hub.UntilAsync(id, o => o.Steps[2].Status == StepStatus.Running);
        prober.Say(state, [before, .. Enumerable.Range(1, unanswered).Select(i => new ProbeSample(rig.Time.GetUtcNow().AddSeconds(i), null, "no answer"))]);
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Contains("is not known", ended.Steps[2].Detail, StringComparison.Ordinal);
        Assert.Equal("web-2", rig.Pair.ActiveNode);
    }

    private static ProbeSample Answered(DateTimeOffset at) => new(at, TimeSpan.FromMilliseconds(1), null);

    /// <summary>Says what the test tells it to say about the one shared address.</summary>
    private sealed class ScriptedProber : IReachability
    {
        private readonly LatestValue<ImmutableArray<TargetReachability>> _targets = new([]);

        public ImmutableArray<TargetReachability> Current => _targets.Current;

        public void Say(params ProbeSample[] recent) => Say(recent[^1].Answered ? ReachabilityState.Reachable : ReachabilityState.Unreachable, recent);

        public void Say(ReachabilityState state, ProbeSample[] recent) => _targets.Publish(
        [
            new TargetReachability
            {
                Prefix = Fleets.Prefix,
                Address = Fleets.Prefix.BaseAddress,
                Method = ProbeMethod.Icmp,
                Port = null,
                VantagePoint = "hub",
                State = state,
                Recent = [.. recent],
                Problem = null,
            },
        ]);

        public TargetReachability? Find(IPNetwork prefix) => Current.FirstOrDefault(t => t.Prefix.Equals(prefix));

        public Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<ProbeSample>>([]);

        public IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync(CancellationToken cancellationToken) => _targets.WatchAsync(cancellationToken);
    }
}
