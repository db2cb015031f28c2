using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations.Planning;

/// <summary>What a request would do, step by step. Pure. The order is the safety: no step may begin before the one before was observed.</summary>
internal static class OperationPlanner
{
    public static OperationPlan Plan(OperationTarget target)
    {
        var node = target.Member.Node.Name;
        var overridden = target.Request.OverrideRules.Length > 0;
        var plan = new OperationPlan
        {
            Type = target.Type,
            PairId = target.Pair.Id,
            PairName = target.Pair.Name,
            Node = target.Type == OperationType.SetFailback ? null : node,
            Title = Title(target),
            Steps = Steps(target),
            Prefixes = target.Prefixes,
            TrafficEffect = TrafficEffect(target),
            OutagePossible = overridden || (target.Type == OperationType.Drain && SafetyRules.LeftAlone(target).Count > 0),
            MovesTraffic = MayMoveTraffic(target),
            Reset = target.Type == OperationType.ResetSession ? new SessionReset(node, target.Request.Neighbor!) : null,
            OnReturn = target.Type == OperationType.ForcePromote ? [.. target.Others.Where(o => !o.Node.IsFresh).Select(o => StandDown(target, o)).OfType<NodeWanted>()] : [],
        };
        return plan;
    }

    /// <summary>Whether the address goes to another node by it, or may.</summary>
    public static bool MayMoveTraffic(OperationTarget target) =>
        target.Type.IsMove()
        || target.Type == OperationType.ForcePromote
        || (target.Type == OperationType.Drain && IsActive(target))
        || (target.Type == OperationType.ResetSession && IsActive(target) && EndsItsLastSession(target))
        || (target.Type == OperationType.SetFailback && Released(target) is not null);

    /// <summary>A reset after which the node announces nothing until the session is back: it is the only one that is established.</summary>
    public static bool EndsItsLastSession(OperationTarget target) =>
        target.Member.Node is { EstablishedSessions: <= 1 } node && node.Sessions.Any(s => s.Neighbor == target.Request.Neighbor && s.State == BgpSessionState.Established);

    /// <summary>
    /// Members that have to be seen as secondary before the target may be primary: who is primary, who is wanted as primary, and who has not
    /// yet obeyed what it was last told, because what that one does next is not known; nor is what one does that has said nothing since the hub started.
    /// </summary>
    public static IEnumerable<MemberView> ToDemote(OperationTarget target) => target.Others.Where(o => MayBecomePrimary(o, target.Prefixes));

    /// <summary>See <see cref="ToDemote"/>.</summary>
    public static bool MayBecomePrimary(MemberView member, ImmutableArray<IPNetwork> prefixes) =>
        !member.Node.HasReported
        || member.Node.ReportedRevision < member.Node.IntentRevision
        || prefixes.Any(p => member.Find(p) is { } view && (view.AssignedRole == Role.Primary || view.ReportedRole == Role.Primary));

    private static ImmutableArray<PlannedStep> Steps(OperationTarget target)
    {
        var before = NodeWanted.Of(target.OfClaimant ? null : target.Pair, target.Member.Node);
        var name = target.Member.Node.Name;
        return target.Type switch
        {
            OperationType.Switchover or OperationType.Failback =>
            [
                .. ToDemote(target).Select(o => Demote(target.Pair, o, target.Prefixes)),
                new PlannedStep
                {
                    Title = $"Promote {name} to primary",
                    Before = before,
                    Wanted = before.PrimaryNow(target.Prefixes),
                    MustAnnounce = target.Prefixes,
                },
            ],
            OperationType.SetRole =>
            [
                new PlannedStep
                {
                    Title = $"Make {name} {Word(target.Request.Role!.Value)} for {string.Join(", ", target.Prefixes)}",
                    Before = before,
                    Wanted = target.Request.Role == Role.Primary ? before.PrimaryNow(target.Prefixes) : before.With(target.Prefixes, Role.Secondary),
                    MustAnnounce = Announced(target.Member, target.Prefixes),
                },
            ],
            OperationType.ForcePromote =>
            [
                new PlannedStep
                {
                    Title = $"Promote {name} to primary, without {string.Join(" and ", target.Others.Where(o => !o.Node.IsFresh).Select(o => o.Node.Name))}",
                    Before = before,
                    Wanted = before.PrimaryNow(target.Prefixes),
                    MustAnnounce = Announced(target.Member, target.Prefixes),
                },
            ],
            OperationType.ResetSession => [],
            OperationType.Drain =>
            [
                new PlannedStep { Title = $"Drain {name}: withdraw all it announces, sessions stay up", Before = before, Wanted = before with { Drained = true } },
            ],
            OperationType.Undrain =>
            [
                new PlannedStep
                {
                    Title = $"Undrain {name}: {(LiftsLocalDrain(target) ? "end the drain that was ordered on the node itself, and " : "")}{(target.Member.Node.LocallyDrained && !LiftsLocalDrain(target) ? "the drain that was ordered on the node itself stays" : "announce again, as secondary")}",
                    Before = before,
                    Wanted = before.With(before.Roles.Keys.Select(p => IPNetwork.Parse(p)), Role.Secondary) with { Drained = false, LiftLocalDrain = LiftsLocalDrain(target) },
                },
            ],
            OperationType.SetFailback => [.. ToTellFailback(target.Pair).Select(m => TellFailback(target.Pair, m, target.Request.Failback!))],
            _ => throw new InvalidOperationException($"There is no plan for {target.Type}."),
        };
    }

