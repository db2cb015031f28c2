using System.Collections.Immutable;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>What the node loop has to do, in order. A closed family.</summary>
internal abstract record NodeEffect
{
    private NodeEffect()
    {
    }

    /// <summary>Hand these routes to every session.</summary>
    internal sealed record SetAdvertisements(long Version, ImmutableArray<Advertisement> Advertisements) : NodeEffect;

    /// <summary>These are the neighbors now.</summary>
    internal sealed record ConfigureSessions(ImmutableArray<PeerOptions> Peers) : NodeEffect;

    /// <summary>Keep the intent on disk, then apply <see cref="NodeEvent.IntentPersisted"/> or <see cref="NodeEvent.IntentNotPersisted"/> before any other event.</summary>
    internal sealed record PersistIntent(NodeIntent Intent) : NodeEffect
    {
        /// <summary>Kept with it, for the case that the process ends before the journal has what came of it.</summary>
        public required Record Entry { get; init; }
    }

    /// <summary>
    /// Keep the orders on disk. With a command that asks for them: then apply <see cref="NodeEvent.OrdersPersisted"/> or
    /// <see cref="NodeEvent.OrdersNotPersisted"/> before any other event. Without: they are what a newer intent has left of them.
    /// </summary>
    internal sealed record PersistOrders(LocalOrders Orders, LocalCommand? Command) : NodeEffect
    {
        /// <summary>Kept with them, for the case that the process ends before the journal has what came of the command; null: there is no command.</summary>
        public Record? Entry { get; init; }
    }

    /// <summary>The mark of a drain is to stand on the disk, or is to do so no longer.</summary>
    internal sealed record MarkDrained(bool Drained) : NodeEffect;

    /// <summary>Tell whoever gave the command.</summary>
    internal sealed record AnswerCommand(LocalAnswer Answer) : NodeEffect;

    /// <summary>Keep on disk what of the failback outlives the process. Nothing waits for it.</summary>
    internal sealed record PersistFailback(FailbackMemory Memory) : NodeEffect;

    /// <summary>Tell the hub.</summary>
    internal sealed record AnswerIntent(IntentAnswer Answer) : NodeEffect;

    /// <summary>End the session with that neighbor, with this text; it comes up again by itself.</summary>
    internal sealed record ResetSession(Configuration.NeighborEndpoint Neighbor, string Text) : NodeEffect;

    /// <summary>Tell the hub what became of its request.</summary>
    internal sealed record AnswerRequest(RequestAnswer Answer) : NodeEffect;

    /// <summary>Withdraw, say goodbye with this text, close.</summary>
    internal sealed record StopSessions(string Text) : NodeEffect;

    /// <summary>A transition: goes to the journal and, with its consequence in words, to the log.</summary>
    internal sealed record Record(TransitionKind Kind, string Text, string Prefix = "", string Neighbor = "", string OperationId = "") : NodeEffect
    {
        /// <summary>Of its line in the log; null: as its kind has it.</summary>
        public LogLevel? Level { get; init; }

        /// <summary>Who did it on the node itself, empty: nobody there.</summary>
        public string Actor { get; init; } = "";
    }

    /// <summary>Worth a line in the log, but no transition.</summary>
    internal sealed record Log(LogLevel Level, string Text) : NodeEffect;
}

/// <summary>Kinds of transitions in the journal; their words are a contract with the hub.</summary>
internal enum TransitionKind
{
    Started,
    Stopping,
    SessionEstablished,
    SessionLost,
    SessionReset,
    Announced,
    Withdrawn,
    RoleChanged,
    IntentAccepted,
    IntentRejected,
    Drained,
    Undrained,
    GracefulShutdown,
    Damped,
    DampingEnded,
    HealthChanged,
    FailbackHeld,
    FailbackReleased,
    ConfigurationLoaded,
    ConfigurationRejected,
    AddressProblem,
    LocalCommand,
    HubJoined,
    CertificateRenewed,
    CertificateRefused,
    CertificateAccepted,
    CertificateExpired,
    JournalOverflow,
}

internal static class TransitionKindWords
{
    public static string Word(this TransitionKind kind) => kind switch
    {
        TransitionKind.Started => "started",
        TransitionKind.Stopping => "stopping",
        TransitionKind.SessionEstablished => "session-established",
        TransitionKind.SessionLost => "session-lost",
        TransitionKind.SessionReset => "session-reset",
        TransitionKind.Announced => "announced",
        TransitionKind.Withdrawn => "withdrawn",
        TransitionKind.RoleChanged => "role-changed",
        TransitionKind.IntentAccepted => "intent-accepted",
        TransitionKind.IntentRejected => "intent-rejected",
        TransitionKind.Drained => "drained",
        TransitionKind.Undrained => "undrained",
        TransitionKind.GracefulShutdown => "graceful-shutdown",
        TransitionKind.Damped => "damped",
        TransitionKind.DampingEnded => "damping-ended",
        TransitionKind.HealthChanged => "health-changed",
        TransitionKind.FailbackHeld => "failback-held",
        TransitionKind.FailbackReleased => "failback-released",
        TransitionKind.ConfigurationLoaded => "configuration-loaded",
        TransitionKind.ConfigurationRejected => "configuration-rejected",
        TransitionKind.AddressProblem => "address-problem",
        TransitionKind.LocalCommand => "local-command",
        TransitionKind.HubJoined => "hub-joined",
        TransitionKind.CertificateRenewed => "certificate-renewed",
        TransitionKind.CertificateRefused => "certificate-refused",
        TransitionKind.CertificateAccepted => "certificate-accepted",
        TransitionKind.CertificateExpired => "certificate-expired",
        TransitionKind.JournalOverflow => "journal-overflow",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a transition."),
    };
}
