using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// Finds a prefix among those of one node. A node may have thousands, and whoever judges a pair asks for each of them: among few it is looked for, of many a table is
/// made when it is first asked for. It belongs to the array that it was made of, so a copy of a record with other prefixes makes another one; and it
/// is never a difference between two records.
/// </summary>
internal struct PrefixLookup : IEquatable<PrefixLookup>
{
    // Until here looking is quicker than a table.
    private const int Few = 8;

    private Table? _table;

    /// <summary>The first with this prefix; null: there is none.</summary>
    public PrefixView? Find(ImmutableArray<PrefixView> among, IPNetwork prefix)
    {
        if (among.Length <= Few)
        {
            foreach (var view in among)
            {
                if (view.Prefix.Equals(prefix))
                {
                    return view;
                }
            }

            return null;
        }

        // Two threads may both make one; either will do.
        var table = _table;
        if (table is null || table.Of != among)
        {
            _table = table = new Table(among);
        }

        return table.ByPrefix.GetValueOrDefault(prefix);
    }

    public readonly bool Equals(PrefixLookup other) => true;

    public override readonly bool Equals(object? obj) => obj is PrefixLookup;

    public override readonly int GetHashCode() => 0;

    private sealed class Table
    {
        public Table(ImmutableArray<PrefixView> of)
        {
            Of = of;
            ByPrefix = new Dictionary<IPNetwork, PrefixView>(of.Length);
            foreach (var view in of)
            {
                ByPrefix.TryAdd(view.Prefix, view);
            }
        }

        public ImmutableArray<PrefixView> Of { get; }

        public Dictionary<IPNetwork, PrefixView> ByPrefix { get; }
    }
}