    /// <summary>Who drained a node at its own console may be working on it: only a person ends that, never the hub by itself.</summary>
    public static bool LiftsLocalDrain(OperationTarget target) => target is { Type: OperationType.Undrain, Request.Automatic: false, Member.Node.LocallyDrained: true };

    // A node of which nothing is known but its name is told nothing: what it has beside the pair's prefixes would be taken from it.
    private static NodeWanted? StandDown(OperationTarget target, MemberView member)
    {
        var before = NodeWanted.Of(target.Pair, member.Node);
        var primary = target.Prefixes.Where(p => before.RoleOf(p) == Role.Primary).ToList();
        return primary.Count == 0 ? null : before.With(primary, Role.Secondary);
    }

    /// <summary>Members whose agents keep failback policies; the others have none, whatever they are told.</summary>
    public static IEnumerable<MemberView> ToTellFailback(PairView pair) => pair.Members.Where(m => m.Node.KeepsFailback);

    private static PlannedStep TellFailback(PairView pair, MemberView member, Failback failback)
    {
        // What is in force there, also where it is the node's own: that is what it goes back to.
        var now = NodeWanted.Of(pair, member.Node);
        var inForce = member.Node.Prefixes.Where(p => p is { Failback: not null, AssignedRole: not null }).Select(p => KeyValuePair.Create(p.Prefix.ToString(), p.Failback!));
        return new PlannedStep
        {
            Title = $"Tell {member.Node.Name}: when it returns as primary it {FailbackWords.Does(failback)}",
            Before = now with { Failback = now.Failback.SetItems(inForce) },
            Wanted = now.With(failback),
            MustKeepFailback = true,
        };
    }

    /// <summary>The member that would be primary at once because nothing holds it back any more; null: nobody is held back, or still is.</summary>
    private static MemberView? Released(OperationTarget target) =>
        target.Request.Failback?.Policy is FailbackPolicy.Immediate or FailbackPolicy.Sticky
            ? target.Pair.Members.FirstOrDefault(m => m.Prefixes.Any(p => p.Hold is not null))
            : null;

    private static PlannedStep Demote(PairView pair, MemberView member, ImmutableArray<IPNetwork> prefixes)
    {
        var before = NodeWanted.Of(pair, member.Node);
        var primary = prefixes.Where(p => member.Find(p) is { AssignedRole: not null });

        // If that has to be taken back it is no return of the node: it was primary a moment ago.
        var back = before with { AtOnce = [.. prefixes.Where(p => member.Find(p) is { AssignedRole: Role.Primary, ReportedRole: Role.Primary }).Select(p => p.ToString())] };
        return new PlannedStep { Title = $"Demote {member.Node.Name} to secondary", Before = back, Wanted = before.With(primary, Role.Secondary) };
    }

    private static ImmutableArray<IPNetwork> Announced(MemberView member, ImmutableArray<IPNetwork> prefixes) =>
        [.. prefixes.Where(p => FleetProjection.AnnouncedRole(member, p) is not null)];

