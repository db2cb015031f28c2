using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>
/// What is wrong by which rule, and what cannot be judged: facts and rules in, findings out. Remembers nothing. A silent node says nothing about its sessions,
/// and a hub that is cut off or has just started nothing about who is silent: such a subject is found as not known, so that its alert neither begins nor ends.
/// </summary>
internal static class AlertConditions
{
    /// <summary>After its start the hub waits so long for whoever has not come back yet. A whole fleet is back in half of it.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    /// <summary>In the order in which <see cref="PairStateRules"/> shows them: one that is shown hides those behind it.</summary>
    private static readonly ImmutableArray<PairState> Shown = [PairState.NoAnnouncer, PairState.DualPrimary, PairState.Unknown, PairState.Switching, PairState.FailedOver, PairState.Degraded];

    public static IEnumerable<Finding> Find(AlertFacts facts, ImmutableArray<AlertRule> rules)
    {
        ILookup<string, string> pairsOf = facts.Fleet.Pairs.SelectMany(p => p.Members.Select(m => (Node: m.Node.Name, Pair: p.Name))).ToLookup(p => p.Node, p => p.Pair, StringComparer.OrdinalIgnoreCase);
        return rules.Where(r => r.Enabled).SelectMany(rule => rule.Kind switch
        {
            AlertKind.PairState or AlertKind.FailbackPending or AlertKind.SharedHost => facts.Fleet.Pairs.Where(p => rule.IsAbout(p.Name, p.Members.Select(m => m.Node.Name))).Select(p => OfPair(facts, rule, p)).OfType<Finding>(),
            AlertKind.NodeLink or AlertKind.SessionsDown or AlertKind.CertificateExpiring or AlertKind.CheckUnhealthy or AlertKind.VantageLost =>
                facts.Fleet.Nodes.Select(n => (Node: n, Pair: pairsOf[n.Name].FirstOrDefault())).Where(n => rule.IsAbout(n.Pair, n.Node.Name)).SelectMany(n => OfNode(facts, rule, n.Node, n.Pair)),
            AlertKind.AddressLost or AlertKind.AnswersWrong => AddressConditions.OfShared(facts, rule),
            AlertKind.ProbeLoss => AddressConditions.OfShared(facts, rule).Concat(AddressConditions.OfTargets(facts, rule, pairsOf)),
            AlertKind.TargetLost => AddressConditions.OfTargets(facts, rule, pairsOf),
            AlertKind.OperationFailed => facts.Operations.Where(o => rule.IsAbout(o.Newest.PairName, o.Newest.Node is { } node ? [node] : [])).Select(o => OfOperation(facts, rule, o)).OfType<Finding>(),
            _ => OfHub(facts, rule),
        });
    }

    private static Finding? OfPair(AlertFacts facts, AlertRule rule, PairView pair)
    {
        var found = new Finding(new AlertKey(rule.Id, $"pair:{pair.Id}"), true) { About = $"pair {pair.Name}", Pair = pair.Name };
        bool waitsForSomebody = facts.HubUpFor < Grace && !pair.Members.All(m => m.Node.IsFresh);
        if (rule.Kind == AlertKind.FailbackPending)
        {
            MemberView? held = pair.Members.FirstOrDefault(m => m.Node.IsFresh && m.Prefixes.Any(p => p.Hold is not null));
            return held is not null ? found with { Node = held.Node.Name, Text = $"{held.Node.Name} {PairWords.Held(held.Prefixes.First(p => p.Hold is not null))}." }
                : pair.Members.All(m => m.Node.IsFresh) ? null : Unknown(found);
        }

        if (rule.Kind == AlertKind.SharedHost)
        {
            // A node says where it runs with each report: who has not come back yet may have been moved.
            return pair.SharedHost is { } host ? found with { Text = PairWords.OnOneHost(pair, host) }
                : pair.Members.All(m => m.Node.IsFresh) ? null : Unknown(found);
        }

        if (rule.States.Contains(pair.State.ToString()))
        {
            // What a restarted hub does not know yet, or one that is cut off does not hear, is not the pair's fault.
            return waitsForSomebody || pair.Members.Any(m => !m.Node.IsFresh && IsUnheard(facts, m.Node)) ? Unknown(found) : found with { Text = pair.StateReason };
        }

        int shown = Shown.IndexOf(pair.State);
        return waitsForSomebody || pair.State == PairState.Unknown || (shown >= 0 && Shown.Skip(shown + 1).Any(hidden => rule.States.Contains(hidden.ToString()))) ? Unknown(found) : null;
    }

