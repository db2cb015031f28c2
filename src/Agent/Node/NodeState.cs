using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Node;

/// <summary>A moment on both clocks: the monotonic one for waiting, the wall clock for showing.</summary>
/// <param name="Monotonic">Since a fixed origin; never goes back.</param>
/// <param name="At">UTC.</param>
internal readonly record struct Moment(TimeSpan Monotonic, DateTimeOffset At);

/// <summary>What the node was configured to be, as far as its behaviour depends on it.</summary>
internal sealed record NodeSettings
{
    /// <summary>The most of <see cref="GracefulShutdown"/> on a stop: whoever stopped us (systemd waits 90 s) must not lose patience.</summary>
    public static TimeSpan LongestGoodbye { get; } = TimeSpan.FromSeconds(30);

    public required string Node { get; init; }

    /// <summary>Role of prefixes that neither an intent nor <see cref="Announce"/> gives one.</summary>
    public Role? DefaultRole { get; init; }

    public ImmutableArray<ConfiguredPrefix> Announce { get; init; } = [];

    /// <summary>The agent adds the addresses of shared prefixes itself: that one is missing is its own business.</summary>
    public bool ManagesAddresses { get; init; }

    public required ImmutableArray<NeighborEndpoint> Neighbors { get; init; }

    /// <summary>On everything that is announced, in ascending order, none twice.</summary>
    public ImmutableArray<LargeCommunity> LargeCommunities { get; init; } = [];

    /// <summary>How long a drain or a stop announces with GRACEFUL_SHUTDOWN before it withdraws (RFC 8326); zero: not at all.</summary>
    public TimeSpan GracefulShutdown { get; init; }

    /// <summary>Null: nothing is ever held back.</summary>
    public DampingSettings? Damping { get; init; }

    /// <summary>Health checks, each name once.</summary>
    public ImmutableArray<CheckOptions> Checks { get; init; } = [];

    /// <summary>Of prefixes for which neither the intent nor <see cref="Announce"/> names a failback policy.</summary>
    public FailbackOptions Failback { get; init; } = new();

    /// <summary>What an intent may ask.</summary>
    public IntentLimits Limits { get; init; } = new();

