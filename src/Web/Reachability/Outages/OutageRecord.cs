using System.Collections.Immutable;

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
/// <param name="Longest">The longest time from one answer to the next with an unanswered probe between; zero: none.</param>
/// <param name="GoesOn">The last probe was not answered: it had not ended when it was measured.</param>
/// <param name="Resolution">From one probe to the next while it lasted (the median): no time above is more exact.</param>
public sealed record OutageFigures(int Sent, int Lost, DateTimeOffset? FirstLossAt, DateTimeOffset? LastLossAt, TimeSpan Longest, bool GoesOn, TimeSpan Resolution)
{
    /// <summary>Measures. Pure.</summary>
    /// <param name="samples">Oldest first.</param>
    public static OutageFigures Of(IReadOnlyList<ProbeSample> samples)
    {
        ImmutableArray<ProbeSample> lost = [.. samples.Where(s => !s.Answered)];
        MeasuredOutage measured = MeasuredOutage.Of(default, samples);
        return new OutageFigures(
            samples.Count,
            lost.Length,
            lost.IsEmpty ? null : lost[0].At,
            lost.IsEmpty ? null : lost[^1].At,
            measured.Longest ?? TimeSpan.Zero,
            samples is [.., { Answered: false }],
            ResolutionOf(samples, lost));
    }

    private static TimeSpan ResolutionOf(IReadOnlyList<ProbeSample> samples, ImmutableArray<ProbeSample> lost)
    {
        // Around the losses it was probed more often than before and after.
        (DateTimeOffset from, DateTimeOffset to) = lost.IsEmpty ? (DateTimeOffset.MinValue, DateTimeOffset.MaxValue) : (lost[0].At.AddSeconds(-1), lost[^1].At.AddSeconds(1));
        TimeSpan[] steps = [.. samples.Zip(samples.Skip(1), (a, b) => (a.At, Step: b.At - a.At)).Where(s => s.At >= from && s.At <= to).Select(s => s.Step).Order()];
        return steps.Length == 0 ? TimeSpan.Zero : steps[steps.Length / 2];
    }
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
}
