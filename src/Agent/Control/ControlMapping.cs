using System.Collections.Immutable;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Vantage;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;

namespace FailoverHub.Agent.Control;

/// <summary>All that a status is made of, at one moment.</summary>
/// <param name="Identity">Whose.</param>
/// <param name="Node">The node.</param>
/// <param name="Now">On the clock of the node.</param>
/// <param name="Peers">The sessions, as their thread said; empty: it said nothing.</param>
internal sealed record ControlView(ControlIdentity Identity, NodeState Node, Moment Now, ImmutableArray<PeerDiagnostics> Peers)
{
    public ImmutableArray<CheckReading> Checks { get; init; } = [];

    /// <summary>Null: stand-alone.</summary>
    public HubReading? Hub { get; init; }

    /// <summary>Null: nothing is asked for a hub.</summary>
    public VantageReading? Vantage { get; init; }
}

/// <summary>The only place where the node's own types become those of the control.</summary>
internal static class ControlMapping
{
    public static StatusDocument Status(ControlView view, string? problem)
    {
        var (identity, node, now) = (view.Identity, view.Node, view.Now);
        var options = identity.Options;
        var peers = view.Peers.ToDictionary(peer => peer.Neighbor);
        return new StatusDocument
        {
            Node = options.Node,
            Version = AgentCommandLine.Version,
            ProcessId = identity.ProcessId,
            StartedAt = identity.StartedAt,
            ReadAt = now.At,
            State = node.Stopping ? "stopping" : node.Leaving is null ? "running" : "graceful-shutdown",
            Problem = problem ?? (options.Neighbors.IsEmpty ? "no route server is known: the metadata service has not named a data center that this version knows; --dcid names it" : null),
            ConfigurationProblem = node.ConfigurationProblem,
            AddressProblem = node.AddressProblem,
            RouterId = identity.RouterId.ToString(),
            LocalAs = options.LocalAs,
            PeerAs = options.PeerAs,
            Hub = options.Hub?.ToString(),
            HubLink = HubDocument.Of(view.Hub, now.At),
            Probing = view.Vantage is { } vantage ? ProbingDocument.Of(vantage) : null,
            JoinProblem = options.JoinProblem,
            Authentication = options.Protocol.Authentication?.Name,
            TtlSecurity = options.Protocol.TtlSecurity,
            DampingOn = node.Settings.Damping is not null,
            Drained = node.Drained,
            DrainedByIntent = node.DrainedByIntent,
            LocalDrain = node.Orders.Drain is { } drain ? new LocalDrainDocument(drain.IsPresumed ? null : drain.Actor, drain.Reason, drain.At, Seconds(now.At - drain.At)) : null,
            OrdersLost = node.Orders.RolesLostAfter is not null,
            Intent = node.Intent is { } intent ? new IntentDocument(intent.Revision, intent.OperationId, intent.Reason) : null,
            IntentLost = node.IntentIsLost,
            GracefulShutdown = node.Leaving is { } leaving
                ? new GracefulShutdownDocument(leaving.Stops ? "stop" : "drain", leaving.Cause, leaving.Since.At, leaving.Until.At, Seconds(leaving.Until.Monotonic - now.Monotonic))
                : null,
            Machine = node.Instance is { } instance ? Machine(instance, now) : null,
            Prefixes = [.. node.Prefixes.Select(prefix => Prefix(node, prefix, now))],
            Checks = [.. view.Checks.Select(reading => CheckDocuments.Of(reading, now.At))],
            Sessions = [.. node.Sessions.Select(session => peers.TryGetValue(session.Neighbor, out var peer) ? Session(session, peer, now) : Session(session, now))],
        };
    }

    public static TraceDocument Trace(IEnumerable<PeerDiagnostics> peers) => new(
    [
        .. from peer in peers
           from row in peer.Trace
           let shown = new TraceRowDocument(
               peer.Neighbor.ToString(),
               peer.WallClock(row.At),
               peer.WallClock(row.LastAt),
               row.Direction == MessageDirection.Sent ? "sent" : "received",
               Word(row.Type),
               row.Length,
               row.Connection,
               row.Count,
               row.Text())
           orderby shown.At
           select shown,
    ]);

