using System.Globalization;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Vantage;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;

namespace FailoverHub.Agent.Metrics;

/// <summary>
/// The page. Its length depends on the neighbors and the checks only, never on the prefixes, of which there may be thousands: they are counted.
/// </summary>
internal static class MetricsText
{
    public static string Of(MetricsView view)
    {
        var text = new ExpositionText();
        text.Family("failoverhub_build_info", "gauge", "1, with the version of the agent and the name of its node.")
            .Sample(1, ("version", view.Version), ("node", view.Node.Settings.Node));
        Sessions(text, view);
        Messages(text, view);
        Lateness(text, view);
        Prefixes(text, view);
        Checks(text, view.Node);
        Orders(text, view);
        Probing(text, view.Vantage);
        Process(text, view.Process);
        return text.ToString();
    }

    private static void Sessions(ExpositionText text, MetricsView view)
    {
        text.Family("failoverhub_sessions", "gauge", "BGP sessions by state.");
        foreach (var state in Enum.GetValues<SessionState>())
        {
            text.Sample(view.Node.Sessions.Count(session => session.State == state), ("state", Word(state)));
        }

        text.Family("failoverhub_session_up", "gauge", "1 while the session with the neighbor is established.");
        foreach (var session in view.Node.Sessions)
        {
            text.Sample(session.IsEstablished ? 1 : 0, ("neighbor", session.Neighbor.ToString()));
        }

        text.Family("failoverhub_session_flaps_total", "counter", "How often an established session was lost.");
        foreach (var session in view.Node.Sessions)
        {
            text.Sample(session.Flaps, ("neighbor", session.Neighbor.ToString()));
        }
    }

    private static void Messages(ExpositionText text, MetricsView view)
    {
        text.Family("failoverhub_session_messages_total", "counter", "BGP messages by type and direction.");
        foreach (var peer in view.Peers)
        {
            Direction(peer.Neighbor.ToString(), "sent", peer.Session.Sent);
            Direction(peer.Neighbor.ToString(), "received", peer.Session.Received);
        }

        void Direction(string neighbor, string direction, MessageCounts counts)
        {
            foreach (var (type, count) in (ReadOnlySpan<(string, long)>)[
                ("open", counts.Open), ("update", counts.Update), ("notification", counts.Notification),
                ("keepalive", counts.Keepalive), ("route_refresh", counts.RouteRefresh + counts.RefreshMarks)])
            {
                text.Sample(count, ("neighbor", neighbor), ("direction", direction), ("type", type));
            }
        }
    }

    private static void Lateness(ExpositionText text, MetricsView view)
    {
        text.Family("failoverhub_keepalive_lateness_seconds", "histogram", "How long after its time a KEEPALIVE was given to the kernel.");
        foreach (var peer in view.Peers)
        {
            var neighbor = peer.Neighbor.ToString();
            foreach (var (upTo, count) in peer.KeepaliveLateness.Cumulative())
            {
                text.Sample("_bucket", count, ("neighbor", neighbor), ("le", upTo is { } end ? end.TotalSeconds.ToString("R", CultureInfo.InvariantCulture) : "+Inf"));
            }

            text.Sample("_sum", peer.KeepaliveLateness.Sum.TotalSeconds, ("neighbor", neighbor));
            text.Sample("_count", peer.KeepaliveLateness.Count, ("neighbor", neighbor));
        }

        text.Family("failoverhub_keepalive_lateness_worst_seconds", "gauge", "The latest KEEPALIVE since the agent started.");
        foreach (var peer in view.Peers)
        {
            text.Sample(peer.Metrics.MostKeepaliveLateness.TotalSeconds, ("neighbor", peer.Neighbor.ToString()));
        }
    }

    private static void Prefixes(ExpositionText text, MetricsView view)
    {
        var prefixes = view.Node.Prefixes;
        text.Family("failoverhub_prefixes_announced", "gauge", "Prefixes that are announced, by role.");
        foreach (var role in Enum.GetValues<Role>())
        {
            text.Sample(prefixes.Count(prefix => prefix.Decision is AdvertisementDecision.Announce announce && announce.Role == role), ("role", role.Word()));
        }

        text.Family("failoverhub_prefixes_withdrawn", "gauge", "Known prefixes that are not announced, by reason.");
        foreach (var reason in Enum.GetValues<WithdrawnReason>())
        {
            text.Sample(prefixes.Count(prefix => prefix.Decision is AdvertisementDecision.Withdraw withdraw && withdraw.Reason == reason), ("reason", reason.Word()));
        }

        text.Family("failoverhub_prefixes_damped", "gauge", "Prefixes that nothing but their flapping keeps from being announced.")
            .Sample(prefixes.Count(prefix => prefix.HeldBack));
        text.Family("failoverhub_failback_held_prefixes", "gauge", "Assigned primaries that returned and are held back as secondary.")
            .Sample(prefixes.Count(prefix => prefix.Failback.IsHeld));
        text.Family("failoverhub_failback_hold_seconds", "gauge", "Until the last prefix whose hold counts down is released; 0: none counts.")
            .Sample(prefixes.Select(prefix => (prefix.Failback.ReleaseAt(prefix.FailbackPolicy) - view.Now.Monotonic)?.TotalSeconds ?? 0).Append(0).Max());
    }

