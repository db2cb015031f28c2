using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Checks;

namespace FailoverHub.Agent.Vantage;

/// <summary>What this node asks for its hub.</summary>
/// <param name="Revision">Of the hub's choice.</param>
/// <param name="Tasks">Each id once; at most <see cref="PlanReading.MostTasks"/>.</param>
/// <param name="Problems">What of the plan is not asked, and why.</param>
internal sealed record VantagePlan(ulong Revision, ImmutableArray<VantageTask> Tasks, ImmutableArray<VantageProblem> Problems);

/// <summary>One address that is asked again and again.</summary>
/// <param name="Id">By which its results are told from those of others.</param>
/// <param name="Way">How.</param>
/// <param name="Interval">From one probe to the next, 100 ms to 1 h.</param>
/// <param name="Timeout">After which a probe was not answered, 50 ms to 10 s.</param>
internal sealed record VantageTask(uint Id, VantageWay Way, TimeSpan Interval, TimeSpan Timeout)
{
    /// <summary>Probes of it that may be out at one time: one, and below a second so many that what is lost does not slow the others down.</summary>
    public int MostOut => Interval >= TimeSpan.FromSeconds(1) ? 1 : (int)Math.Ceiling(TimeSpan.FromSeconds(1) / Interval);
}

/// <summary>How an address is asked. A closed family, equal when the same is asked in the same way.</summary>
/// <param name="Address">Which; null: what a name leads to at each probe.</param>
internal abstract record VantageWay(IPAddress? Address)
{
    /// <summary>Echo request.</summary>
    internal sealed record Icmp(IPAddress Host) : VantageWay(Host);

    /// <summary>A connection to this port, 1 to 65535.</summary>
    internal sealed record Tcp(IPAddress Host, int Port) : VantageWay(Host);

    /// <summary>A GET, on a connection of its own.</summary>
    internal sealed record Http(IPAddress? Host, ProbeOptions.Http Page) : VantageWay(Host);
}

/// <summary>What is not asked.</summary>
/// <param name="Task">Its id.</param>
/// <param name="Text">One sentence: why not, and what helps.</param>
internal sealed record VantageProblem(uint Task, string Text);

/// <summary>What came of one probe.</summary>
/// <param name="Task">Its id.</param>
/// <param name="SentAt">Of the monotonic clock.</param>
/// <param name="RoundTrip">Null: it was not answered.</param>
/// <param name="Error">Why not; empty: it was, or nothing came.</param>
internal sealed record VantageFinding(uint Task, TimeSpan SentAt, TimeSpan? RoundTrip, string Error);

/// <summary>What is told to the hub in one message.</summary>
/// <param name="Revision">Of the plan in force.</param>
/// <param name="MadeAt">Of the monotonic clock: the ages count from here.</param>
/// <param name="Findings">Oldest first.</param>
/// <param name="Problems">All that there are now.</param>
/// <param name="Dropped">Findings that were given up since the batch before, because this one was taken so late.</param>
internal sealed record VantageBatch(ulong Revision, TimeSpan MadeAt, ImmutableArray<VantageFinding> Findings, ImmutableArray<VantageProblem> Problems, int Dropped);
