using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Operations.Planning;

/// <summary>
/// What can be asked of a node that only claims addresses of a pair: to stand back, drained or as secondary. No rule of the pair relies on its word, so nothing is
/// lost by it that the pair had; and whatever would have it announce, or announce better, is for a node that an operator has let in. Pure.
/// </summary>
internal static class Claimants
{
    /// <summary>It makes a node announce less than before.</summary>
    public static bool StandsBack(OperationRequest request) => request.Type == OperationType.Drain || request is { Type: OperationType.SetRole, Role: Role.Secondary };

    /// <summary>Null: no such node claims anything of the pair.</summary>
    public static ClaimantView? Find(PairView pair, string name) => pair.Claimants.FirstOrDefault(c => string.Equals(c.Node, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The pair that a request names by its node alone: its own; else the first by name of those that it claims, and that has the prefix. Null: there is none.</summary>
    public static PairView? PairFor(FleetSnapshot fleet, string node, OperationRequest request)
    {
        var own = fleet.Pairs.FirstOrDefault(p => p.Members.Any(m => m.Node.Name == node));
        var claimed = own is null || (request is { Type: OperationType.SetRole, Prefix: { } prefix } && !own.Prefixes.Contains(prefix))
            ? fleet.Pairs.FirstOrDefault(p => Find(p, node) is { } claims && (request.Prefix is not { } wanted || claims.Prefixes.Contains(wanted)))
            : null;
        return claimed ?? own;
    }

    /// <summary>Why a node that is not of the pair cannot be asked for it; null: it can.</summary>
    public static SubmitResult.Invalid? Problem(PairView pair, string name, string field, OperationRequest request)
    {
        var problem = Find(pair, name) is not { } claims
            ? (field, $"'{name}' is no node of the pair '{pair.Name}'; it has {string.Join(" and ", pair.Members.Select(m => m.Node.Name))}.")
            : !StandsBack(request)
            ? (field, $"{claims.Node} is no node of the pair '{pair.Name}' and only reports its addresses: it can be drained or made secondary, so that it stands back. Let it into the pair first.")
            : request.ExpiresIn is not null
            ? ("expiresInSeconds", $"{claims.Node} is no node of the pair '{pair.Name}': a drain of it does not end by itself, but when it is let in and undrained.")
            : default((string Field, string Why)?);
        return problem is (var where, var why) ? new SubmitResult.Invalid(ImmutableDictionary<string, string>.Empty.Add(where, why)) : null;
    }

    /// <summary>The node, seen as a member of the pair would be, with what it claims.</summary>
    public static MemberView ViewOf(FleetSnapshot fleet, ClaimantView claims)
    {
        var node = fleet.FindNode(claims.Node)!;
        return new MemberView { Node = node, Prefixes = [.. claims.Prefixes.Select(node.Find).OfType<PrefixView>()] };
    }

    /// <summary>What the node announces, and no node of a pair that has it surely does: of whoever else claims it nothing is believed.</summary>
    public static IReadOnlyList<IPNetwork> LeftAlone(OperationTarget target)
    {
        var node = target.Member.Node;
        var relied = target.Fleet.Pairs
            .Where(p => p.Members.Any(m => m.Node.Name == node.Name) || Find(p, node.Name) is not null)
            .SelectMany(p => p.Members).Select(m => m.Node).Where(n => n.Name != node.Name).ToList();
        return [.. node.Prefixes.Where(p => p.Announced).Select(p => p.Prefix).Where(p => !relied.Exists(o => FleetProjection.SurelyAnnounces(o, p)))];
    }

    /// <summary>What becomes of traffic.</summary>
    /// <param name="target">A claimant that is to stand back.</param>
    /// <param name="addresses">What it is about, in words.</param>
    public static string TrafficEffect(OperationTarget target, string addresses)
    {
        var (node, pair) = (target.Member.Node.Name, target.Pair);
        var next = target.Others
            .Where(o => target.Prefixes.Any(p => FleetProjection.AnnouncedRole(o, p) is not null))
            .MinBy(o => target.Prefixes.Min(p => FleetProjection.AnnouncedRole(o, p)))?.Node.Name;
        var does = target.Type == OperationType.Drain ? "announces nothing any more" : $"announces {addresses} as secondary";
        return pair.ActiveNode is { } active && active != node
            ? $"{node} {does}; it is no node of {pair.Name}, whose traffic stays on {active}."
            : $"{node} {does}; it is no node of {pair.Name}. Traffic for {addresses} that comes to it goes to {next ?? "nobody"} then, and open TCP connections to it break.";
    }
}
