namespace FailoverHub.Web.Reachability.Probing;

/// <summary>How often addresses are probed.</summary>
internal sealed record ProbePace
{
    /// <summary>Once a second, and ten times a second for up to 200 addresses at which something is happening.</summary>
    public static ProbePace Default { get; } = new();

    /// <summary>From one probe of an address to the next.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The same while something happens to the address, so that an outage is measured to a tenth of a second.</summary>
    public TimeSpan ClosePeriod { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long an address is looked at closely after the last thing that happened to it.</summary>
    public TimeSpan CloseFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>An address that stays silent is looked at closely for as long as that: its return is what the measured outage ends with.</summary>
    public TimeSpan CloseWhileLost { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>So many addresses at once are looked at closely; when a whole data center changes, the others stay at once a second.</summary>
    public int MostClose { get; init; } = 200;

    /// <summary>So many probes of one address may be out at once: those of one timeout.</summary>
    public int MostOut { get; init; } = 10;
}
