namespace FailoverHub.Web.Reachability.Probing;

/// <summary>How often addresses are probed.</summary>
internal sealed record ProbePace
{
    /// <summary>Once a second, ten times a second for up to 200 addresses at which something is happening, and a hundred times for up to 20 of them that are just moving.</summary>
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

    /// <summary>The same while an operation moves the address, or an answer to it is overdue: beginning and end of an outage are known that exactly.</summary>
    public TimeSpan BurstPeriod { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>No burst lasts longer; the address is looked at closely after that.</summary>
    public TimeSpan BurstFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>So long after the move or the last lost probe a burst ends by itself; another one for the same reason begins only after such a rest.</summary>
    public TimeSpan SettlesWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>So many addresses at once are probed in bursts, 2,000 probes a second; the others that move or fall silent are looked at closely. 0: none is.</summary>
    public int MostBursting { get; init; } = 20;

    /// <summary>An answer is overdue when it and every later one has not come for so long beyond the address's usual round trip: an outage that is longer ends to the hundredth of a second.</summary>
    public TimeSpan OverdueAfter { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>So many probes of one address may be out at once: those of one timeout in a burst.</summary>
    public int MostOut { get; init; } = 100;

    /// <summary>By that part of itself each interval is longer or shorter at random, so that hubs and addresses do not send in step. 0 to 0.1: a timeout has to fit in.</summary>
    public double Jitter { get; init; } = 0.05;
}