    private static MachineDocument Machine(InstanceFacts facts, Moment now) => new(
        facts.Region, facts.Label, facts.HostId, facts.Slaac?.ToString(), [.. facts.Shared.Select(prefix => prefix.ToString())],
        facts.ReadAt, Math.Max(0, Seconds(now.At - facts.ReadAt)), DiscoveredOptions.Describe(facts));

    private static PrefixDocument Prefix(NodeState node, PrefixState prefix, Moment now)
    {
        var announce = prefix.Decision as AdvertisementDecision.Announce;
        return new PrefixDocument
        {
            Prefix = prefix.Prefix.ToString(),
            AssignedRole = prefix.AssignedRole?.Word(),
            AddressPresent = prefix.AddressPresent,
            Health = prefix.Health.Word(),
            AwaitsVerdict = prefix.AwaitsVerdict,
            Announced = announce is not null,
            Role = announce?.Role.Word(),
            GracefulShutdown = announce is { GracefulShutdown: true },
            WithdrawnReason = (prefix.Decision as AdvertisementDecision.Withdraw)?.Reason.Word(),
            SessionsCarrying = node.SessionsCarrying(prefix),
            Damping = prefix.Flaps is { } flaps && node.Settings.Damping is { } settings ? Damping(prefix, flaps, settings, now) : null,
            RoleOrder = node.Orders.Roles.TryGetValue(prefix.Prefix, out var order) ? new RoleOrderDocument(order.Role.Word(), order.Actor, order.Reason, order.At) : null,
            FailbackPolicy = prefix.FailbackPolicy.Policy.Word(),
            FailbackStableSeconds = Seconds(prefix.FailbackPolicy.StableFor),
            FailbackHold = prefix.Failback.IsHeld
                ? new FailbackHoldDocument(
                    prefix.Failback.Returned,
                    prefix.Failback.ReleaseAt(prefix.FailbackPolicy) is { } end ? Seconds(end > now.Monotonic ? end - now.Monotonic : TimeSpan.Zero) : null)
                : null,
        };
    }

    // A penalty that has all but decayed is none.
    private static DampingDocument? Damping(PrefixState prefix, FlapHistory flaps, DampingSettings settings, Moment now)
    {
        var penalty = Math.Round(flaps.PenaltyAt(now.Monotonic, settings));
        var until = flaps.Suppression?.Until;
        return penalty < 1 && until is null
            ? null
            : new DampingDocument(penalty, flaps.Flaps, until is not null, prefix.HeldBack, until?.At, until is { } end ? Seconds(end.Monotonic - now.Monotonic) : null);
    }

    // Without a word of the sessions' thread: what the node knows.
    private static SessionDocument Session(SessionStatus session, Moment now) => new()
    {
        Neighbor = session.Neighbor.ToString(),
        State = Word(session.State),
        Since = session.Since.At,
        AgeSeconds = Seconds(now.Monotonic - session.Since.Monotonic),
        Flaps = session.Flaps,
        NotCarried = NotCarried(session),
        LastError = session.LastTrouble is { } trouble ? new ErrorDocument(trouble.At, Seconds(now.At - trouble.At), trouble.Text, Who(trouble.FromPeer), 0, 0, null) : null,
    };

