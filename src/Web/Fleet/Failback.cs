using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>What becomes of an assigned primary that returns.</summary>
public enum FailbackPolicy
{
    /// <summary>It announces as primary at once: what the platform does by itself.</summary>
    Immediate,

    /// <summary>It announces as secondary until it has been healthy and connected for a while without a break.</summary>
    AfterStable,

    /// <summary>It announces as secondary until an operator fails back.</summary>
    Manual,

    /// <summary>Nothing is held back: both nodes are meant to have the same role, and whoever has the traffic keeps it.</summary>
    Sticky,
}

/// <summary>A failback policy and its time.</summary>
/// <param name="Policy">What becomes of a primary that returns.</param>
/// <param name="StableFor">How long it has to be well first: whole seconds, up to <see cref="Longest"/>; zero with every policy but <see cref="FailbackPolicy.AfterStable"/>.</param>
public sealed record Failback(FailbackPolicy Policy, TimeSpan StableFor)
{
    /// <summary>Whoever wants to wait for longer wants <see cref="FailbackPolicy.Manual"/>.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromDays(1);

    /// <summary>What the hub asks of a pair for which nobody has chosen anything: after 60 s.</summary>
    public static Failback Default { get; } = new(FailbackPolicy.AfterStable, TimeSpan.FromSeconds(60));

    /// <summary>The policy with this time; the time means something only to <see cref="FailbackPolicy.AfterStable"/>.</summary>
    public static Failback Of(FailbackPolicy policy, TimeSpan stableFor) => new(policy, policy == FailbackPolicy.AfterStable ? stableFor : TimeSpan.Zero);

    /// <summary>
    /// What an intent asks for: what was set for the pair; without that what the node keeps already, for somebody has written it into its
    /// configuration; and the default where that is <see cref="FailbackPolicy.Immediate"/>, which may as well be nobody's choice.
    /// </summary>
    internal static Failback Wanted(Failback? setForPair, Failback? reported) =>
        setForPair ?? (reported is { Policy: not FailbackPolicy.Immediate } own ? own : Default);
}

/// <summary>An assigned primary that announces as secondary for the present.</summary>
/// <param name="Remaining">Until it announces as primary by itself; null: it waits for an operator, or nothing is counting, or it is not known now.</param>
/// <param name="Reason">What it came back from and what it waits for, as the node says it.</param>
public sealed record FailbackHold(TimeSpan? Remaining, string Reason);

/// <summary>A health check as its node reports it.</summary>
public sealed record CheckView
{
    /// <summary>Its name in the node's configuration.</summary>
    public required string Name { get; init; }

    /// <summary>tcp, http, command, process, or a word that only a newer agent knows.</summary>
    public required string Kind { get; init; }

    /// <summary>Its verdict; unknown: none yet.</summary>
    public required Health Verdict { get; init; }

    /// <summary>How long it had had that verdict when the node reported it; null: not known.</summary>
    public required TimeSpan? VerdictFor { get; init; }

    /// <summary>How long ago it had run last when the node reported it; null: it has not run yet.</summary>
    public required TimeSpan? LastRunAgo { get; init; }

    /// <summary>How long that run took.</summary>
    public required TimeSpan LastRunTook { get; init; }

    /// <summary>What it said, one line; null: nothing.</summary>
    public required string? LastOutput { get; init; }

    /// <summary>What happens to the prefixes while it fails: withdraw or demote.</summary>
    public required string Consequence { get; init; }

    /// <summary>What it is about; empty: every prefix of the node.</summary>
    public required System.Collections.Immutable.ImmutableArray<IPNetwork> Prefixes { get; init; }

    /// <summary>It decides about the prefix too.</summary>
    public bool Concerns(IPNetwork prefix) => Prefixes.IsEmpty || Prefixes.Contains(prefix);

    /// <summary>Says the same as the other, but for what changes with each run.</summary>
    internal bool SaysTheSameAs(CheckView other) => (Name, Kind, Verdict, Consequence) == (other.Name, other.Kind, other.Verdict, other.Consequence);
}
