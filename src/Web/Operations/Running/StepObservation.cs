using System.Globalization;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Records;

namespace FailoverHub.Web.Operations.Running;

/// <summary>What the fleet says to one step that was sent. A closed family.</summary>
internal abstract record StepObservation
{
    private StepObservation()
    {
    }

    /// <summary>Not yet.</summary>
    public sealed record Waiting : StepObservation;

    /// <summary>The node's own report shows it.</summary>
    public sealed record Shown(string Detail) : StepObservation;

    /// <summary>It will not happen.</summary>
    public sealed record Failed(string Why) : StepObservation;

    /// <summary>A rule stands against sending it, as the fleet is now.</summary>
    public sealed record Forbidden(string What, string Rule) : StepObservation;

    /// <summary>The node is gone: whether it happened is not known.</summary>
    public sealed record Lost(string Why) : StepObservation;

    /// <summary>Reads one step out of what is known now.</summary>
    public static StepObservation Of(FleetState state, WantedOfNode wanted)
    {
        var answer = state.Facts.Nodes.GetValueOrDefault(wanted.Node)?.Answer is { } a && a.Revision == wanted.Revision ? a : null;
        if (answer is { Outcome: IntentOutcome.Rejected })
        {
            return new Failed($"{wanted.Node} rejected it: {answer.Reason}");
        }

        if (answer is { Outcome: IntentOutcome.AcceptedNotAnnounced } && wanted.MustAnnounce.Length > 0)
        {
            return new Failed($"{wanted.Node} has no established session to announce it on. {answer.Reason}".TrimEnd());
        }

        if (state.Snapshot.FindNode(wanted.Node) is not { } node)
        {
            return new Lost($"{wanted.Node} is not known any more.");
        }

        if (!node.IsFresh)
        {
            // A stream that has just broken may be back in a moment, and its node is then told again.
            return node.Link == NodeLink.Stale ? new Waiting() : new Lost($"{wanted.Node} is silent since {Clock(node.LastReportAt)}.");
        }

        if (node.ReportedRevision > wanted.Revision)
        {
            return new Failed($"{wanted.Node} obeys revision {node.ReportedRevision}, which superseded {wanted.Revision}.");
        }

        // A withdrawn prefix is on no session, so only the answer says that the withdrawal has left.
        return node.ReportedRevision == wanted.Revision && Shows(node, wanted) && (!wanted.Drained || answer is not null) ? new Shown(Describe(node, wanted, answer)) : new Waiting();
    }

    /// <summary>
    /// Whether the node's report shows what is wanted, whichever revision it obeys. A new role counts only when its UPDATE has left on every
    /// established session: until then one route server may still have the old one, and a next step would make two primaries there. What the
    /// node holds back by its failback policy is as wanted too, where nobody wants it to be primary at once; and so is a drain of its own.
    /// </summary>
    public static bool Shows(NodeView node, WantedOfNode wanted)
    {
        var drained = wanted.Drained || (node.LocallyDrained && !wanted.LiftLocalDrain);
        if (!node.IsFresh || node.Drained != drained || (drained && node.Prefixes.Any(p => p.Announced)))
        {
            return false;
        }

        if (wanted.Failback.Any(f => node.Find(IPNetwork.Parse(f.Key)) is { } view && view.Failback != f.Value))
        {
            return false;
        }

        bool Carries(PrefixView view, Role role) => view.ReportedRole == role && view.SessionsCarrying >= node.EstablishedSessions;
        bool IsAsWanted(PrefixView view, Role role) =>
            Carries(view, role) || (view.Hold is not null && role == Role.Primary && !wanted.AtOnce.Contains(view.Prefix.ToString()) && Carries(view, Role.Secondary));
        var mustAnnounce = wanted.MustAnnounce.ToHashSet();
        return wanted.Roles.All(r => IPNetwork.Parse(r.Key) is var prefix && node.Find(prefix) is var view
            && (mustAnnounce.Contains(prefix)
                ? view is { Announced: true, SessionsCarrying: > 0 } && Carries(view, r.Value)
                : view is null || (view.Announced ? IsAsWanted(view, r.Value) : drained || view.WithdrawnReason != WithdrawnReason.Drained)));
    }

    private static string Describe(NodeView node, WantedOfNode wanted, IntentAnswer? answer)
    {
        var announced = node.Prefixes.Where(p => p.Announced).Select(p => $"{p.Prefix} as {(p.ReportedRole == Role.Primary ? "primary" : "secondary")} on {p.SessionsCarrying.ToString(CultureInfo.InvariantCulture)} sessions").ToList();
        var what = announced.Count == 0 ? "nothing announced" : string.Join(", ", announced);
        var updated = answer is null ? "" : $"; UPDATE left on {answer.SessionsUpdated.ToString(CultureInfo.InvariantCulture)} sessions";
        return $"{node.Name} reports revision {wanted.Revision.ToString(CultureInfo.InvariantCulture)}: {what}{updated}.";
    }

    private static string Clock(DateTimeOffset? at) => at is null ? "the hub started" : $"{at.Value.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} UTC";
}
