using System.Collections.Immutable;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Live;

/// <summary>
/// Operations that are news to whoever looks at a page: those under way, those that wait for a person or for their time, and those that ended a moment ago,
/// with how they ended. Used on the page's own dispatcher only.
/// </summary>
internal sealed class OperationNews
{
    /// <summary>An operation that ended this long ago is news no more.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, OperationView> _known = new(StringComparer.Ordinal);

    /// <summary>An operation stands anew.</summary>
    public void Take(OperationView operation) => _known[operation.Id] = operation;

    /// <summary>It was read from what is stored; what was announced meanwhile is newer.</summary>
    public void TakeRead(OperationView operation) => _known.TryAdd(operation.Id, operation);

    /// <summary>It has been seen.</summary>
    public void Drop(string id) => _known.Remove(id);

    /// <summary>Lets go of what ended long ago.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="kept">Id of one that stays however long ago it ended: whoever started it has not put it away. Null: none.</param>
    public void Forget(DateTimeOffset now, string? kept = null)
    {
        foreach (OperationView old in _known.Values.Where(operation => operation.Id != kept && !IsNews(operation, now)).ToList())
        {
            _known.Remove(old.Id);
        }
    }

    /// <summary>By pair: what is under way, then what waits, then what has ended; of each the newest first.</summary>
    public ILookup<string, OperationView> ByPair() => Ordered(_known.Values).ToLookup(operation => operation.PairId, StringComparer.Ordinal);

    /// <summary>Those of them that are asked for, in the same order.</summary>
    public ImmutableArray<OperationView> Where(Func<OperationView, bool> isAskedFor) => [.. Ordered(_known.Values.Where(isAskedFor))];

    /// <summary>It has not ended, or a moment ago only.</summary>
    public static bool IsNews(OperationView operation, DateTimeOffset now) => operation.FinishedAt is not { } ended ? !operation.IsFinished : now - ended < Lasts;

    private static IEnumerable<OperationView> Ordered(IEnumerable<OperationView> operations) =>
        operations.OrderBy(operation => operation.IsFinished ? 2 : operation.IsWaiting ? 1 : 0).ThenByDescending(operation => operation.RequestedAt);
}
