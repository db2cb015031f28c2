using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet.Present;

/// <summary>Which nodes of a data center have a prefix, so that a pair finds who else has one of its own without looking at the whole fleet.</summary>
internal sealed class PrefixHolders
{
    private readonly Dictionary<(string DataCenter, IPNetwork Prefix), ImmutableSortedSet<string>> _holders = [];

    /// <summary>Another number with each change: as long as it is the same, nobody has other prefixes than before.</summary>
    public long Version { get; private set; }

    private static readonly ImmutableSortedSet<string> Nobody = ImmutableSortedSet.Create<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>A node's view has replaced another one.</summary>
    /// <param name="before">Null: the node is new.</param>
    /// <param name="after">Null: it is gone.</param>
    public void Move(NodeView? before, NodeView? after)
    {
        if (before is not null && after is not null && before.DataCenter == after.DataCenter && HaveTheSamePrefixes(before, after))
        {
            return;
        }

        Version++;
        foreach (var view in before?.Prefixes ?? [])
        {
            var key = (before!.DataCenter, view.Prefix);
            var left = _holders.GetValueOrDefault(key, Nobody).Remove(before.Name);
            if (left.IsEmpty)
            {
                _holders.Remove(key);
            }
            else
            {
                _holders[key] = left;
            }
        }

        foreach (var view in after?.Prefixes ?? [])
        {
            var key = (after!.DataCenter, view.Prefix);
            _holders[key] = _holders.GetValueOrDefault(key, Nobody).Add(after.Name);
        }
    }

    /// <summary>Nodes of the pair's data center that are not of the pair and have one of its prefixes, or one that a node of it has; by name.</summary>
    public ImmutableArray<string> Outsiders(PairFacts pair, ImmutableArray<NodeView> members)
    {
        ImmutableSortedSet<string>? found = null;
        foreach (var prefix in pair.Prefixes)
        {
            Add(pair, prefix, ref found);
        }

        // Most of these are the pair's too; to look twice costs less than to know that.
        foreach (var member in members)
        {
            foreach (var view in member.Prefixes)
            {
                Add(pair, view.Prefix, ref found);
            }
        }

        return found is null ? [] : [.. found];
    }

    private void Add(PairFacts pair, IPNetwork prefix, ref ImmutableSortedSet<string>? found)
    {
        if (!_holders.TryGetValue((pair.DataCenter, prefix), out var holders))
        {
            return;
        }

        foreach (var name in holders)
        {
            if (!pair.Members.Contains(name))
            {
                found = (found ?? Nobody).Add(name);
            }
        }
    }

    private static bool HaveTheSamePrefixes(NodeView a, NodeView b)
    {
        if (a.Prefixes.Equals(b.Prefixes))
        {
            return true;
        }

        if (a.Prefixes.Length != b.Prefixes.Length)
        {
            return false;
        }

        for (var i = 0; i < a.Prefixes.Length; i++)
        {
            if (!a.Prefixes[i].Prefix.Equals(b.Prefixes[i].Prefix))
            {
                return false;
            }
        }

        return true;
    }
}
