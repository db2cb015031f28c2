using System.Globalization;
using System.Text;
using FailoverHub.Agent.Node;

namespace FailoverHub.Agent.Control;

/// <summary>A status for people.</summary>
internal static class StatusText
{
    public static string Of(StatusDocument status)
    {
        var text = new StringBuilder();
        Node(text, status);
        Prefixes(text, status);
        CheckDocuments.Write(text, status.Checks, status.ReadAt);
        foreach (var session in status.Sessions)
        {
            text.AppendLine();
            Session(text, session, status.ReadAt);
        }

        return text.ToString();
    }

    private static void Node(StringBuilder text, StatusDocument status)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"{status.Node}: failoverhub-agent {status.Version}, process {status.ProcessId}, running for {Words.Lasted(status.ReadAt - status.StartedAt)}");
        Row(text, "at", Time(status.ReadAt));
        Row(text, "AS", $"{Number(status.LocalAs)}, route servers {Number(status.PeerAs)}; router id {status.RouterId}");
        Row(text, "hub", status.Hub ?? "none, stand-alone");
        status.HubLink?.Write(text);
        status.Probing?.Write(text);
        if (status.JoinProblem is { } join)
        {
            Row(text, "JOIN", join);
        }

        Row(text, "runs by", status switch
        {
            { Intent: { Reason: "" } intent } => $"intent {Number(intent.Revision)}",
            { Intent: { } intent } => $"intent {Number(intent.Revision)} (\"{intent.Reason}\")",
            { IntentLost: true, Drained: true } => "its configuration: its stored intent cannot be read",
            { IntentLost: true } => "its configuration, BUT AT MOST AS SECONDARY: its stored intent cannot be read",
            _ => "its configuration",
        });
        if (status.Authentication is not null || status.TtlSecurity is not null)
        {
            var parts = new[] { status.Authentication, status.TtlSecurity is { } hops ? $"TTL security, at most {Number(hops)} {(hops == 1 ? "hop" : "hops")}" : null };
            Row(text, "security", string.Join("; ", parts.OfType<string>()));
        }

        if (status.Machine is { } machine)
        {
            Row(text, "machine", $"{machine.Text}, said {Words.Lasted(TimeSpan.FromSeconds(machine.AgeSeconds))} ago");
        }

        var established = status.Sessions.Count(IsEstablished);
        Row(text, "sessions", $"{Number(established)} of {Number(status.Sessions.Count)} established");
        if (status.GracefulShutdown is { } leaving)
        {
            Row(text, "GRACEFUL SHUTDOWN", $"in {Words.Lasted(TimeSpan.FromSeconds(Math.Max(0, leaving.SecondsLeft)))} everything is withdrawn{(leaving.Then == "stop" ? " and the agent stops" : "")}: {leaving.Cause}");
        }
        else if (status.State == "stopping")
        {
            Row(text, "STOPPING", "it says goodbye");
        }
        else if (status.Drained)
        {
            Row(text, "DRAINED", "nothing is announced, the sessions stay up");
            Drain(text, status);
        }

        if (status.OrdersLost)
        {
            Row(text, "ORDERS LOST", "what was ordered on this node cannot be read, so what is not ordered anew or named by a newer intent is announced AT MOST AS SECONDARY; 'failoverhub-agent role default' ends that");
        }

        if (status.ConfigurationProblem is { } refused)
        {
            Row(text, "CONFIGURATION", $"the newest one is NOT TAKEN, the one before runs: {refused}");
        }

        if (status.AddressProblem is { } stuck)
        {
            Row(text, "ADDRESSES", stuck);
        }

        if (status.Problem is { } problem)
        {
            Row(text, "PROBLEM", problem);
        }
    }

    private static void Drain(StringBuilder text, StatusDocument status)
    {
        if (status.LocalDrain is { } local)
        {
            var because = local.Reason.Length == 0 ? "" : $" (\"{local.Reason}\")";
            Row(text, "", $"{(local.Actor is { } actor ? $"by {actor}, {Ago(local.At, local.AgeSeconds)}{because}" : $"presumably by a local command: {local.Reason}")}; 'failoverhub-agent undrain' ends it");
        }

        if (status.DrainedByIntent)
        {
            Row(text, "", status.IntentLost ? "presumably by its stored intent, which cannot be read; the hub's next word or 'failoverhub-agent undrain' ends it" : $"by intent {Number(status.Intent!.Revision)}; the hub ends it");
        }
    }

    private static void Prefixes(StringBuilder text, StatusDocument status)
    {
        text.AppendLine();
        if (status.Prefixes.Count == 0)
        {
            text.AppendLine("no prefix is known: no interface has a shared address, and none is given or assigned");
            return;
        }

        var width = status.Prefixes.Max(prefix => prefix.Prefix.Length);
        foreach (var prefix in status.Prefixes)
        {
            var wire = prefix.Announced
                ? $"announced as {prefix.Role}{(prefix.GracefulShutdown ? " with graceful shutdown" : "")} on {Number(prefix.SessionsCarrying)} of {Number(status.Sessions.Count)} {(status.Sessions.Count == 1 ? "session" : "sessions")}"
                : $"not announced: {prefix.WithdrawnReason}{(prefix.AwaitsVerdict ? ", it waits for the first verdict of its checks" : "")}";
            var details = new[]
            {
                $"assigned {prefix.AssignedRole ?? "no role"}{(prefix.RoleOrder is { } order ? $" by {order.Actor} at {Time(order.At)}{(order.Reason.Length == 0 ? "" : $" (\"{order.Reason}\")")}" : "")}",
                $"address {(prefix.AddressPresent ? "present" : "missing")}",
                prefix.Health == "unknown" ? null : prefix.Health,
                prefix.Damping is { } damping ? Damping(damping) : null,
                prefix.FailbackHold is { } hold ? Hold(prefix, hold) : Policy(prefix),
            };
            text.AppendLine(CultureInfo.InvariantCulture, $"{prefix.Prefix.PadRight(width)}  {wire} ({string.Join(", ", details.OfType<string>())})");
        }
    }

    private static string Hold(PrefixDocument prefix, FailbackHoldDocument hold)
    {
        var until = prefix switch
        {
            { FailbackPolicy: "manual" } => $"until an operator fails back ('failoverhub-agent failback {prefix.Prefix}')",
            _ when hold.SecondsLeft is { } left => $"for {Words.Lasted(TimeSpan.FromSeconds(left))} more if nothing breaks",
            _ => $"until it has been healthy and connected for {Words.Lasted(TimeSpan.FromSeconds(prefix.FailbackStableSeconds))}, not counting without a session",
        };
        return $"FAILBACK HELD {until}: {hold.Returned}";
    }

    // What moves nothing by itself is the platform's way and needs no word.
    private static string? Policy(PrefixDocument prefix) => prefix.FailbackPolicy switch
    {
        "immediate" => null,
        "after-stable" => $"failback after {Words.Lasted(TimeSpan.FromSeconds(prefix.FailbackStableSeconds))} stable",
        var policy => $"failback {policy}",
    };

    private static string Damping(DampingDocument damping) => (damping.SecondsLeft, damping.Until) switch
    {
        ({ } left, { } until) => $"{(damping.HeldBack ? "held back" : "damped")} for {Words.Lasted(TimeSpan.FromSeconds(Math.Max(0, left)))} more, until {Time(until)} if it is steady: penalty {damping.Penalty.ToString("0", CultureInfo.InvariantCulture)} of {Number(damping.Flaps)} flaps",
        _ => $"damping penalty {damping.Penalty.ToString("0", CultureInfo.InvariantCulture)}",
    };

    private static void Session(StringBuilder text, SessionDocument session, DateTimeOffset now)
    {
        var lasted = session.AgeSeconds is { } age ? $" for {Words.Lasted(TimeSpan.FromSeconds(age))}" : "";
        if (session.DownSeconds is { } down && !IsEstablished(session))
        {
            lasted += $", down for {Words.Lasted(TimeSpan.FromSeconds(down))}";
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"neighbor {session.Neighbor}: {session.State}{lasted}{(session.Reason is { } reason && !IsEstablished(session) ? $": {reason}" : "")}");
        if (session.NextDialAt is { } dial)
        {
            Row(text, "next dial", dial > now ? $"in {Words.Lasted(dial - now)}" : "now");
        }

        if (session.Negotiated is { } negotiated)
        {
            Row(text, "negotiated", Negotiated(negotiated));
        }

        if (IsEstablished(session))
        {
            Row(text, "announced", $"{Number(session.PrefixesAnnounced)} {(session.PrefixesAnnounced == 1 ? "prefix" : "prefixes")}{(session.OutputBlockedSince is null ? "" : " before what still waits for it")}");
        }

        foreach (var sentence in session.NotCarried)
        {
            Row(text, "not carried", sentence);
        }

        if (session is { Sent: { } sent, Received: { } received })
        {
            Row(text, "messages sent", Messages(sent));
            Row(text, "messages received", Messages(received));
        }

        Row(text, "flaps", $"{Number(session.Flaps)}, came up {Times(session.TimesEstablished)}{(session.FailuresInARow > 0 ? $", failed {Times(session.FailuresInARow)} since it was last up" : "")}");
        if (session.LastError is { } error)
        {
            var code = error.Code == 0 ? "" : $" ({Number(error.Code)}/{Number(error.Subcode)})";
            Row(text, "last error", $"{Ago(error.At, error.AgeSeconds)}, {(error.From == "neighbor" ? "from the neighbor" : "from this node")}: {error.Text}{code}");
            if (error.Advice is { } advice)
            {
                Row(text, "", advice);
            }
        }

        Notification(text, "NOTIFICATION sent", session.LastNotificationSent);
        Notification(text, "NOTIFICATION received", session.LastNotificationReceived);
        if (session.MalformedUpdates > 0)
        {
            Row(text, "malformed UPDATEs", $"{Number(session.MalformedUpdates)}{(session is { LastUpdateProblemAt: { } at, LastUpdateProblemAgeSeconds: { } ago } ? $", the last {Ago(at, ago)}: {session.LastUpdateProblem}" : "")}");
        }

        if (session.OutputBlockedSince is { } since)
        {
            Row(text, "OUTPUT BLOCKED", $"the neighbor has taken nothing since {Time(since)}");
        }

        if (session.KeepaliveLateness is { } late && (late.WorstMilliseconds > 0 || IsEstablished(session)))
        {
            Row(text, "keepalives late by", string.Create(CultureInfo.InvariantCulture, $"{late.LastMilliseconds:0.0##} ms (last), {late.Most99Milliseconds:0.0##} ms (99 of 100), {late.WorstMilliseconds:0.0##} ms (worst)"));
        }
    }

    private static string Negotiated(NegotiatedDocument negotiated)
    {
        var parts = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"AS {negotiated.PeerAs}, router id {negotiated.PeerRouterId}"),
            string.Create(CultureInfo.InvariantCulture, $"hold {negotiated.HoldSeconds:0.###} s, keepalive {negotiated.KeepaliveSeconds:0.###} s"),
            string.Join(" and ", negotiated.Families),
        };
        parts.AddRange(new (bool Agreed, string Name)[]
        {
            (negotiated.FourOctetAs, "four-octet AS"),
            (negotiated.Ipv4WithIpv6NextHop, "IPv4 with IPv6 next hop"),
            (negotiated.RouteRefresh, negotiated.EnhancedRouteRefresh ? "enhanced route refresh" : "route refresh"),
            (negotiated.ExtendedMessages, "extended messages"),
            (negotiated.GracefulRestart, negotiated.GracefulNotification ? "graceful restart with notification" : "graceful restart"),
        }.Where(part => part.Agreed).Select(part => part.Name));
        return string.Join(", ", parts);
    }

    private static string Messages(MessagesDocument messages)
    {
        var types = new (long Count, string Name)[]
        {
            (messages.Open, "OPEN"),
            (messages.Update, "UPDATE"),
            (messages.Notification, "NOTIFICATION"),
            (messages.Keepalive, "KEEPALIVE"),
            (messages.RouteRefresh, "ROUTE-REFRESH"),
            (messages.RefreshMarks, "refresh marks"),
        };
        var parts = types.Where(type => type.Count > 0).Select(type => $"{Number(type.Count)} {type.Name}").ToList();
        return parts.Count == 0 ? "none" : string.Join(", ", parts);
    }

    private static void Notification(StringBuilder text, string name, NotificationDocument? notification)
    {
        if (notification is not null)
        {
            Row(text, name, $"{Ago(notification.At, notification.AgeSeconds)}: {notification.Text} ({Number(notification.Code)}/{Number(notification.Subcode)})");
        }
    }

    public static void Row(StringBuilder text, string name, string value) => text.AppendLine(CultureInfo.InvariantCulture, $"  {name,-22}{value}");

    private static bool IsEstablished(SessionDocument session) => session.State == "established";

    private static string Ago(DateTimeOffset at, double age) => $"{Words.Lasted(TimeSpan.FromSeconds(Math.Max(0, age)))} ago, {Time(at)}";

    private static string Times(int count) => count == 1 ? "once" : $"{Number(count)} times";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Number(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
