using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>Targets as a test published them.</summary>
internal sealed class FakeReachability : IReachability
{
    public Broadcast<ImmutableArray<TargetReachability>> Changes { get; } = new();

    public ImmutableArray<TargetReachability> Current { get; private set; } = [];

    public void Publish(params ImmutableArray<TargetReachability> targets)
    {
        Current = targets;
        Changes.Send(targets);
    }

    public TargetReachability? Find(IPNetwork prefix) => Current.FirstOrDefault(target => target.Prefix.Equals(prefix));

    public Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ProbeSample>>([.. (Find(prefix)?.Recent ?? []).Where(sample => sample.At >= from && sample.At < to).Take(limit)]);

    public IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync(CancellationToken cancellationToken) => Changes.ListenAsync([Current], cancellationToken);
}
