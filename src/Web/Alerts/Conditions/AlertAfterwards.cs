using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>How what an alert was about is now, for whoever is told that it is over. Pure.</summary>
internal static class AlertAfterwards
{
    /// <summary>One English sentence or two.</summary>
    public static string Of(AlertFacts facts, Alert alert) => alert.Kind switch
    {
        AlertKind.PairState => PairOf(facts, alert) is { } pair ? $"{pair.Name} is {StateWords(pair.State)} now: {pair.StateReason}" : "The pair is not there any more.",
        AlertKind.FailbackPending => PairOf(facts, alert) is not { } waiting ? "The pair is not there any more."
            : waiting.ActiveNode is { } active ? $"Nothing of {waiting.Name} is held back any more; {active} is active." : $"Nothing of {waiting.Name} is held back any more.",
        AlertKind.NodeLink or AlertKind.SessionsDown or AlertKind.CheckUnhealthy or AlertKind.CertificateExpiring => facts.Fleet.FindNode(alert.Node ?? "") is { } node
            ? OfNode(node, alert) : "The node is not there any more.",
        AlertKind.AddressLost => AddressOf(facts, alert) is not { } address ? "It is not probed any more." : address.State == ReachabilityState.Reachable ? $"{address.Address} answers the hub." : "It is not looked at any more.",
        AlertKind.AnswersWrong => AnswerOf(facts, alert) switch
        {
            { Mark: null, Node: { } who } => $"Only {who} answers there now.",
            { Mark: { } mark } => $"The rule does not look for what is so now: {mark.Text}",
            _ => "It is not asked any more who answers there.",
        },
        AlertKind.TargetLost => TargetOf(facts, alert) is not { } target ? "It is not probed any more." : target.State == ReachabilityState.Reachable ? $"{target.Label} answers the hub." : "It is not looked at any more.",
        AlertKind.ProbeLoss => LossOf(facts, alert),
        AlertKind.OperationFailed => facts.Operations.Any(o => o.Newest.Id == alert.OperationId)
            ? "It has been news for as long as its rule says; nothing else has become of it." : "A later operation of the pair succeeded, or what became of this one is known.",
        AlertKind.HubCutOff => "The hub is connected again, as far as its gateways tell: what it says of addresses and nodes is of now.",
        AlertKind.HubStorage => "The hub writes its history again, and accepts operations.",
        AlertKind.HubDisk => facts.Hub.FreeDisk is { } free ? string.Create(CultureInfo.InvariantCulture, $"{free * 100:0.#} % of the disk is free now.") : "How much is free is not known any more.",
        AlertKind.ChannelFailing => $"{alert.About} takes messages again, or was changed.",
        AlertKind.VantageLost => facts.Vantages.FirstOrDefault(v => v.Name == alert.Node) is not { } vantage ? "The node asks nothing for the hub any more."
            : vantage.Trouble is null ? $"{vantage.Name} asks for the hub again." : $"The rule does not look for what is so now: {vantage.Name} is of no use as a vantage point.",
        AlertKind.SharedHost => PairOf(facts, alert) is { } spread ? $"As far as the nodes of {spread.Name} tell, they are not on one physical host any more." : "The pair is not there any more.",
        _ => "Nothing of it is found any more.",
    };

    private static string OfNode(NodeView node, Alert alert)
    {
        if (node.Link == NodeLink.Revoked)
        {
            return $"{node.Name} is no longer part of the fleet: its certificate was revoked.";
        }

        switch (alert.Kind)
        {
            case AlertKind.NodeLink:
                return node.IsFresh ? $"{node.Name} is heard again." : $"{node.Name} is {node.Link.ToString().ToLowerInvariant()} now.";
            case AlertKind.SessionsDown:
                return string.Create(CultureInfo.InvariantCulture, $"{node.EstablishedSessions} of {node.Sessions.Length} sessions of {node.Name} are established.");
            case AlertKind.CertificateExpiring:
                return node.Identity is { } identity
                    ? string.Create(CultureInfo.InvariantCulture, $"The certificate of {node.Name} is good until {identity.NotAfter.UtcDateTime:yyyy-MM-dd HH:mm} UTC.") : $"{node.Name} has no certificate of this hub any more.";
            default:
                string name = alert.Key.Subject[(alert.Key.Subject.IndexOf('/', StringComparison.Ordinal) + 1)..];
                return node.Checks.FirstOrDefault(c => c.Name == name) is { } check
                    ? $"Check '{name}' of {node.Name} says {check.Verdict.ToString().ToLowerInvariant()}." : $"{node.Name} has no check '{name}' any more.";
        }
    }

    private static string LossOf(AlertFacts facts, Alert alert)
    {
        (string Label, ImmutableArray<ProbeSample> Recent)? probed = AddressOf(facts, alert) is { } address ? (address.Address.ToString(), address.Recent)
            : TargetOf(facts, alert) is { } target ? (target.Label, target.Recent) : null;
        return probed is not { } known ? "It is not probed any more."
            : AddressConditions.LossOf(known.Recent, facts.At) is { } loss
                ? string.Create(CultureInfo.InvariantCulture, $"{loss.Percent:0.#} % of the probes of {known.Label} were lost in the last two minutes ({loss.Lost} of {loss.Probes}).")
                : $"{known.Label} is probed too seldom to say more.";
    }

    private static PairView? PairOf(AlertFacts facts, Alert alert) => facts.Fleet.Pairs.FirstOrDefault(p => $"pair:{p.Id}" == alert.Key.Subject);

    private static TargetReachability? AddressOf(AlertFacts facts, Alert alert) =>
        System.Net.IPNetwork.TryParse(alert.Prefix, out System.Net.IPNetwork prefix) ? facts.Reachability.GetValueOrDefault(prefix) : null;

    private static AnswerView? AnswerOf(AlertFacts facts, Alert alert) =>
        facts.Fleet.Pairs.Where(p => p.Name == alert.Pair).SelectMany(p => p.Answers).FirstOrDefault(a => a.Prefix.ToString() == alert.Prefix);

    private static ProbedTarget? TargetOf(AlertFacts facts, Alert alert) => facts.Targets.FirstOrDefault(t => alert.Key.Subject == t.Id || alert.Key.Subject == $"target:{t.Id}");

    private static string StateWords(PairState state) => state switch
    {
        PairState.NoAnnouncer => "without an announcer",
        PairState.DualPrimary => "dual primary",
        PairState.FailedOver => "failed over",
        _ => state.ToString().ToLowerInvariant(),
    };
}