    private static void Checks(ExpositionText text, NodeState node)
    {
        text.Family("failoverhub_check_verdict", "gauge", "1 for the verdict that a health check has.");
        foreach (var check in node.Settings.Checks)
        {
            var verdict = HealthVerdicts.Of(node, check);
            foreach (var health in Enum.GetValues<Health>())
            {
                text.Sample(health == verdict ? 1 : 0, ("check", check.Name), ("kind", check.Probe.Kind), ("verdict", health.Word()));
            }
        }
    }

    private static void Orders(ExpositionText text, MetricsView view)
    {
        text.Family("failoverhub_drained", "gauge", "1 while an operator wants nothing announced.").Sample(view.Node.Drained ? 1 : 0);
        text.Family("failoverhub_intent_revision", "gauge", "Revision of the intent in force; 0: the node runs by its configuration.").Sample(view.Node.Intent?.Revision ?? 0);
        text.Family("failoverhub_intent_lost", "gauge", "1 when the stored intent cannot be read, so that nothing is announced as primary.")
            .Sample(view.Node.IntentIsLost ? 1 : 0);
        text.Family("failoverhub_journal_waiting", "gauge", "Entries of the journal that the hub has not acknowledged.").Sample(view.JournalWaiting);
        if (view.HubConnected is { } connected)
        {
            text.Family("failoverhub_hub_connected", "gauge", "1 while there is a stream to the hub.").Sample(connected ? 1 : 0);
        }

        if (view.Membership is { } membership)
        {
            text.Family("failoverhub_hub_identity_info", "gauge", "1, with the name and the id that the hub has given this node.")
                .Sample(1, ("node", membership.Identity.Node), ("node_id", membership.Identity.NodeId));
            text.Family("failoverhub_hub_certificate_not_after_seconds", "gauge", "End of the node's certificate since the Unix epoch.").Sample(Epoch(membership.Identity.Times.NotAfter));
            text.Family("failoverhub_hub_certificate_renew_after_seconds", "gauge", "From when on it is renewed, since the Unix epoch.").Sample(Epoch(membership.Identity.Times.RenewAfter));
            text.Family("failoverhub_hub_certificate_refused", "gauge", "1 when the hub does not take the node's certificate: it has to join again.").Sample(membership.Refusal is null ? 0 : 1);
            text.Family("failoverhub_hub_certificate_renewal_failed", "gauge", "1 when the last renewal failed.").Sample(membership.RenewalProblem is null ? 0 : 1);
        }
    }

    private static void Probing(ExpositionText text, VantageReading? vantage)
    {
        if (vantage is null)
        {
            return;
        }

        text.Family("failoverhub_probing_targets", "gauge", "Addresses that the node asks for its hub.").Sample(vantage.Targets);
        text.Family("failoverhub_probing_problems", "gauge", "Addresses of the hub's plan that cannot be asked just now.").Sample(vantage.Problems.Length);
        text.Family("failoverhub_probing_probes_total", "counter", "Probes for the hub by what came of them; not_sent: nothing left the machine.")
            .Sample(vantage.Answered, ("outcome", "answered"))
            .Sample(vantage.Lost, ("outcome", "lost"))
            .Sample(vantage.NotSent, ("outcome", "not_sent"));
        text.Family("failoverhub_probing_dropped_results_total", "counter", "Results that the hub was not told, because its stream took them too slowly.").Sample(vantage.Dropped);
        text.Family("failoverhub_probing_lateness_seconds", "summary", "How long after its time a probe for the hub was begun.")
            .Sample("_sum", vantage.Lateness.TotalSeconds)
            .Sample("_count", vantage.Begun);
        text.Family("failoverhub_probing_lateness_worst_seconds", "gauge", "The latest probe since the agent started.").Sample(vantage.WorstLateness.TotalSeconds);
    }

    private static void Process(ExpositionText text, ProcessFacts process)
    {
        text.Family("process_cpu_seconds_total", "counter", "Processor time of the agent.").Sample(process.ProcessorTime.TotalSeconds);
        text.Family("process_resident_memory_bytes", "gauge", "Resident memory of the agent.").Sample(process.ResidentBytes);
        text.Family("process_start_time_seconds", "gauge", "Start of the agent since the Unix epoch.").Sample(process.StartedAt.ToUnixTimeMilliseconds() / 1000.0);
        text.Family("process_open_fds", "gauge", "Open files and sockets of the agent.").Sample(process.OpenDescriptors);
    }

    private static double Epoch(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / 1000.0;

    private static string Word(SessionState state) => state.ToString().ToLowerInvariant();
}