    private static string Title(OperationTarget target)
    {
        var node = target.Member.Node.Name;
        var what = target.Request.Prefix is { } prefix ? $"{prefix} of {target.Pair.Name}" : target.Pair.Name;
        return target.Type switch
        {
            OperationType.Switchover => $"Switch {what} over to {node}",
            OperationType.SetRole => $"Make {node} {Word(target.Request.Role!.Value)} for {what}{(target.OfClaimant ? ", of which it is no node" : "")}",
            OperationType.Drain => $"Drain {node}{(target.OfClaimant ? $", which is no node of {target.Pair.Name}" : "")}",
            OperationType.Failback => $"Fail {what} back to {node}",
            OperationType.SetFailback => $"Set the failback policy of {target.Pair.Name} to {FailbackWords.Short(target.Request.Failback!)}",
            OperationType.ForcePromote => $"Force {node} to be primary for {what}",
            OperationType.ResetSession => $"Reset the session of {node} with {target.Request.Neighbor}",
            _ => $"Undrain {node}",
        };
    }

    private static string TrafficEffect(OperationTarget target)
    {
        var node = target.Member.Node.Name;
        var addresses = string.Join(", ", target.Prefixes.Select(Address));
        var active = target.Pair.ActiveNode;
        switch (target.Type)
        {
            case OperationType.Switchover or OperationType.Failback:
                return active == node
                    ? $"{addresses} stays on {node}; only the roles change."
                    : $"{addresses} moves from {active ?? "wherever it is now"} to {node}. Open TCP connections break.";
            case OperationType.Drain when SafetyRules.LeftAlone(target) is { Count: > 0 } alone:
                return $"Nobody announces {string.Join(", ", alone.Select(Address))} any more: it is unreachable until {(target.OfClaimant ? "another node announces it" : $"{node} is undrained")}.";
            case OperationType.Drain or OperationType.SetRole when target.OfClaimant:
                return Claimants.TrafficEffect(target, addresses);
            case OperationType.Drain:
                var next = target.Others.FirstOrDefault(o => FleetProjection.AnnouncedRole(o, target.Prefixes[0]) is not null)?.Node.Name;
                return IsActive(target)
                    ? $"{addresses} moves from {node} to {next ?? "nobody"}. Open TCP connections break."
                    : $"No traffic moves. While {node} is drained {addresses} has no standby there.";
            case OperationType.SetFailback:
                return Released(target) is { } released
                    ? $"Nothing holds {released.Node.Name} back any more: {addresses} moves {(active is null ? "" : $"from {active} ")}to it. Open TCP connections break."
                    : $"No traffic moves now. From now on a primary that returns {FailbackWords.Does(target.Request.Failback!)}.{TooOld(target.Pair)}";
            case OperationType.ForcePromote:
                return active == node
                    ? $"{addresses} stays on {node}."
                    : $"{addresses} comes to {node} unless another node still announces it as primary: then two do, and the platform decides. Open TCP connections break.";
            case OperationType.ResetSession:
                return target.Member.Node.EstablishedSessions > 1
                    ? $"No traffic moves: {node} announces over its other sessions meanwhile."
                    : $"{node} announces nothing until the session is back; {addresses} goes to whoever else announces it.";
            case OperationType.Undrain when target.Member.Node.LocallyDrained && !LiftsLocalDrain(target):
                return $"No traffic moves: {node} stays drained, as was ordered on the node itself.";
            case OperationType.Undrain:
                return active is null || active == node
                    ? $"{node} announces {addresses} again, as secondary; traffic comes to it if no other node has a better role."
                    : $"No traffic moves: {node} comes back as secondary, {addresses} stays on {active}.";
            default:
                return target.Request.Role == Role.Primary
                    ? active == node ? $"{addresses} stays on {node}." : $"{addresses} moves from {active ?? "wherever it is now"} to {node}. Open TCP connections break."
                    : active == node ? $"{addresses} stays on {node} unless another node is primary; then it moves there and open TCP connections break." : "No traffic moves.";
        }
    }

    private static string TooOld(PairView pair) =>
        pair.Members.Where(m => !m.Node.KeepsFailback).Select(m => m.Node.Name).ToList() is { Count: > 0 } old
            ? $" The agent of {string.Join(" and ", old)} is too old to keep a failback policy and announces as primary at once."
            : "";

    private static bool IsActive(OperationTarget target) => target.Pair.ActiveNode is null || target.Pair.ActiveNode == target.Member.Node.Name;

    // An operator knows the address; the length says something only where there is more than one address.
    private static string Address(IPNetwork prefix) => prefix.PrefixLength == prefix.BaseAddress.GetAddressBytes().Length * 8 ? prefix.BaseAddress.ToString() : prefix.ToString();

    private static string Word(Role role) => role == Role.Primary ? "primary" : "secondary";
}
