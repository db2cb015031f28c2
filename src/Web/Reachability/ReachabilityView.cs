using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Reachability.Vantages;

namespace FailoverHub.Web.Reachability;

/// <summary>
/// What the prober last published, with its age judged when it is read: if the prober should ever hang, everything turns unknown by itself.
/// </summary>
internal sealed class ReachabilityView : IReachability, IProbedTargets
{
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly ProbeSampleStore _store;
    private readonly IProbe _probe;
    private readonly VantageView? _further;
    private readonly LatestValue<ImmutableArray<KnownTarget>> _known = new([]);
    private volatile Told? _told;

    /// <summary>The prober publishes each second; when it does not, it is not known whether the hub is still cut off.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    /// <param name="time">The clock.</param>
    /// <param name="store">Of single probes.</param>
    /// <param name="probe">How shared addresses are asked.</param>
    /// <param name="further">What nodes see; null: none is asked.</param>
    public ReachabilityView(TimeProvider time, ProbeSampleStore store, IProbe probe, VantageView? further = null)
    {
        _time = time;
        _began = time.GetTimestamp();
        _store = store;
        _probe = probe;
        _further = further;
    }

    /// <summary>Time since this view was made: the clock that <see cref="KnownTarget.NewestSentAt"/> is by.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_began);

    public ImmutableArray<TargetReachability> Current => At(_known.Current, Now);

    /// <summary>What the prober last published, without a verdict.</summary>
    public ImmutableArray<KnownTarget> Known => _known.Current;

    /// <summary>Only the prober calls this.</summary>
    /// <param name="known">Every target.</param>
    /// <param name="cutOff">The hub finds itself cut off; null: it does not.</param>
    /// <param name="hasHeard">Something beyond its own network has answered the hub in this run.</param>
    public void Publish(ImmutableArray<KnownTarget> known, HubCutOff? cutOff = null, bool hasHeard = true)
    {
        _told = new Told(cutOff, hasHeard, Now);
        _known.Publish(known);
    }

    HubCutOff? IProbedTargets.CutOff => _told is { CutOff: { } cutOff, At: var at } && Now - at <= FreshFor ? cutOff : null;

    bool IProbedTargets.KnowsItsWayOut => _told is { HasHeard: true, At: var at } && Now - at <= FreshFor;

    public TargetReachability? Find(IPNetwork prefix)
    {
        TimeSpan now = Now;
        return _known.Current.FirstOrDefault(k => k.Target.IsShared && k.Target.Prefix.Equals(prefix)) is { } known ? Judge(known, now) : null;
    }

    public Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
        _store.ReadAsync(new ProbeSeries(prefix.ToString(), ProbeSeries.Hub), from, to, limit, cancellationToken);

    public async IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ImmutableArray<KnownTarget> known in _known.WatchAsync(cancellationToken))
        {
            yield return At(known, Now);
        }
    }

    private ImmutableArray<TargetReachability> At(ImmutableArray<KnownTarget> known, TimeSpan now) => [.. known.Where(k => k.Target.IsShared).Select(k => Judge(k, now))];

    ImmutableArray<ProbedTarget> IProbedTargets.Current => All(_known.Current, Now);

    ImmutableArray<VantageStanding> IProbedTargets.Vantages => _further?.Standings ?? [];

    ProbedTarget? IProbedTargets.Find(string id)
    {
        TimeSpan now = Now;
        return _known.Current.FirstOrDefault(k => string.Equals(k.Target.Id, id, StringComparison.OrdinalIgnoreCase)) is { } known ? ToProbed(known, now) : null;
    }

    async IAsyncEnumerable<ImmutableArray<ProbedTarget>> IProbedTargets.WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ImmutableArray<KnownTarget> known in _known.WatchAsync(cancellationToken))
        {
            yield return All(known, Now);
        }
    }

    private ImmutableArray<ProbedTarget> All(ImmutableArray<KnownTarget> known, TimeSpan now) => [.. known.Select(k => ToProbed(k, now))];

    private ProbedTarget ToProbed(KnownTarget known, TimeSpan now) => new()
    {
        Id = known.Target.Id,
        Kind = known.Target.IsShared ? ProbedKind.Shared : known.Target.Named is not null ? ProbedKind.Named : ProbedKind.Node,
        Label = known.Target.Label,
        Prefix = known.Target.IsShared ? known.Target.Prefix : null,
        Method = (known.Target.Probe ?? _probe).Method,
        Port = (known.Target.Probe ?? _probe).Port,
        Address = known.Target.Named?.Draft.Address ?? known.Target.Address.ToString(),
        Way = known.Target.Named?.Way ?? (_probe.Method == ProbeMethod.Tcp ? $"TCP port {_probe.Port}" : "ICMP"),
        Pair = known.Target.Pair.Length > 0 ? known.Target.Pair : null,
        Node = known.Target.Node,
        HasAnswered = known.HasAnswered,
        Interval = known.Target.Interval,
        State = known.StateAt(now),
        Recent = known.Recent,
        Problem = known.Problem,
        Further = _further?.Of(known.Target.Id) ?? [],
        WhyOnlyTheHub = _further?.WhyNone(known.Target.Id),
        LostVantages = _further?.LostOf(known.Target.Id) ?? [],
    };

    private sealed record Told(HubCutOff? CutOff, bool HasHeard, TimeSpan At);

    private TargetReachability Judge(KnownTarget known, TimeSpan now) => new()
    {
        Prefix = known.Target.Prefix,
        Address = known.Target.Address,
        Method = _probe.Method,
        Port = _probe.Port,
        VantagePoint = ProbeSeries.Hub,
        State = known.StateAt(now),
        Recent = known.Recent,
        Problem = known.Problem,
        Further = _further?.Of(known.Target.Id) ?? [],
    };
}
