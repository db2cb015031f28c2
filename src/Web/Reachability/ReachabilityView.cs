using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability.Probing;

namespace FailoverHub.Web.Reachability;

/// <summary>
/// What the prober last published, with its age judged when it is read: if the prober should ever hang, everything turns unknown by itself.
/// </summary>
internal sealed class ReachabilityView : IReachability
{
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly ProbeSampleStore _store;
    private readonly IProbe _probe;
    private readonly LatestValue<ImmutableArray<KnownTarget>> _known = new([]);

    public ReachabilityView(TimeProvider time, ProbeSampleStore store, IProbe probe)
    {
        _time = time;
        _began = time.GetTimestamp();
        _store = store;
        _probe = probe;
    }

    /// <summary>Time since this view was made: the clock that <see cref="KnownTarget.NewestSentAt"/> is by.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_began);

    public ImmutableArray<TargetReachability> Current => At(_known.Current, Now);

    /// <summary>Only the prober calls this.</summary>
    public void Publish(ImmutableArray<KnownTarget> known) => _known.Publish(known);

    public TargetReachability? Find(IPNetwork prefix)
    {
        TimeSpan now = Now;
        return _known.Current.FirstOrDefault(k => k.Target.Prefix.Equals(prefix)) is { } known ? Judge(known, now) : null;
    }

    public Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
        _store.ReadAsync(prefix, from, to, limit, cancellationToken);

    public async IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ImmutableArray<KnownTarget> known in _known.WatchAsync(cancellationToken))
        {
            yield return At(known, Now);
        }
    }

    private ImmutableArray<TargetReachability> At(ImmutableArray<KnownTarget> known, TimeSpan now) => [.. known.Select(k => Judge(k, now))];

    private TargetReachability Judge(KnownTarget known, TimeSpan now) => new()
    {
        Prefix = known.Target.Prefix,
        Address = known.Target.Address,
        Method = _probe.Method,
        Port = _probe.Port,
        VantagePoint = "hub",
        State = known.StateAt(now),
        Recent = known.Recent,
        Problem = known.Problem,
    };
}
