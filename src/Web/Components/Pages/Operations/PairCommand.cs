using System.Collections.Immutable;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Pages.Operations;

/// <summary>One thing that can be done to a pair: what would be sent, what the button says, whether it may be pressed.</summary>
/// <param name="Request">Without reason; the dialog completes it.</param>
/// <param name="Node">The node beside which the button stands; null: beside the pair.</param>
/// <param name="Label">With its verb and object.</param>
/// <param name="TestId">Stable name for tests.</param>
/// <param name="Gate">Enabled or not, and why.</param>
public sealed record PairCommand(OperationRequest Request, string? Node, string Label, string TestId, CommandGate Gate)
{
    /// <summary>The same, closed while the hub's picture of the fleet is old.</summary>
    public PairCommand While(bool pictureIsOld) => pictureIsOld ? this with { Gate = Gate.While(pictureIsOld) } : this;

    /// <summary>Every command of a pair. The rules decide, here is only asked.</summary>
    public static ImmutableArray<PairCommand> For(PairView pair, IOperations operations)
    {
        var commands = ImmutableArray.CreateBuilder<PairCommand>();
        foreach (MemberView member in pair.Members.Where(member => member.Node.Name != pair.ActiveNode))
        {
            string name = member.Node.Name;
            if (name == pair.PreferredNode && pair.ActiveNode is not null)
            {
                Add(null, $"Fail back to {name}", "action-failback", new() { Type = OperationType.Failback, Pair = pair.Id });
            }
            else
            {
                Add(null, $"Switch over to {name}", "action-switchover", new() { Type = OperationType.Switchover, Pair = pair.Id, Target = name });
            }
        }

        if (pair.ActiveNode is not null && pair.Members.Length == 2)
        {
            Add(null, "Drill a failover", "action-drill", new() { Type = OperationType.Drill, Pair = pair.Id });
        }

        // Only where it is of use: while a node cannot be reached, and for the one that can.
        if (pair.Members.Any(member => !member.Node.IsFresh))
        {
            foreach (MemberView member in pair.Members.Where(member => member.Node.IsFresh && member.Prefixes.Any(prefix => prefix.ReportedRole != Role.Primary)))
            {
                Add(null, $"Force {member.Node.Name} to be primary", "action-force-promote", new() { Type = OperationType.ForcePromote, Pair = pair.Id, Target = member.Node.Name });
            }
        }

        foreach (MemberView member in pair.Members)
        {
            string name = member.Node.Name;
            if (member.Node.AssignedDrained || member.Node.Drained)
            {
                Add(name, $"Undrain {name}", "action-undrain", new() { Type = OperationType.Undrain, Node = name });
            }
            else
            {
                Add(name, $"Drain {name}", "action-drain", new() { Type = OperationType.Drain, Node = name });
            }

            Add(name, "Set role", "action-set-role", new() { Type = OperationType.SetRole, Node = name, Role = Opposite(member) });
        }

        return commands.ToImmutable();

        void Add(string? node, string label, string testId, OperationRequest request) =>
            commands.Add(new(request, node, label, testId, CommandGate.Of(operations.Preview(request, out SubmitResult? problem), problem)));
    }

    /// <summary>What can be asked of a node that only claims addresses of the pair: to stand back.</summary>
    public static ImmutableArray<PairCommand> ForClaimant(PairView pair, string node, IOperations operations) =>
    [
        Ask(new() { Type = OperationType.Drain, Pair = pair.Id, Node = node }, node, $"Drain {node}", "claimant-drain", operations),
        Ask(new() { Type = OperationType.SetRole, Pair = pair.Id, Node = node, Role = Role.Secondary }, node, $"Make {node} secondary", "claimant-demote", operations),
    ];

    /// <summary>Lets nothing happen to the pair for a while. The dialog asks for how long.</summary>
    public static PairCommand FreezeOf(PairView pair, IOperations operations) =>
        Ask(new() { Type = OperationType.Freeze, Pair = pair.Id, ExpiresIn = TimeSpan.FromHours(1) }, null, $"Freeze {pair.Name}", "action-freeze", operations);

    /// <summary>The same for all pairs.</summary>
    public static PairCommand FreezeAll(IOperations operations) =>
        Ask(new() { Type = OperationType.Freeze, Pair = FreezeFacts.All, ExpiresIn = TimeSpan.FromHours(1) }, null, "Freeze all pairs", "action-freeze-all", operations);

    /// <summary>Ends a freeze before its time; null: nothing is frozen.</summary>
    /// <param name="freeze">The freeze.</param>
    /// <param name="pair">Of which pair it is, when it is not of all.</param>
    /// <param name="operations">Who is asked.</param>
    public static PairCommand? UnfreezeOf(FreezeView? freeze, PairView? pair, IOperations operations) => freeze switch
    {
        null => null,
        { OfAll: true } => Ask(new() { Type = OperationType.Unfreeze, Pair = FreezeFacts.All }, null, "Unfreeze all pairs", "action-unfreeze", operations),
        _ => pair is null ? null : Ask(new() { Type = OperationType.Unfreeze, Pair = pair.Id }, null, $"Unfreeze {pair.Name}", "action-unfreeze", operations),
    };

    /// <summary>Stops a countdown to a failback: the pair's policy becomes manual, so the node stays secondary until somebody fails back.</summary>
    public static PairCommand HoldOf(PairView pair, IOperations operations) =>
        Ask(new() { Type = OperationType.SetFailback, Pair = pair.Id, Failback = Failback.Of(FailbackPolicy.Manual, TimeSpan.Zero) }, null, "Hold", "failback-stop", operations);

    /// <summary>Ends one session of a node, which comes up again by itself.</summary>
    public static PairCommand ResetOf(string node, string neighbor, IOperations operations) =>
        Ask(new() { Type = OperationType.ResetSession, Node = node, Neighbor = neighbor }, node, "Reset", "action-reset-session", operations);

    /// <summary>Brings the addresses home also while their node is held back; null: nobody is preferred.</summary>
    public static PairCommand? FailbackOf(PairView pair, IOperations operations)
    {
        var request = new OperationRequest { Type = OperationType.Failback, Pair = pair.Id };
        return pair.PreferredNode is { } node
            ? new(request, null, $"Fail back to {node}", "action-failback", CommandGate.Of(operations.Preview(request, out SubmitResult? problem), problem))
            : null;
    }

    /// <summary>Changes what becomes of a primary that returns. The dialog begins with what is wanted now; whether it may be pressed is asked with something else.</summary>
    public static PairCommand SetFailbackOf(PairView pair, IOperations operations)
    {
        var request = new OperationRequest { Type = OperationType.SetFailback, Pair = pair.Id, Failback = pair.Failback };
        var other = request with { Failback = Failback.Of(pair.Failback.Policy == FailbackPolicy.Manual ? FailbackPolicy.Immediate : FailbackPolicy.Manual, TimeSpan.Zero) };
        return new(request, null, "Change", "action-set-failback", CommandGate.Of(operations.Preview(other, out SubmitResult? problem), problem));
    }

    /// <summary>The role that a node does not have: what an operator most likely wants to give it.</summary>
    public static Role Opposite(MemberView member) =>
        member.Prefixes.Any(prefix => (prefix.AssignedRole ?? prefix.ReportedRole) == Role.Primary) ? Role.Secondary : Role.Primary;

    private static PairCommand Ask(OperationRequest request, string? node, string label, string testId, IOperations operations) =>
        new(request, node, label, testId, CommandGate.Of(operations.Preview(request, out SubmitResult? problem), problem));
}
