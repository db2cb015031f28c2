using System.Collections.Immutable;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Metrics;

/// <summary>All that a page of metrics is made of, at one moment.</summary>
internal sealed record MetricsView
{
    /// <summary>Of the program.</summary>
    public required string Version { get; init; }

    public required NodeState Node { get; init; }

    /// <summary>On the clock of the node.</summary>
    public required Moment Now { get; init; }

    /// <summary>The sessions, as their thread said; empty: it said nothing.</summary>
    public required ImmutableArray<PeerDiagnostics> Peers { get; init; }

    /// <summary>Entries that the hub has not acknowledged.</summary>
    public required long JournalWaiting { get; init; }

    /// <summary>Whether there is a stream to the hub; null: stand-alone.</summary>
    public bool? HubConnected { get; init; }

    /// <summary>As whom the node speaks with the hub; null: as nobody.</summary>
    public MembershipReading? Membership { get; init; }

    /// <summary>What the node asks for its hub; null: nothing, it is stand-alone or may not.</summary>
    public VantageReading? Vantage { get; init; }

    public required ProcessFacts Process { get; init; }
}

/// <summary>What this process has taken of the machine.</summary>
/// <param name="ProcessorTime">Since its start, of all threads.</param>
/// <param name="ResidentBytes">Pages that are mapped now, those of files as well.</param>
/// <param name="StartedAt">UTC.</param>
/// <param name="OpenDescriptors">Files and sockets.</param>
internal sealed record ProcessFacts(TimeSpan ProcessorTime, long ResidentBytes, DateTimeOffset StartedAt, int OpenDescriptors)
{
    /// <exception cref="IOException">There is no /proc.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static ProcessFacts Read(DateTimeOffset startedAt)
    {
        // proc(5): the second number is of resident pages.
        var pages = File.ReadAllText("/proc/self/statm").Split(' ') is [_, var resident, ..] ? long.Parse(resident, System.Globalization.CultureInfo.InvariantCulture) : 0;
        return new ProcessFacts(Environment.CpuUsage.TotalTime, pages * Environment.SystemPageSize, startedAt, Directory.GetFileSystemEntries("/proc/self/fd").Length);
    }
}
