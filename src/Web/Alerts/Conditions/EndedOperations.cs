using System.Collections.Immutable;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>What an operation that did not succeed is known by: another one of the same type on the same pair and node is the same trouble again.</summary>
internal readonly record struct OperationKey(string PairId, string? Node, OperationType Type)
{
    public static OperationKey Of(OperationView operation) => new(operation.PairId, operation.Type.IsOfPair() ? null : operation.Node, operation.Type);
}

/// <summary>Operations of one key that did not succeed.</summary>
/// <param name="Newest">The last of them.</param>
/// <param name="Times">How many there were since one succeeded, the newest too.</param>
/// <param name="Since">When the first of them was asked for.</param>
internal sealed record FailedOperation(OperationView Newest, int Times, DateTimeOffset Since);

/// <summary>
/// Which operations did not succeed and were not made up for. A value. What makes up for one is another of the same pair that succeeded after it had ended; a freeze only for a freeze, since it moves
/// nothing. By when they ended, not by when they were asked for: one that was asked for hours ago for a certain time, or waited for a second person, fails now.
/// </summary>
internal sealed record EndedOperations
{
    /// <summary>As long as the longest rule calls it news.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(168);

    private ImmutableDictionary<OperationKey, FailedOperation> ByKey { get; init; } = ImmutableDictionary<OperationKey, FailedOperation>.Empty;

    /// <summary>When the last one succeeded.</summary>
    private ImmutableDictionary<(string PairId, bool OfFreeze), DateTimeOffset> Succeeded { get; init; } = ImmutableDictionary<(string PairId, bool OfFreeze), DateTimeOffset>.Empty;

    public static EndedOperations None { get; } = new();

    public IEnumerable<FailedOperation> Failed => ByKey.Values;

    /// <summary>An operation has ended, or nobody knows how it did; any other is not taken.</summary>
    public EndedOperations Take(OperationView operation)
    {
        var key = OperationKey.Of(operation);
        switch (operation.Status)
        {
            case OperationStatus.Succeeded:
                return Succeed(operation);
            case OperationStatus.Cancelled:
                // Somebody wanted it so. Of one whose outcome was not known it is the outcome.
                return ByKey.TryGetValue(key, out FailedOperation? settled) && settled.Newest.Id == operation.Id ? this with { ByKey = ByKey.Remove(key) } : this;
            case OperationStatus.Failed or OperationStatus.TimedOut or OperationStatus.Refused or OperationStatus.OutcomeUnknown:
                return Succeeded.TryGetValue((operation.PairId, operation.Type.IsOfFreeze()), out DateTimeOffset later) && later > EndOf(operation) ? this : Fail(key, operation);
            default:
                return this;
        }
    }

    /// <summary>When it ended; of one whose outcome is not known, when its last step was seen to end. Never before it was asked for.</summary>
    public static DateTimeOffset EndOf(OperationView operation) =>
        operation.FinishedAt ?? operation.Steps.Select(s => s.FinishedAt ?? s.StartedAt).OfType<DateTimeOffset>().Append(operation.RequestedAt).Max();

    /// <summary>Forgets what no rule calls news any more.</summary>
    public EndedOperations Forget(DateTimeOffset now)
    {
        OperationKey[] old = [.. ByKey.Where(f => now - (f.Value.Newest.FinishedAt ?? now) > Remembered).Select(f => f.Key)];
        (string, bool)[] longAgo = [.. Succeeded.Where(s => now - s.Value > Remembered).Select(s => s.Key)];
        return old.Length + longAgo.Length == 0 ? this : new EndedOperations { ByKey = ByKey.RemoveRange(old), Succeeded = Succeeded.RemoveRange(longAgo) };
    }

    private EndedOperations Succeed(OperationView operation)
    {
        (string PairId, bool OfFreeze) about = (operation.PairId, operation.Type.IsOfFreeze());
        DateTimeOffset end = EndOf(operation);
        OperationKey[] madeUpFor = [.. ByKey.Where(f => f.Value.Newest.Id == operation.Id || (f.Key.PairId == about.PairId && f.Key.Type.IsOfFreeze() == about.OfFreeze && EndOf(f.Value.Newest) < end)).Select(f => f.Key)];
        bool isNewest = !Succeeded.TryGetValue(about, out DateTimeOffset known) || known < end;
        return new EndedOperations { ByKey = ByKey.RemoveRange(madeUpFor), Succeeded = isNewest ? Succeeded.SetItem(about, end) : Succeeded };
    }

    private EndedOperations Fail(OperationKey key, OperationView operation)
    {
        if (!ByKey.TryGetValue(key, out FailedOperation? before))
        {
            return this with { ByKey = ByKey.SetItem(key, new FailedOperation(operation, 1, operation.RequestedAt)) };
        }

        FailedOperation after = before.Newest.Id == operation.Id ? before with { Newest = operation } : before with
        {
            Newest = EndOf(before.Newest) <= EndOf(operation) ? operation : before.Newest,
            Times = before.Times + 1,
            Since = operation.RequestedAt < before.Since ? operation.RequestedAt : before.Since,
        };
        return this with { ByKey = ByKey.SetItem(key, after) };
    }
}
