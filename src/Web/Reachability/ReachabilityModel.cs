using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Reachability;

/// <summary>How a shared address is probed.</summary>
public enum ProbeMethod
{
    /// <summary>ICMP echo.</summary>
    Icmp,

    /// <summary>TCP connect.</summary>
    Tcp,

    /// <summary>HTTP or HTTPS.</summary>
    Http,
}

/// <summary>Whether an address answers. Silence of the prober itself is unknown, not down.</summary>
public enum ReachabilityState
{
    /// <summary>No fresh probe.</summary>
    Unknown,

    /// <summary>The last probe was answered.</summary>
    Reachable,

    /// <summary>The last probe was not answered.</summary>
    Unreachable,
}

/// <summary>Result of one probe.</summary>
/// <param name="At">When it was sent, UTC.</param>
/// <param name="RoundTrip">Time to the answer; null: none came.</param>
/// <param name="Error">Why not, in words; null when answered.</param>
public sealed record ProbeSample(DateTimeOffset At, TimeSpan? RoundTrip, string? Error)
{
    /// <summary>An answer came.</summary>
    public bool Answered => RoundTrip is not null;
}

/// <summary>What is known of one address.</summary>
public sealed record TargetReachability
{
    /// <summary>The shared prefix that the address stands for.</summary>
    public required IPNetwork Prefix { get; init; }

    /// <summary>The address that is probed: the prefix's own for a /32, else its first host.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>How.</summary>
    public required ProbeMethod Method { get; init; }

    /// <summary>Port of <see cref="ProbeMethod.Tcp"/>, else null.</summary>
    public required int? Port { get; init; }

    /// <summary>From where: "hub".</summary>
    public required string VantagePoint { get; init; }

    /// <summary>Whether it answers, as of the newest sample and its age.</summary>
    public required ReachabilityState State { get; init; }

    /// <summary>Newest samples, oldest first: those of the last two minutes, at most 600.</summary>
    public required ImmutableArray<ProbeSample> Recent { get; init; }

    /// <summary>Why it cannot be probed at all ("no ICMP socket: …"), null when it can.</summary>
    public required string? Problem { get; init; }

    /// <summary>What nodes see that ask it too, by name.</summary>
    public ImmutableArray<VantagePoint> Further { get; init; } = [];

    /// <summary>In what the vantage points differ, one English sentence; null: in nothing that is known.</summary>
    public string? Difference => Reachability.VantagePoint.DifferenceOf(Reachability.VantagePoint.OfTheHub(State, Recent, Problem), Further);
}

/// <summary>Why something is probed.</summary>
public enum ProbedKind
{
    /// <summary>A pair shares it.</summary>
    Shared,

    /// <summary>An operator has added it.</summary>
    Named,

    /// <summary>A node connects from it.</summary>
    Node,
}

/// <summary>What is known of anything that is probed.</summary>
public sealed record ProbedTarget
{
    /// <summary>By which it is asked for: the shared prefix as CIDR text, "target:NAME" or "node:NAME".</summary>
    public required string Id { get; init; }

    /// <summary>Why it is probed.</summary>
    public required ProbedKind Kind { get; init; }

    /// <summary>As an operator knows it: the address, the name that it was given, or the node with its address.</summary>
    public required string Label { get; init; }

    /// <summary>The shared prefix; null: it is not shared.</summary>
    public required IPNetwork? Prefix { get; init; }

    /// <summary>The address or URL.</summary>
    public required string Address { get; init; }

    /// <summary>How it is asked.</summary>
    public required ProbeMethod Method { get; init; }

    /// <summary>Port of tcp and http, else null.</summary>
    public required int? Port { get; init; }

    /// <summary>How it is asked: "ICMP", "TCP port 443", "HTTPS".</summary>
    public required string Way { get; init; }

    /// <summary>Name of the pair that shares it; null: none does.</summary>
    public required string? Pair { get; init; }

    /// <summary>The node whose own address it is; null: it is none.</summary>
    public string? Node { get; init; }

    /// <summary>It has answered the hub since the hub probes it, in this run.</summary>
    public bool HasAnswered { get; init; }

    /// <summary>From one probe to the next while nothing happens.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Whether it answers, as of the newest probe and its age.</summary>
    public required ReachabilityState State { get; init; }

    /// <summary>Newest probes, oldest first: those of the last two minutes, at least ten, at most 600.</summary>
    public required ImmutableArray<ProbeSample> Recent { get; init; }

    /// <summary>Why it cannot be probed at all, null when it can.</summary>
    public required string? Problem { get; init; }

    /// <summary>When the newest probe was sent; null: none yet.</summary>
    public DateTimeOffset? LastProbeAt => Recent.IsDefaultOrEmpty ? null : Recent[^1].At;

    /// <summary>What nodes see that ask it too, by name. State and probes above are the hub's.</summary>
    public ImmutableArray<VantagePoint> Further { get; init; } = [];

    /// <summary>Why no node asks it, in words; null: one does, or it is nothing that nodes ask.</summary>
    public string? WhyOnlyTheHub { get; init; }

    /// <summary>Nodes that asked it within the last hour and are lost since, by id: what it does from there is not known.</summary>
    public ImmutableArray<VantageStanding> LostVantages { get; init; } = [];

    /// <summary>The hub's own view, then those of nodes.</summary>
    public ImmutableArray<VantagePoint> VantagePoints => [Hub, .. Further];

    /// <summary>In what the vantage points differ, one English sentence; null: in nothing that is known.</summary>
    public string? Difference => VantagePoint.DifferenceOf(Hub, Further);

    /// <summary>What the hub sees, where what is above is of another; null: it is the hub's.</summary>
    private VantagePoint? OfTheHub { get; init; }

    private VantagePoint Hub => OfTheHub ?? VantagePoint.OfTheHub(State, Recent, Problem);

    /// <summary>As one vantage point sees it: state, probes and problem are that one's. Null: it does not ask this target.</summary>
    /// <param name="vantage">Its id or name, whatever the case.</param>
    public ProbedTarget? SeenFrom(string vantage) =>
        string.Equals(vantage, VantagePoint.HubId, StringComparison.OrdinalIgnoreCase) ? this with { State = Hub.State, Recent = Hub.Recent, Problem = Hub.Problem, OfTheHub = null }
        : Further.FirstOrDefault(v => string.Equals(v.Id, vantage, StringComparison.OrdinalIgnoreCase) || string.Equals(v.Name, vantage, StringComparison.OrdinalIgnoreCase)) is { } one
            ? this with { State = one.State, Recent = one.Recent, Problem = one.Problem, OfTheHub = Hub }
            : null;
}
