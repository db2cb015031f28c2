using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Agent.Checks;

/// <summary>What a check counts as before it has a verdict of its own.</summary>
internal enum InitialVerdict
{
    /// <summary>As nothing: what is not announced yet waits for the first verdict, what is announced stays.</summary>
    Hold,
    Healthy,
    Unhealthy,
}

/// <summary>What an unhealthy check does to its prefixes.</summary>
internal enum HealthConsequence
{
    /// <summary>They are withdrawn.</summary>
    Withdraw,

    /// <summary>An assigned primary is announced as secondary: the other node takes over if it can, and nothing is lost if it cannot.</summary>
    Demote,
}

/// <summary>One health check, parsed. <see cref="Problems"/> tells what would still be wrong with it.</summary>
internal sealed record CheckOptions
{
    /// <summary>More would keep the machine busy with nothing else.</summary>
    public const int MostChecks = 100;

    public const int MostInARow = 100;

    public static TimeSpan ShortestInterval { get; } = TimeSpan.FromMilliseconds(100);

    public static TimeSpan LongestInterval { get; } = TimeSpan.FromHours(1);

    /// <summary>Unique on the node; at most 63 letters, digits, '.', '-' and '_'.</summary>
    public required string Name { get; init; }

    public required ProbeOptions Probe { get; init; }

    /// <summary>From the start of one run to the start of the next; a run that takes longer delays the next, there are never two.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Instead of <see cref="Interval"/> while the last results speak against the verdict; not longer than it.</summary>
    public TimeSpan FastInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>After which a run counts as bad and is ended.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Good results in a row that make an unhealthy check healthy; 1 to <see cref="MostInARow"/>.</summary>
    public int Rise { get; init; } = 2;

    /// <summary>Bad results in a row that make a check unhealthy; 1 to <see cref="MostInARow"/>.</summary>
    public int Fall { get; init; } = 3;

    public InitialVerdict Initial { get; init; }

    public HealthConsequence Consequence { get; init; }

    /// <summary>Canonical prefixes that it speaks for; empty: all.</summary>
    public ImmutableArray<IPNetwork> Prefixes { get; init; } = [];

    public bool SpeaksFor(IPNetwork prefix) => Prefixes.IsEmpty || Prefixes.Contains(prefix);

    /// <summary>By content: a reload keeps the runs and the verdict of a check that is the same.</summary>
    public bool Equals(CheckOptions? other) =>
        other is not null && Name == other.Name && Probe.Equals(other.Probe) && Interval == other.Interval && FastInterval == other.FastInterval
        && Timeout == other.Timeout && Rise == other.Rise && Fall == other.Fall && Initial == other.Initial && Consequence == other.Consequence
        && Prefixes.AsSpan().SequenceEqual(other.Prefixes.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, Probe, Interval, Rise, Fall);

    /// <summary>What is out of range, as sentences each of which begins with the JSON key it is about. None: the check can run.</summary>
    public IEnumerable<string> Problems()
    {
        if (Name.Length is 0 or > 63 || !Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            yield return $"name: '{(Name.Length > 63 ? Name[..63] : Name)}' cannot be the name of a check; give one of at most 63 letters, digits, '.', '-' and '_'.";
        }

        foreach (var (key, value) in new[] { ("interval", Interval), ("fastInterval", FastInterval), ("timeout", Timeout) })
        {
            if (value < ShortestInterval || value > LongestInterval)
            {
                yield return $"{key}: {value.TotalSeconds:0.###} s is out of range; give {ShortestInterval.TotalSeconds:0.###} s to {LongestInterval.TotalSeconds:0} s.";
            }
        }

        if (FastInterval > Interval)
        {
            yield return $"fastInterval: {FastInterval.TotalSeconds:0.###} s is longer than the interval ({Interval.TotalSeconds:0.###} s); give at most that.";
        }

        foreach (var (key, value) in new[] { ("rise", Rise), ("fall", Fall) })
        {
            if (value is < 1 or > MostInARow)
            {
                yield return $"{key}: {value} is out of range; give 1 to {MostInARow} results in a row.";
            }
        }
    }
}
