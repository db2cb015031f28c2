using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Doctor;

/// <summary>What a connection to a route server came to. Nothing is said on it.</summary>
internal enum DialOutcome
{
    /// <summary>Not tried: a running agent has its session, or there is no route.</summary>
    NotTried,

    /// <summary>It was accepted, and the other side began to speak BGP.</summary>
    Greeted,

    /// <summary>It was accepted and stayed open without a word.</summary>
    Silent,

    /// <summary>It was accepted and closed at once.</summary>
    Closed,

    Refused,

    /// <summary>No answer within the patience.</summary>
    TimedOut,

    /// <summary>Anything else, see the words.</summary>
    Failed,
}

/// <summary>A shared prefix that this node is to announce.</summary>
/// <param name="Prefix">Canonical.</param>
/// <param name="Interfaces">That have an address of it.</param>
/// <param name="OnLoopback">One of them is loopback.</param>
internal sealed record PrefixFact(IPNetwork Prefix, ImmutableArray<string> Interfaces, bool OnLoopback)
{
    /// <summary>The running agent counts it as present.</summary>
    public bool SeenByAgent { get; init; }

    /// <summary>Files of the host's network configuration that name an address of it.</summary>
    public ImmutableArray<string> Files { get; init; } = [];
}

/// <summary>One route server, as this machine reaches it.</summary>
internal sealed record NeighborFact
{
    public required NeighborEndpoint Neighbor { get; init; }

    /// <summary>The address that the kernel would dial from; null: it has no route.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>MTU of the interface that has <see cref="Source"/>; null: not known.</summary>
    public int? Mtu { get; init; }

    public DialOutcome Dial { get; init; }

    /// <summary>Why it failed, in words; empty: it did not.</summary>
    public string DialWords { get; init; } = "";

    /// <summary>State of the running agent's session, as its status says it; null: no agent runs, or it has no such neighbor.</summary>
    public string? Session { get; init; }

    /// <summary>For so long that session is not established; null: it is, or that is not known.</summary>
    public TimeSpan? DownFor { get; init; }

    public bool IsEstablished => Session == "established";
}

/// <summary>A file that Network Helper wrote.</summary>
/// <param name="Path">On this host.</param>
/// <param name="WrittenAt">As it says itself; null: it does not.</param>
internal sealed record HelperTrace(string Path, DateTimeOffset? WrittenAt);

/// <summary>What the caller, or the running agent, may do.</summary>
internal sealed record PrivilegeFacts
{
    /// <summary>Of the process that is judged: the running agent, or the caller.</summary>
    public required string Who { get; init; }

    /// <summary>CAP_NET_ADMIN; null: not known.</summary>
    public bool? MayManageAddresses { get; init; }

    /// <summary>CAP_SYS_NICE or a limit that allows it; null: not known.</summary>
    public bool? MayBeUrgent { get; init; }
}

/// <summary>Everything that is looked at, at one moment. What could not be found out is null and is never guessed.</summary>
internal sealed record DoctorFacts
{
    /// <summary>As they would be for a start now, with what the metadata service adds.</summary>
    public required AgentOptions Options { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>Of the running agent; null: none answers.</summary>
    public StatusDocument? Status { get; init; }

    /// <summary>Why no agent answers.</summary>
    public string? StatusProblem { get; init; }

    /// <summary>What the metadata service says now, or said to an agent before.</summary>
    public InstanceFacts? Instance { get; init; }

    /// <summary>Why the metadata service does not answer now; null: it does, or it is not asked.</summary>
    public string? InstanceProblem { get; init; }

    /// <summary>Of every interface; null: the kernel did not say.</summary>
    public IReadOnlyList<InterfaceAddress>? Addresses { get; init; }

    public ImmutableArray<PrefixFact> Prefixes { get; init; } = [];

    public ImmutableArray<NeighborFact> Neighbors { get; init; } = [];

    public ImmutableArray<HelperTrace> HelperTraces { get; init; } = [];

    /// <summary>When the kernel started; null: it did not say.</summary>
    public DateTimeOffset? BootedAt { get; init; }

    /// <summary>The kernel keeps the clock by a time server; null: it did not say.</summary>
    public bool? ClockIsSynchronised { get; init; }

    /// <summary>Host of the other node, as the operator says.</summary>
    public string? PeerHost { get; init; }

    /// <summary>Hosts of the other nodes of the pair, as the hub says.</summary>
    public ImmutableArray<PeerHost> Peers { get; init; } = [];

    /// <summary>Programs that speak BGP and run on this machine, besides our own.</summary>
    public ImmutableArray<string> OtherSpeakers { get; init; } = [];

    /// <summary>Label of our own executable where SELinux enforces; null: it does not, or the label cannot be read.</summary>
    public string? SelinuxLabel { get; init; }

    /// <summary>Why the state directory cannot be used; null: it can.</summary>
    public string? StateProblem { get; init; }

    /// <summary>The state directory is not there, and whether the agent may make it is not known.</summary>
    public bool StateIsMissing { get; init; }

    /// <summary>End of the agent's certificate for the hub; null: it has none.</summary>
    public DateTimeOffset? CertificateEnds { get; init; }

    public required PrivilegeFacts Privileges { get; init; }
}