    /// <summary>How long an answer waits for the sockets before it says how far it came.</summary>
    public TimeSpan IntentAnswerWait { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>One prefix as it is now.</summary>
/// <param name="Prefix">Canonical.</param>
/// <param name="AddressPresent">On an interface, or given on the command line.</param>
/// <param name="AssignedRole">Of the intent, else of the configuration.</param>
/// <param name="Health">Verdict of the checks.</param>
/// <param name="Decision">What is on the wire, or on its way there.</param>
/// <param name="Version">Version of the advertisements that <paramref name="Decision"/> came with.</param>
internal sealed record PrefixState(
    IPNetwork Prefix,
    bool AddressPresent,
    Role? AssignedRole,
    Health Health,
    AdvertisementDecision Decision,
    long Version)
{
    /// <summary>The address was present at some time: it stays known after it has gone. One that only an intent named does not.</summary>
    public bool Seen { get; init; }

    /// <summary>Null: it was lost by itself never, or before an operator's last command about it.</summary>
    public FlapHistory? Flaps { get; init; }

    /// <summary>Nothing but the damping keeps it from being announced, or from being announced as primary.</summary>
    public bool HeldBack { get; init; }

    /// <summary>Announced as secondary, although primary is assigned, because of a check or of the damping of its demotions.</summary>
    public bool Demoted { get; init; }

    /// <summary>Announced nowhere until a check has its first verdict.</summary>
    public bool AwaitsVerdict { get; init; }

    public FailbackStatus Failback { get; init; } = FailbackStatus.Fresh;

    /// <summary>In force, whoever named it.</summary>
    public FailbackOptions FailbackPolicy { get; init; } = new();
}

/// <summary>The last thing that went wrong with a session.</summary>
internal sealed record SessionTrouble(string Text, bool FromPeer, DateTimeOffset At);

/// <summary>What the log has heard of an outage lately.</summary>
/// <param name="Since">Monotonic; when the first of <paramref name="Texts"/> was said.</param>
/// <param name="Texts">Reasons, each said once.</param>
internal sealed record OutageLines(TimeSpan Since, ImmutableArray<string> Texts);

/// <summary>One session as it is now.</summary>
internal sealed record SessionStatus
{
    public required NeighborEndpoint Neighbor { get; init; }

    public SessionState State { get; init; }

    /// <summary>Since when it is established, or since when it is not: dials in between change nothing for anybody.</summary>
    public required Moment Since { get; init; }

    public SessionTrouble? LastTrouble { get; init; }

    /// <summary>Null while established, and before the first line.</summary>
    public OutageLines? Outage { get; init; }

    /// <summary>Monotonic; since when our OPEN is not answered, null: it does not wait, or the log has heard of it.</summary>
    public TimeSpan? AwaitsOpenSince { get; init; }

    /// <summary>Null while not established.</summary>
    public HoldTime? HoldTime { get; init; }

    /// <summary>Times that it left Established since the agent started, but for those that the agent itself ended.</summary>
    public int Flaps { get; init; }

    /// <summary>The newest version of the advertisements whose UPDATEs are all on the socket of the present connection; 0: none.</summary>
    public long WrittenVersion { get; init; }

    /// <summary>Prefixes of that version that the session cannot carry. Kept over a loss, so that a reconnect does not say it again.</summary>
    public ImmutableArray<SkippedPrefix> Skipped { get; init; } = [];

    public bool IsEstablished => State == SessionState.Established;
}

/// <summary>An intent that is obeyed already and whose answer waits for the sockets.</summary>
/// <param name="Revision">Of the intent.</param>
/// <param name="Version">Of the advertisements that the sockets have to have taken.</param>
/// <param name="Deadline">Monotonic; then the answer says how far it came.</param>
/// <param name="AwaitsSessions">Without any session it waits as well: the agent may just have started.</param>
internal sealed record PendingAnswer(ulong Revision, long Version, TimeSpan Deadline, bool AwaitsSessions = false);

/// <summary>What is announced goes out with GRACEFUL_SHUTDOWN for a while, and is withdrawn then (RFC 8326).</summary>
/// <param name="Stops">At the end the agent stops; else the node is drained.</param>
/// <param name="Cause">In words: <c>SIGTERM</c>, <c>intent 7</c>.</param>
/// <param name="Since">When it began.</param>
/// <param name="Until">When it ends.</param>
/// <param name="OperationId">Of the hub, empty: none.</param>
internal sealed record GracefulShutdown(bool Stops, string Cause, Moment Since, Moment Until, string OperationId = "");

/// <summary>What was asked and why it was not done.</summary>
internal sealed record RejectedIntent(ulong Revision, string OperationId, string Problem);

/// <summary>Everything that the node knows and wants. Immutable: readers take it as it is.</summary>
internal sealed record NodeState
{
    public required NodeSettings Settings { get; init; }

    /// <summary>Null: the node runs by its configuration.</summary>
    public NodeIntent? Intent { get; init; }

    /// <summary>An intent was kept and could not be read at the start. It may have demoted this node, so without a new one nothing is announced as primary.</summary>
    public bool IntentWasLost { get; init; }

    /// <summary>Likewise, and the node was drained: it may have been that intent.</summary>
    public bool IntentDrainPresumed { get; init; }

    public bool IntentIsLost => IntentWasLost && Intent is null;

    /// <summary>What was ordered on the node itself.</summary>
    public LocalOrders Orders { get; init; } = LocalOrders.None;

    /// <summary>Local commands that are obeyed and not answered yet.</summary>
    public ImmutableArray<PendingCommand> Commands { get; init; } = [];

    /// <summary>Known prefixes in the order of <see cref="SharedPrefix.Compare"/>: present, given, assigned, or once seen.</summary>
    public ImmutableArray<PrefixState> Prefixes { get; init; } = [];

    /// <summary>In the order of the configuration.</summary>
    public required ImmutableArray<SessionStatus> Sessions { get; init; }

    /// <summary>What the checks said last, by name; none: nothing yet.</summary>
    public ImmutableDictionary<string, CheckVerdict> Verdicts { get; init; } = ImmutableDictionary<string, CheckVerdict>.Empty;

    /// <summary>Shared prefixes found on the interfaces.</summary>
    public ImmutableHashSet<IPNetwork> OnInterfaces { get; init; } = [];

    /// <summary>What is on an interface only because the agent itself has put it there; empty where it manages no addresses.</summary>
    public ImmutableHashSet<IPNetwork> PutHere { get; init; } = [];

    /// <summary>What the metadata service has said in this life, and last to an earlier one, to be shared with the machine: what it no longer says is no reason to withdraw anything.</summary>
    public ImmutableHashSet<IPNetwork> OnceShared { get; init; } = [];

    /// <summary>What the metadata service said of the machine; null: nothing yet. Prefixes shared with it are known, whether or not an interface has them.</summary>
    public InstanceFacts? Instance { get; init; }

    /// <summary>What every neighbor is to have.</summary>
    public ImmutableArray<Advertisement> Advertisements { get; init; } = [];

    /// <summary>Grows with every change of <see cref="Advertisements"/>; the first is 1.</summary>
    public long Version { get; init; }

    public PendingAnswer? Pending { get; init; }

    /// <summary>The last intent that was rejected, null after one was accepted: the same one again is not worth another entry.</summary>
    public RejectedIntent? LastRejection { get; init; }

    /// <summary>Why the newest configuration was not taken; null: it was.</summary>
    public string? ConfigurationProblem { get; init; }

    /// <summary>Which address the kernel does not add or take off, in a sentence; null: none.</summary>
    public string? AddressProblem { get; init; }

    public bool Stopping { get; init; }

    /// <summary>Null: nothing is about to be withdrawn.</summary>
    public GracefulShutdown? Leaving { get; init; }

    /// <summary>Monotonic; when the next prefix is no longer held back, null: none is.</summary>
    public TimeSpan? DampingEnd { get; init; }

    /// <summary>Monotonic; when the next prefix was stable for long enough, null: none is counting.</summary>
    public TimeSpan? FailbackEnd { get; init; }

    /// <summary>What of the failback outlives the process.</summary>
    public FailbackMemory FailbackMemory { get; init; } = FailbackMemory.None;

    /// <summary>The last of <see cref="FailbackMemory"/> is not on the disk; null: it is, or is on its way there.</summary>
    public UnsavedFailback? UnsavedFailback { get; init; }

    /// <summary>Monotonic; when <see cref="NodeEvent.Tick"/> is wanted, null: not at all.</summary>
    public TimeSpan? NextDeadline => new[] { Pending?.Deadline, Leaving?.Until.Monotonic, DampingEnd, FailbackEnd, UnsavedFailback?.RetryAt, Commands.IsEmpty ? null : Commands.Min(command => command.Deadline), SilentNeighbors.Deadline(this) }.Min();

    /// <summary>By whoever: the intent, a command on the node, or one of them that cannot be read any more.</summary>
    public bool Drained => DrainedByIntent || Orders.Drain is not null;

    public bool DrainedByIntent => Intent is { } intent ? intent.Drained : IntentDrainPresumed;

    public int EstablishedSessions => Sessions.Count(session => session.IsEstablished);

    /// <summary>It is in a shared prefix that an interface has, or that counts as present.</summary>
    public bool HasShared(IPAddress address) => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
        ? OnInterfaces.Contains(new IPNetwork(address, 32)) || CountsAsPresent(address)
        : OnInterfaces.Contains(SharedPrefix.Of(address, 64)) || OnInterfaces.Contains(SharedPrefix.Of(address, 56)) || CountsAsPresent(address);

    /// <summary>
    /// It is on an interface for nothing but a word that was taken back: the agent put it there, and neither configuration nor intent nor the metadata service
    /// name it. By itself such an address has no role, also where others have a default one: it is on its way off, or stays until the agent stops.
    /// </summary>
    /// <param name="prefix">Canonical.</param>
    /// <param name="isNamed">The configuration or the intent do.</param>
    public bool IsLeftOver(IPNetwork prefix, bool isNamed) =>
        !isNamed && PutHere.Contains(prefix) && !OnceShared.Contains(prefix) && !IntentIsLost;

    public SessionStatus? Session(NeighborEndpoint neighbor) => Sessions.FirstOrDefault(session => session.Neighbor == neighbor);

    /// <summary>Established sessions on which the last UPDATE for this prefix was written; one that cannot carry it has had none.</summary>
    public int SessionsCarrying(PrefixState prefix) =>
        prefix.Decision is AdvertisementDecision.Announce
            ? Sessions.Count(session => session.IsEstablished && session.WrittenVersion >= prefix.Version && !session.Skipped.Any(skipped => skipped.Prefix.Equals(prefix.Prefix)))
            : 0;

    /// <summary>It is announced, or an established session has not yet the UPDATE on its socket that takes it back.</summary>
    /// <param name="prefix">Canonical; one that the node does not know any more was taken back with its newest advertisements at the latest.</param>
    public bool MayBeAnnounced(IPNetwork prefix)
    {
        var known = Prefixes.FirstOrDefault(other => other.Prefix.Equals(prefix));
        return known?.Decision is AdvertisementDecision.Announce || Sessions.Any(session => session.IsEstablished && session.WrittenVersion < (known?.Version ?? Version));
    }

    private bool CountsAsPresent(IPAddress address)
    {
        foreach (var given in Settings.Announce)
        {
            if (given.Present && given.Prefix.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The node before anything has happened, with what it knows of its life before this process.</summary>
    public static NodeState Resume(NodeSettings settings, NodeMemory memory, Moment now) => Initial(settings, memory.Intent, now) with
    {
        IntentWasLost = memory.IntentIsLost,
        IntentDrainPresumed = memory.IntentDrainPresumed,
        Orders = memory.Orders,
        FailbackMemory = memory.Failback,

        // Known from the first decision on. An address that the agent has put there for it would be a left-over until it is heard of, and a primary that nobody has
        // made one right after.
        OnceShared = [.. memory.Shared],
    };

    /// <summary>The node before anything has happened.</summary>
    public static NodeState Initial(NodeSettings settings, NodeIntent? storedIntent, Moment now) => new()
    {
        Settings = settings,
        Intent = storedIntent,
        Sessions = [.. settings.Neighbors.Select(neighbor => new SessionStatus { Neighbor = neighbor, Since = now })],
    };
}