    private static IEnumerable<Finding> OfNode(AlertFacts facts, AlertRule rule, NodeView node, string? pair)
    {
        var found = new Finding(new AlertKey(rule.Id, $"node:{node.Name}"), true) { About = $"node {node.Name}", Node = node.Name, Pair = pair };
        switch (rule.Kind)
        {
            case AlertKind.NodeLink when !node.IsFresh && (facts.HubUpFor < Grace || IsUnheard(facts, node)):
                yield return Unknown(found);
                break;
            case AlertKind.NodeLink when rule.States.Contains(node.Link.ToString()):
                yield return found with
                {
                    Text = node.LastReportAt is { } heard
                        ? $"{node.Name} is silent since {heard.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC. What it announces now is not known."
                        : $"{node.Name} has not been heard. What it announces is not known.",
                };
                break;
            case AlertKind.NodeLink when node.Link == NodeLink.Stale && rule.States.Contains(nameof(NodeLink.Offline)):
                // It is on its way there, or back.
                yield return Unknown(found);
                break;
            case AlertKind.CertificateExpiring when node.Identity is { RevokedAt: null } identity:
                if (IsRunningOut(identity, facts.At, rule.Threshold ?? 0))
                {
                    yield return found with { Text = CertificateText(node, identity, facts.At) };
                }

                break;
            case AlertKind.SessionsDown when node.IsFresh:
                int down = node.Sessions.Length - node.EstablishedSessions;
                if (down >= (rule.Threshold ?? 1))
                {
                    yield return found with { Text = SessionsText(node, down) };
                }

                break;
            case AlertKind.SessionsDown when node.Link != NodeLink.Revoked:
                yield return Unknown(found);
                break;
            case AlertKind.VantageLost:
                if (OfVantage(facts, rule, node, found) is { } lost)
                {
                    yield return lost;
                }

                break;
            case AlertKind.CheckUnhealthy:
                foreach (Finding check in OfChecks(rule, node, found))
                {
                    yield return check;
                }

                break;
            default:
                break;
        }
    }

    /// <summary>Of a node that has not come back since the hub was started nothing is known: it may be the one that an alert is about.</summary>
    private static Finding? OfVantage(AlertFacts facts, AlertRule rule, NodeView node, Finding found)
    {
        VantageStanding? standing = facts.Vantages.FirstOrDefault(v => string.Equals(v.Name, node.Name, StringComparison.OrdinalIgnoreCase));
        if (standing is null)
        {
            return node.IsFresh || node.Link == NodeLink.Revoked ? null : Unknown(found);
        }

        bool isTheHubItself = facts.Hub.CutOff is not null && standing.Trouble is (VantageTrouble.LinkDown or VantageTrouble.Behind);
        return standing.Trouble is not { } trouble || !rule.States.Contains(trouble.ToString()) ? null
            : isTheHubItself ? Unknown(found)
            : found with { About = $"vantage point {node.Name}", Text = standing.LostSentence };
    }

    private static IEnumerable<Finding> OfChecks(AlertRule rule, NodeView node, Finding found)
    {
        if (node.Link == NodeLink.Revoked)
        {
            yield break;
        }

        // A node that has not reported in this run of the hub has not said which checks it has: all of them are not known.
        if (!node.IsFresh && node.Checks.IsEmpty)
        {
            yield return Unknown(found) with { Key = new AlertKey(rule.Id, $"check:{node.Name}/") };
        }

        foreach (CheckView check in node.Checks)
        {
            Finding one = found with { Key = new AlertKey(rule.Id, $"check:{node.Name}/{check.Name}"), About = $"check {check.Name} of {node.Name}" };
            if (!node.IsFresh || check.Verdict == Health.Unknown)
            {
                yield return Unknown(one);
            }
            else if (check.Verdict == Health.Unhealthy)
            {
                yield return one with { Text = $"Check '{check.Name}' of {node.Name} fails{(check.LastOutput is { Length: > 0 } output ? $": {output.TrimEnd('.')}" : "")}." };
            }
        }
    }

