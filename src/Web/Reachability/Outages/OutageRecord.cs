using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>Why an address moved.</summary>
public enum MoveKind
{
    /// <summary>Planned, to the other node.</summary>
    Switchover,

    /// <summary>Planned, back to the preferred node.</summary>
    Failback,

    /// <summary>A node was promoted while the other could not be reached.</summary>
    ForcePromote,

    /// <summary>Another planned change moved it: a drain, a role.</summary>
    Change,

    /// <summary>Nobody had asked for it: it came to the other node.</summary>
    Failover,

    /// <summary>Nobody had asked for it: it came back to the preferred node.</summary>
    FailbackByItself,

    /// <summary>What an operation had done was taken back later, when its nodes were there again.</summary>
    TakeBack,
}

/// <summary>What a move of an address cost, by the probes of one vantage point.</summary>
public sealed record OutageRecord
{
    /// <summary>When the move was asked for, or was seen.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Name of the pair at that time.</summary>
    public required string Pair { get; init; }

    /// <summary>The shared prefix, CIDR.</summary>
    public required string Prefix { get; init; }

    /// <summary>"hub", or the id of the node that probed.</summary>
    public required string Vantage { get; init; }

    /// <summary>What that is called now: "hub", or the name of the node.</summary>
    public required string VantageName { get; init; }

    /// <summary>Why it moved.</summary>
    public required MoveKind Kind { get; init; }

    /// <summary>The operation that moved it; null: none.</summary>
    public required string? OperationId { get; init; }

    /// <summary>The node that was active before; null: not known.</summary>
    public required string? From { get; init; }

    /// <summary>The node that was active afterwards; null: not known.</summary>
    public required string? To { get; init; }

    /// <summary>What the probes showed.</summary>
    public required OutageFigures Figures { get; init; }
}

/// <summary>What probes around a move showed.</summary>
/// <param name="Sent">Probes; 0: nothing is known.</param>
/// <param name="Lost">Those without an answer.</param>
/// <param name="FirstLossAt">When the first of them was sent; null: none was lost.</param>
/// <param name="LastLossAt">When the last of them was sent.</param>
/// <param name="Longest">The longest time from one answer to the next with an unanswered probe between; zero: none. The outage was no longer than that.</param>
/// <param name="GoesOn">The last probe was not answered: it had not ended when it was measured.</param>
/// <param name="Resolution">From one probe to the next while it lasted (the median). Without a loss: the longest time without a probe, an outage within which nobody would have seen.</param>
public sealed record OutageFigures(int Sent, int Lost, DateTimeOffset? FirstLossAt, DateTimeOffset? LastLossAt, TimeSpan Longest, bool GoesOn, TimeSpan Resolution)
{
    /// <summary>From the first to the last lost probe of that longest time: the outage was no shorter. Null: an older hub measured it, and did not say.</summary>
    public TimeSpan? Shortest { get; init; }

    /// <summary>So long of that longest time nobody probed: whether it answered then is not known. Null: it was probed all the time.</summary>
    public TimeSpan? Unprobed { get; init; }

    /// <summary>Measures. Pure.</summary>
    /// <param name="samples">Oldest first.</param>
    /// <param name="movedFrom">When the address began to move, where that is known; what was probed less often before and after says nothing of the move.</param>
    /// <param name="movedUntil">When it had moved.</param>
    public static OutageFigures Of(IReadOnlyList<ProbeSample> samples, DateTimeOffset? movedFrom = null, DateTimeOffset? movedUntil = null)
    {
        ImmutableArray<ProbeSample> lost = [.. samples.Where(s => !s.Answered)];
        Silence worst = LongestOf(samples);
        return new OutageFigures(
            samples.Count,
            lost.Length,
            lost.IsEmpty ? null : lost[0].At,
            lost.IsEmpty ? null : lost[^1].At,
            worst.Longest,
            samples is [.., { Answered: false }],
            ResolutionOf(samples, lost, movedFrom ?? DateTimeOffset.MinValue, movedUntil ?? DateTimeOffset.MaxValue))
        {
            Shortest = worst.Shortest,
            Unprobed = worst.Unprobed > TimeSpan.Zero ? worst.Unprobed : null,
        };
    }

    /// <summary>Over a time without probes a silence may have gone on, so it counts as the longest that it can have been; what was surely silent is what was probed.</summary>
    private static Silence LongestOf(IReadOnlyList<ProbeSample> samples)
    {
        var worst = default(Silence);
        DateTimeOffset? began = null;
        (DateTimeOffset part, TimeSpan shortest, TimeSpan unprobed) = (default, TimeSpan.Zero, TimeSpan.Zero);
        for (int i = 0; i < samples.Count; i++)
        {
            ProbeSample sample = samples[i];
            TimeSpan step = i > 0 ? sample.At - samples[i - 1].At : TimeSpan.Zero;
            bool hole = step > MeasuredOutage.HoleAfter;
            if (!sample.Answered && began is null)
            {
                (began, part, shortest, unprobed) = (i > 0 ? samples[i - 1].At : sample.At, sample.At, TimeSpan.Zero, TimeSpan.Zero);
            }

            if (began is not { } since)
            {
                continue;
            }

            unprobed += hole ? step : TimeSpan.Zero;
            part = hole ? sample.At : part;
            shortest = !sample.Answered && sample.At - part > shortest ? sample.At - part : shortest;
            if ((sample.Answered || i == samples.Count - 1) && sample.At - since > worst.Longest)
            {
                worst = new Silence(shortest, sample.At - since, unprobed);
            }

            began = sample.Answered ? null : began;
        }

        return worst;
    }

    private static TimeSpan ResolutionOf(IReadOnlyList<ProbeSample> samples, ImmutableArray<ProbeSample> lost, DateTimeOffset movedFrom, DateTimeOffset movedUntil)
    {
        var steps = samples.Zip(samples.Skip(1));
        if (lost.IsEmpty)
        {
            // What was not probed before it began to move says nothing of the move.
            return steps.Where(s => s.Second.At >= movedFrom && s.First.At <= movedUntil).Select(s => s.Second.At - (s.First.At > movedFrom ? s.First.At : movedFrom)).DefaultIfEmpty().Max();
        }

        // Around the losses it was probed more often than before and after.
        TimeSpan[] around = [.. steps.Where(s => s.First.At >= lost[0].At.AddSeconds(-1) && s.First.At <= lost[^1].At.AddSeconds(1)).Select(s => s.Second.At - s.First.At).Order()];
        return around.Length == 0 ? TimeSpan.Zero : around[around.Length / 2];
    }

    private readonly record struct Silence(TimeSpan Shortest, TimeSpan Longest, TimeSpan Unprobed);
}

/// <summary>What moves of addresses cost, to read.</summary>
public interface IOutages
{
    /// <summary>Those of one pair, newest first.</summary>
    /// <param name="pair">Its name.</param>
    /// <param name="limit">1 to 500.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<ImmutableArray<OutageRecord>> OfPairAsync(string pair, int limit, CancellationToken cancellationToken);

    /// <summary>Those of one operation, by prefix and vantage point; none until it has been over for some seconds.</summary>
    Task<ImmutableArray<OutageRecord>> OfOperationAsync(string id, CancellationToken cancellationToken);

    /// <summary>Those of the move that nobody asked for and an event tells of, by prefix and vantage point, the hub first; none: it tells of no such move.</summary>
    Task<ImmutableArray<OutageRecord>> OfEventAsync(EventRecord told, CancellationToken cancellationToken);
}
