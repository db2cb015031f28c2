using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Node.Orders;

/// <summary>Somebody on the node itself wants nothing announced.</summary>
/// <param name="Actor">Who: <c>root (uid 0)</c>; empty: it is presumed, because nobody knows.</param>
/// <param name="Reason">In that person's words, or why it is presumed; empty: none was given.</param>
/// <param name="At">UTC.</param>
/// <param name="AfterRevision">The intent in force then; only a newer one can lift it.</param>
internal sealed record LocalDrain(string Actor, string Reason, DateTimeOffset At, ulong AfterRevision)
{
    public bool IsPresumed => Actor.Length == 0;
}

/// <summary>Somebody on the node itself wants this role for a prefix.</summary>
/// <param name="Role">Which.</param>
/// <param name="Actor">Who.</param>
/// <param name="Reason">In that person's words; empty: none was given.</param>
/// <param name="At">UTC.</param>
/// <param name="AfterRevision">The intent in force then; a newer one that names the prefix ends the order.</param>
/// <param name="DespiteLostIntent">It was given while the stored intent could not be read, so it is not in doubt because of that.</param>
internal sealed record RoleOrder(Role Role, string Actor, string Reason, DateTimeOffset At, ulong AfterRevision, bool DespiteLostIntent);

/// <summary>
/// What was ordered on the node itself. Kept beside the intent and never in it: what the hub wants and what somebody in front of the machine
/// wants are two words, and each is lifted by whoever said it.
/// </summary>
internal sealed record LocalOrders
{
    // An entry is for people to read.
    private const int MostSaid = 3;

    public static LocalOrders None { get; } = new();

    /// <summary>Null: not drained by a local command.</summary>
    public LocalDrain? Drain { get; init; }

    public ImmutableDictionary<IPNetwork, RoleOrder> Roles { get; init; } = ImmutableDictionary<IPNetwork, RoleOrder>.Empty;

    /// <summary>
    /// The file could not be read when this intent was in force (0: none was): some prefix may have been ordered to be secondary. Until it is
    /// ordered anew, or a newer intent names it, none of them is announced as primary. Null: nothing is lost.
    /// </summary>
    public ulong? RolesLostAfter { get; init; }

    /// <summary>What is left of them under this intent.</summary>
    public LocalOrders Under(NodeIntent? intent)
    {
        if (intent is null || this == None)
        {
            return this;
        }

        var ended = intent.Prefixes.Select(entry => entry.Prefix).Where(prefix => Roles.TryGetValue(prefix, out var order) && intent.Revision > order.AfterRevision).ToList();
        var lifted = Drain is { } drain && intent.LiftLocalDrain && intent.Revision > drain.AfterRevision;
        return ended.Count == 0 && !lifted ? this : this with { Drain = lifted ? null : Drain, Roles = Roles.RemoveRange(ended) };
    }

    /// <summary>
    /// What is in force, with who ordered it, when and why; empty: nothing. For the entry of a start: a kill between the disk and the journal
    /// leaves an order that no entry names.
    /// </summary>
    public string Describe()
    {
        IEnumerable<string> drain = Drain is { } drained ? [$"drained {By(drained.Actor, drained.At, drained.Reason)}"] : [];
        var roles = Roles
            .GroupBy(entry => entry.Value, entry => entry.Key)
            .Select(group => (Order: group.Key, Prefixes: group.OrderBy(prefix => prefix, Comparer<IPNetwork>.Create(SharedPrefix.Compare)).ToList()))
            .OrderBy(group => group.Order.At)
            .ToList();
        var said = roles.Take(MostSaid).Select(group =>
            $"{string.Join(" and ", group.Prefixes.Take(MostSaid))}{More(group.Prefixes.Count)} {group.Order.Role.Word()} {By(group.Order.Actor, group.Order.At, group.Order.Reason)}");
        return string.Join(", ", drain.Concat(said)) + More(roles.Count);

        static string By(string actor, DateTimeOffset at, string reason) =>
            $"{(actor.Length == 0 ? "as is presumed" : $"by {actor}")} at {at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)}{(reason.Length == 0 ? "" : $" ({reason})")}";

        static string More(int count) => count > MostSaid ? $" and {count - MostSaid} more" : "";
    }

    /// <summary>Nothing is ordered and nothing is lost.</summary>
    public bool IsEmpty => Drain is null && Roles.IsEmpty && RolesLostAfter is null;
}
