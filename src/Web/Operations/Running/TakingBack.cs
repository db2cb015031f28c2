using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations.Running;

/// <summary>
/// What stands against making a node again what it was before a step. Taking back is the hub's own doing, nobody has overridden a rule for
/// it: it may never leave a prefix without an announcer, nor make a second primary. Pure.
/// </summary>
internal static class TakingBack
{
    private const string StepBegins = "Take back: ";

    /// <summary>Title of the step of an operation that makes a node again what it was.</summary>
    public static string Step(string node) => $"{StepBegins}{node} as it was";

    /// <summary>It is such a step, of whatever node.</summary>
    public static bool IsStep(OperationStep step) => step.Title.StartsWith(StepBegins, StringComparison.Ordinal);

    /// <summary>Why the node must not become again what it was, half a sentence; null: it may.</summary>
    public static string? Against(FleetState state, string pairId, NodeWanted before)
    {
        if (state.Snapshot.Pairs.FirstOrDefault(p => p.Id == pairId) is not { } pair || pair.Members.FirstOrDefault(m => m.Node.Name == before.Node) is not { } member)
        {
            // It left, or only claims addresses of it and was told to stand back: it is not asked to announce again.
            return $"{before.Node} is no node of the pair";
        }

        if (before.Drained && SafetyRules.LeftAlone(pair, member.Node) is { Count: > 0 } alone)
        {
            return $"nobody else surely announces {string.Join(", ", alone)}";
        }

        foreach (var prefix in pair.Prefixes.Where(p => before.RoleOf(p) == Role.Primary && !IsPrimary(member, p)))
        {
            if (pair.Members.FirstOrDefault(m => m.Node.Name != before.Node && MayBePrimary(state, m, prefix)) is { } other)
            {
                return $"{other.Node.Name} may be primary for {prefix}";
            }
        }

        return null;
    }

    private static bool IsPrimary(MemberView member, IPNetwork prefix) =>
        member.Find(prefix) is { AssignedRole: Role.Primary, ReportedRole: Role.Primary };

    // What a node does next is not known while it has not answered what it was last told. Who rejected that goes on as it reports.
    private static bool MayBePrimary(FleetState state, MemberView member, IPNetwork prefix)
    {
        var node = member.Node;
        var rejected = state.Facts.Nodes.GetValueOrDefault(node.Name)?.Answer is { Outcome: IntentOutcome.Rejected } answer && answer.Revision == node.IntentRevision;
        return !node.HasReported
            || (node.ReportedRevision < node.IntentRevision && !rejected)
            || (member.Find(prefix) is { } view && (view.AssignedRole == Role.Primary || view.ReportedRole == Role.Primary));
    }
}