    private static SessionDocument Session(SessionStatus session, PeerDiagnostics peer, Moment now)
    {
        var known = peer.Session;
        return new SessionDocument
        {
            Neighbor = session.Neighbor.ToString(),
            State = Word(known.State),
            Since = Wall(peer, known.Since),
            AgeSeconds = known.Since is { } since ? Seconds(peer.Now - since) : null,
            DownSince = session.IsEstablished ? null : session.Since.At,
            DownSeconds = session.IsEstablished ? null : Seconds(now.Monotonic - session.Since.Monotonic),
            Reason = known.Reason.Length == 0 ? null : known.Reason,
            NextDialAt = Wall(peer, known.NextDialAt),
            TimesEstablished = known.TimesEstablished,
            Flaps = known.Flaps,
            FailuresInARow = known.FailuresInARow,
            Negotiated = known.Negotiated is { } negotiated ? Negotiated(negotiated) : null,
            Sent = Messages(known.Sent),
            Received = Messages(known.Received),
            PrefixesAnnounced = known.Announced,
            NotCarried = NotCarried(session),
            LastError = known.LastFailure is { Error: var error, At: var at }
                ? new ErrorDocument(peer.WallClock(at), Seconds(peer.Now - at), error.Text, Who(error.FromPeer), error.Code, error.Subcode, error.Advice)
                : null,
            LastNotificationSent = Notification(peer, known.LastNotificationSent),
            LastNotificationReceived = Notification(peer, known.LastNotificationReceived),
            MalformedUpdates = known.MalformedUpdates,
            LastUpdateProblem = known.LastUpdateProblem?.Text,
            LastUpdateProblemAt = Wall(peer, known.LastUpdateProblem?.At),
            LastUpdateProblemAgeSeconds = known.LastUpdateProblem is { } problem ? Seconds(peer.Now - problem.At) : null,
            OutputBlockedSince = Wall(peer, known.OutputBlockedSince),
            KeepaliveLateness = new LatenessDocument(Milliseconds(peer.Metrics.LastKeepaliveLateness), Milliseconds(peer.Metrics.KeepaliveLateness99), Milliseconds(peer.Metrics.MostKeepaliveLateness)),
        };
    }

    private static NegotiatedDocument Negotiated(NegotiatedParameters parameters) => new()
    {
        PeerAs = parameters.PeerAs,
        PeerRouterId = parameters.PeerRouterId.ToString(),
        HoldSeconds = parameters.HoldTime.Seconds,
        KeepaliveSeconds = Seconds(parameters.KeepaliveInterval),
        Families = [.. parameters.Families.Select(family => family == RouteFamily.Ipv6Unicast ? "ipv6-unicast" : "ipv4-unicast")],
        FourOctetAs = parameters.FourOctetAs,
        Ipv4WithIpv6NextHop = parameters.Ipv4WithIpv6NextHop,
        RouteRefresh = parameters.RouteRefresh,
        EnhancedRouteRefresh = parameters.EnhancedRouteRefresh,
        ExtendedMessages = parameters.ExtendedMessages,
        GracefulRestart = parameters.GracefulRestart,
        GracefulNotification = parameters.GracefulNotification,
    };

    private static MessagesDocument Messages(MessageCounts counts) =>
        new(counts.Total, counts.Open, counts.Update, counts.Notification, counts.Keepalive, counts.RouteRefresh, counts.RefreshMarks);

    private static NotificationDocument? Notification(PeerDiagnostics peer, NotificationRecord? record) =>
        record is null ? null : new NotificationDocument(peer.WallClock(record.At), Seconds(peer.Now - record.At), record.Code, record.Subcode, record.Text);

    private static string[] NotCarried(SessionStatus session) => [.. session.Skipped.Select(skipped => skipped.Describe(session.Neighbor))];

    private static DateTimeOffset? Wall(PeerDiagnostics peer, TimeSpan? time) => time is { } known ? peer.WallClock(known) : null;

    private static string Who(bool fromPeer) => fromPeer ? "neighbor" : "this-node";

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);

    private static string Word(SessionState state) => state switch
    {
        SessionState.Idle => "idle",
        SessionState.Connect => "connect",
        SessionState.Active => "active",
        SessionState.OpenSent => "open-sent",
        SessionState.OpenConfirm => "open-confirm",
        SessionState.Established => "established",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a state."),
    };

    private static string Word(BgpMessageType type) => type switch
    {
        BgpMessageType.Open => "open",
        BgpMessageType.Update => "update",
        BgpMessageType.Notification => "notification",
        BgpMessageType.Keepalive => "keepalive",
        BgpMessageType.RouteRefresh => "route-refresh",
        // What came was no message.
        default(BgpMessageType) => "refused",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type."),
    };
}
