using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// Nodes that report an address of a pair that they are not of: a machine that is to take the place of another one, a mistake, or somebody who
/// wants to be taken for a node of that pair. What they say counts for none of the pair's rules; an operator lets one in, or does not. Pure.
/// </summary>
internal static class PairClaims
{
    /// <summary>A node that reports now this and now that is told of once in so long.</summary>
    public static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(10);

    private const int MostNamed = 5;

    /// <summary>Pairs of the node's data center that have one of its prefixes and not the node, by name; for a node without a pair also those of which a node has one.</summary>
    public static ImmutableArray<(PairFacts Pair, ImmutableArray<IPNetwork> Prefixes)> Of(NodeFacts node, FleetFacts facts)
    {
        if (node.Report is not { Prefixes.IsEmpty: false } report || node.Identity is { RevokedAt: not null })
        {
            return [];
        }

        var own = report.Prefixes.Select(p => p.Prefix).ToHashSet();

        // A node that has a pair may well share something with another one's node; that is not told, for a large fleet would have all of it looked at with each report.
        var free = facts.PairOf(node.Name) is null;
        return
        [
            .. facts.Pairs.Values.Where(p => p.DataCenter == node.DataCenter && !p.Members.Contains(node.Name))
                .Select(p => (Pair: p, Prefixes: Claimed(p, own, free ? facts : null)))
                .Where(p => !p.Prefixes.IsEmpty).OrderBy(p => p.Pair.Name, StringComparer.OrdinalIgnoreCase),
        ];
    }

    private static ImmutableArray<IPNetwork> Claimed(PairFacts pair, HashSet<IPNetwork> own, FleetFacts? facts)
    {
        var ofNodes = facts is null ? [] : pair.Members.SelectMany(m => facts.Nodes.GetValueOrDefault(m)?.Report?.Prefixes ?? []).Select(p => p.Prefix);
        return [.. pair.Prefixes.Concat(ofNodes).Where(own.Contains).Distinct()];
    }

    /// <summary>Tells of what the node claims now, when that is news.</summary>
    public static FleetFacts Tell(FleetFacts facts, string name, Moment now, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(name) is not { } node || Of(node, facts) is not [_, ..] pairs)
        {
            return facts;
        }

        ImmutableSortedSet<string> claimed = [.. pairs.Select(p => p.Pair.Id)];
        if (node.ToldClaims is { } told && (claimed.IsSubsetOf(told.Pairs) || now.Uptime - told.At.Uptime < ToldEvery))
        {
            return facts;
        }

        var words = pairs.Take(MostNamed).Select(p => $"{string.Join(", ", p.Prefixes)} of {p.Pair.Name} ({string.Join(" and ", p.Pair.Members)})");
        var more = pairs.Length > MostNamed ? $" and addresses of {pairs.Length - MostNamed} other pairs" : "";
        effects.Add(new FleetEffect.Happened(new EventDraft
        {
            At = now.Wall,
            Kind = EventKinds.PairClaimed,
            Severity = EventSeverity.Warning,
            Node = node.Name,
            Pair = pairs.Length == 1 ? pairs[0].Pair.Name : null,
            Text = $"{node.Name} reports {string.Join("; ", words)}{more}, and is no node of it. It is not let in by itself, and what it says counts for no rule. If it is meant to be one, let it in on the page of the pair; if you do not know why it has the address, revoke its certificate.",
        }));
        return facts with { Nodes = facts.Nodes.SetItem(name, node with { ToldClaims = new ToldClaims(claimed, now) }) };
    }

    /// <summary>The node is of the pair from now on, with what it shares with the others; who has left keeps what it was told and is shown as one who claims.</summary>
    public static FleetFacts LetIn(FleetFacts facts, FleetMessage.MemberLetIn letIn, ICollection<FleetEffect> effects)
    {
        if (facts.Pairs.GetValueOrDefault(letIn.PairId) is not { } pair || facts.Nodes.GetValueOrDefault(letIn.Node) is not { } node)
        {
            return facts;
        }

        // It had none when it was let in; if it has found one in this very moment, what the operator said counts.
        if (facts.PairOf(node.Name) is { } found && found.Id != pair.Id)
        {
            found = found with { Members = found.Members.Remove(node.Name) };
            facts = facts with { Pairs = facts.Pairs.SetItem(found.Id, found) };
            effects.Add(new FleetEffect.SavePair(found));
        }

        bool Leaves(string? name) => letIn.InPlaceOf is { } gone && string.Equals(name, gone, StringComparison.OrdinalIgnoreCase);
        pair = pair with
        {
            Members = (letIn.InPlaceOf is { } left ? pair.Members.Remove(left) : pair.Members).Add(node.Name),
            PreferredNode = Leaves(pair.PreferredNode) ? null : pair.PreferredNode,
            Active = pair.Active.RemoveRange(pair.Active.Where(a => Leaves(a.Value)).Select(a => a.Key)),
            Revision = Math.Max(pair.Revision, letIn.Revision),
        };
        pair = PairDiscovery.Refresh(pair, facts);
        effects.Add(new FleetEffect.SavePair(pair));
        return facts with { Pairs = facts.Pairs.SetItem(pair.Id, pair), Nodes = facts.Nodes.SetItem(node.Name, node with { ToldClaims = null }) };
    }
}

/// <summary>What was last told of a node's claims.</summary>
/// <param name="Pairs">Ids of the pairs.</param>
/// <param name="At">When.</param>
internal sealed record ToldClaims(ImmutableSortedSet<string> Pairs, Moment At);
