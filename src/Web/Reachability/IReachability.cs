using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Reachability;

/// <summary>Whether shared addresses answer, to read.</summary>
public interface IReachability
{
    /// <summary>Every probed target, by prefix.</summary>
    ImmutableArray<TargetReachability> Current { get; }

    /// <summary>One target, or null when it is not probed.</summary>
    TargetReachability? Find(IPNetwork prefix);

    /// <summary>Stored raw samples of one target, oldest first.</summary>
    /// <param name="prefix">Which.</param>
    /// <param name="from">At or after.</param>
    /// <param name="to">Before.</param>
    /// <param name="limit">1 to 10,000.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken);

    /// <summary>All targets after every change, coalesced; the current ones first. Ends when cancelled.</summary>
    IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync(CancellationToken cancellationToken);
}

/// <summary>Everything that is probed, to read: shared addresses, what operators have added, and nodes.</summary>
public interface IProbedTargets
{
    /// <summary>Each of them, by id.</summary>
    ImmutableArray<ProbedTarget> Current { get; }

    /// <summary>How every node stands that asks for the hub, or did until it was lost; who is lost first.</summary>
    ImmutableArray<VantageStanding> Vantages => [];

    /// <summary>One by its id, or null when it is not probed.</summary>
    ProbedTarget? Find(string id);

    /// <summary>The hub finds itself cut off; null: it is not, as far as can be told.</summary>
    HubCutOff? CutOff { get; }

    /// <summary>Something beyond the hub's own network has answered it since it was started: that it is not cut off is known then.</summary>
    bool KnowsItsWayOut => true;

    /// <summary>All of them after every change, coalesced; the current ones first. Ends when cancelled.</summary>
    IAsyncEnumerable<ImmutableArray<ProbedTarget>> WatchAsync(CancellationToken cancellationToken);
}