    private static Finding? OfOperation(AlertFacts facts, AlertRule rule, FailedOperation failed)
    {
        OperationView operation = failed.Newest;
        bool isNews = facts.At - (operation.FinishedAt ?? facts.At) < TimeSpan.FromHours(rule.Threshold ?? 24);
        if (!isNews || !rule.States.Contains(operation.Status.ToString()))
        {
            return null;
        }

        var key = OperationKey.Of(operation);
        string times = failed.Times == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" It happened {failed.Times} times since {failed.Since.UtcDateTime:yyyy-MM-dd HH:mm} UTC.");
        return new Finding(new AlertKey(rule.Id, $"operation:{key.PairId}/{key.Node}/{key.Type}"), true)
        {
            About = operation.Node is { } on ? $"operation on {on} of {operation.PairName}" : $"operation on {operation.PairName}",
            Pair = facts.Fleet.Pairs.Any(p => p.Id == operation.PairId) ? operation.PairName : null,
            Node = operation.Node,
            OperationId = operation.Id,
            Text = $"{operation.Title}: {(operation.Status == OperationStatus.OutcomeUnknown ? "its outcome is not known" : Words(operation.Status))}. {operation.Outcome}".TrimEnd() + times,
        };
    }

    private static IEnumerable<Finding> OfHub(AlertFacts facts, AlertRule rule)
    {
        var found = new Finding(new AlertKey(rule.Id, "hub"), true) { About = "the hub" };
        switch (rule.Kind)
        {
            case AlertKind.HubCutOff when facts.Hub.CutOff is { } why:
                yield return found with { Text = why.Text };
                break;
            case AlertKind.HubCutOff when !facts.Hub.KnowsItsWayOut:
                // A hub that was started anew while it is cut off has heard no gateway yet that could be missed.
                yield return Unknown(found);
                break;
            case AlertKind.HubStorage when facts.Hub.CannotWrite:
                yield return found with { Text = "The hub cannot write its history: it waits in memory, and no operation is accepted. Nodes and addresses go on." };
                break;
            case AlertKind.HubDisk when facts.Hub.FreeDisk is null:
                yield return Unknown(found);
                break;
            case AlertKind.HubDisk when facts.Hub.FreeDisk * 100 < rule.Threshold:
                yield return found with { Text = string.Create(CultureInfo.InvariantCulture, $"The disk of the hub's data folder has {facts.Hub.FreeDisk * 100:0.#} % free. When it is full no operation is accepted.") };
                break;
            case AlertKind.ChannelFailing:
                foreach ((string id, string name, string? error) in facts.FailingChannels)
                {
                    Finding channel = found with { Key = new AlertKey(rule.Id, $"channel:{id}"), About = $"channel {name}" };
                    yield return error is null ? Unknown(channel) : channel with { Text = $"Channel {name} takes no messages: {error.TrimEnd('.')}. They wait, and are tried again. Mend that, or see to the channel under Settings, Alert channels, and send a test." };
                }

                break;
            default:
                break;
        }
    }

    // By the way it comes, the hub would not hear it now.
    private static bool IsUnheard(AlertFacts facts, NodeView node) => facts.Hub.CutOff?.Concerns(node.RemoteAddress) == true;

    private static Finding Unknown(Finding found) => found with { IsKnown = false, Text = "" };

    /// <summary>Short-lived certificates are renewed late: what is left counts against their life too.</summary>
    private static bool IsRunningOut(NodeIdentityView identity, DateTimeOffset now, double days)
    {
        TimeSpan left = identity.NotAfter - now;
        return left < TimeSpan.FromDays(days) && left < (identity.NotAfter - identity.IssuedAt) / 4;
    }

    private static string CertificateText(NodeView node, NodeIdentityView identity, DateTimeOffset now)
    {
        string at = identity.NotAfter.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        return identity.NotAfter <= now
            ? $"The certificate of {node.Name} expired at {at} UTC: it cannot connect, and has to join again."
            : $"The certificate of {node.Name} expires at {at} UTC and has not been renewed. After that it cannot connect, and has to join again.";
    }

    private static string SessionsText(NodeView node, int down)
    {
        SessionView? told = node.Sessions.FirstOrDefault(s => s.State != BgpSessionState.Established && s.LastError is not null);
        return $"{down.ToString(CultureInfo.InvariantCulture)} of {node.Sessions.Length.ToString(CultureInfo.InvariantCulture)} sessions of {node.Name} are not established{(told is null ? "" : $"; {told.Neighbor}: {told.LastError!.TrimEnd('.')}")}.";
    }

    private static string Words(OperationStatus status) => status switch
    {
        OperationStatus.TimedOut => "timed out",
        OperationStatus.Refused => "refused",
        _ => "failed",
    };
}
