using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>Targets as a test published them.</summary>
internal sealed class FakeReachability : IReachability, IProbedTargets, IReachabilityHistory, IOutages
{
    public Broadcast<ImmutableArray<TargetReachability>> Changes { get; } = new();

    public ImmutableArray<TargetReachability> Current { get; private set; } = [];

    public void Publish(params ImmutableArray<TargetReachability> targets)
    {
        Current = targets;
        Changes.Send(targets);
    }

    /// <summary>What is read is another now, and nobody is told: as when the prober hangs and its verdict grows old.</summary>
    public void Age(params ImmutableArray<TargetReachability> targets) => Current = targets;

    public TargetReachability? Find(IPNetwork prefix) => Current.FirstOrDefault(target => target.Prefix.Equals(prefix));

    public Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ProbeSample>>([.. (Find(prefix)?.Recent ?? []).Where(sample => sample.At >= from && sample.At < to).Take(limit)]);

    public IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync(CancellationToken cancellationToken) => Changes.ListenAsync([Current], cancellationToken);

    /// <summary>What is probed beside the shared addresses.</summary>
    public ImmutableArray<ProbedTarget> Others { get; set; } = [];

    /// <summary>What the chart of any target is.</summary>
    public Func<DateTimeOffset, DateTimeOffset, TimeSpan, ReachabilityChart> Chart { get; set; } = (from, to, step) => new ReachabilityChart(ChartSteps.Begin(from, step), to, step, []) { Whole = null };

    /// <summary>How nodes stand that ask for the hub.</summary>
    public ImmutableArray<VantageStanding> Standings { get; set; } = [];

    ImmutableArray<VantageStanding> IProbedTargets.Vantages => Standings;

    ImmutableArray<ProbedTarget> IProbedTargets.Current => [.. Current.Select(ToProbed), .. Others];

    public HubCutOff? CutOff { get; set; }

    ProbedTarget? IProbedTargets.Find(string id) => ((IProbedTargets)this).Current.FirstOrDefault(t => t.Id == id);

    async IAsyncEnumerable<ImmutableArray<ProbedTarget>> IProbedTargets.WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ImmutableArray<TargetReachability> targets in WatchAsync(cancellationToken))
        {
            yield return [.. targets.Select(ToProbed), .. Others];
        }
    }

    public Task<ReachabilityChart> ReadAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken cancellationToken)
    {
        AskedFrom = vantage;
        return Task.FromResult(Chart(from, to, step));
    }

    /// <summary>From where each target was ever probed.</summary>
    public ImmutableArray<VantageName> Vantages { get; set; } = [new(VantagePoint.HubId, VantagePoint.HubId)];

    public Task<ImmutableArray<VantageName>> VantagesAsync(string target, CancellationToken cancellationToken) => Task.FromResult(Vantages);

    public Task<IReadOnlyList<ProbeSample>> SamplesAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ProbeSample>>([]);

    /// <summary>The vantage point whose chart was last asked for.</summary>
    public string? AskedFrom { get; private set; }

    /// <summary>Moves that were measured, newest first.</summary>
    public ImmutableArray<OutageRecord> Measured { get; set; } = [];

    public Task<ImmutableArray<OutageRecord>> OfPairAsync(string pair, int limit, CancellationToken cancellationToken) => Task.FromResult(Measured);

    public Task<ImmutableArray<OutageRecord>> OfOperationAsync(string id, CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<OutageRecord>>([.. Measured.Where(o => o.OperationId == id)]);

    public Task<ImmutableArray<OutageRecord>> OfEventAsync(EventRecord told, CancellationToken cancellationToken) => Task.FromResult(ToldMove.Of(told, Measured));

    private static ProbedTarget ToProbed(TargetReachability target) => new()
    {
        Id = target.Prefix.ToString(),
        Kind = ProbedKind.Shared,
        Label = target.Address.ToString(),
        Prefix = target.Prefix,
        Address = target.Address.ToString(),
        Method = target.Method,
        Port = target.Port,
        Way = "ICMP",
        Pair = "web",
        Interval = TimeSpan.FromSeconds(1),
        State = target.State,
        Recent = target.Recent,
        Problem = target.Problem,
        Further = target.Further,
    };
}
