using System.Collections.Immutable;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History;

/// <summary>The one place where history meets its rows.</summary>
internal static class HistoryRecords
{
    // A sentence from a node is shown, not parsed; what is longer than this is no sentence.
    private const int MaxText = 2_000;

    private const int MaxWord = 200;
    private const int MaxReason = 500;
    private const int MaxOutcome = 4_000;

    // Intents of two nodes with every prefix that a report may have fit in.
    private const int MaxJson = 1_000_000;

    public static EventEntity ToEntity(EventDraft happened, DateTimeOffset recordedAt) => new()
    {
        AtMs = happened.At.ToUnixTimeMilliseconds(),
        RecordedAtMs = recordedAt.ToUnixTimeMilliseconds(),
        Kind = happened.Kind,
        Severity = happened.Severity,
        Pair = happened.Pair,
        Node = happened.Node,
        Prefix = happened.Prefix,
        Text = StoredText(happened),
        OperationId = happened.OperationId,
    };

    /// <summary>The event's sentence as it is read back.</summary>
    public static string StoredText(EventDraft happened) => Plain(happened.Text, MaxText);

    public static EventRecord ToRecord(EventEntity entity) => new()
    {
        Id = entity.Id,
        At = DateTimeOffset.FromUnixTimeMilliseconds(entity.AtMs),
        RecordedAt = DateTimeOffset.FromUnixTimeMilliseconds(entity.RecordedAtMs),
        Kind = entity.Kind,
        Severity = entity.Severity,
        Pair = entity.Pair,
        Node = entity.Node,
        Prefix = entity.Prefix,
        Text = entity.Text,
        OperationId = entity.OperationId,
    };

    /// <summary>
    /// What is hashed has to be what is read back: SQLite may keep a text only up to its first NUL, and the chain would be broken for good.
    /// So every field is made plain first; nothing else sees the draft.
    /// </summary>
    public static AuditEntity ToEntity(AuditDraft draft, long id, DateTimeOffset at, string previousHash)
    {
        var entity = new AuditEntity
        {
            Id = id,
            AtMs = at.ToUnixTimeMilliseconds(),
            HappenedAtMs = draft.HappenedAt?.ToUnixTimeMilliseconds(),
            Actor = Plain(draft.Actor.Name, MaxWord),
            RemoteAddress = PlainOrNull(draft.Actor.RemoteAddress, MaxWord),
            ForwardedFor = PlainOrNull(draft.Actor.ForwardedFor, MaxWord),
            Action = Plain(draft.Action, MaxWord),
            Target = Plain(draft.Target, MaxReason),
            Reason = PlainOrNull(draft.Reason, MaxReason),
            Before = PlainOrNull(draft.Before, MaxJson),
            After = PlainOrNull(draft.After, MaxJson),
            Outcome = Plain(draft.Outcome, MaxOutcome),
            CorrelationId = PlainOrNull(draft.CorrelationId, MaxWord),
            PreviousHash = previousHash,
            Hash = "",
        };
        entity.Hash = AuditChain.HashOf(entity);
        return entity;
    }

    public static AuditEntry ToEntry(AuditEntity entity) => new()
    {
        Id = entity.Id,
        At = DateTimeOffset.FromUnixTimeMilliseconds(entity.AtMs),
        HappenedAt = entity.HappenedAtMs is { } happened ? DateTimeOffset.FromUnixTimeMilliseconds(happened) : null,
        Actor = entity.Actor,
        RemoteAddress = entity.RemoteAddress,
        ForwardedFor = entity.ForwardedFor,
        Action = entity.Action,
        Target = entity.Target,
        Reason = entity.Reason,
        Before = entity.Before,
        After = entity.After,
        Outcome = entity.Outcome,
        CorrelationId = entity.CorrelationId,
        PreviousHash = entity.PreviousHash,
        Hash = entity.Hash,
    };

    public static AuditCheckpoint ToCheckpoint(AuditCheckpointEntity entity) => new()
    {
        Id = entity.Id,
        At = DateTimeOffset.FromUnixTimeMilliseconds(entity.AtMs),
        EntryId = entity.EntryId,
        EntryHash = entity.EntryHash,
        KeyId = entity.KeyId,
        PublicKey = entity.PublicKey,
        Signature = entity.Signature,
    };

    public static IntentRecord ToIntent(IntentEntity entity) => new()
    {
        Node = entity.Node,
        Revision = entity.Revision,
        Roles = entity.Roles.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split('='))
            .ToImmutableSortedDictionary(r => r[0], r => r[1].ToLowerInvariant(), StringComparer.Ordinal),
        Drained = entity.Drained,
        Stage = entity.Stage.ToString().ToLowerInvariant(),
        WrittenAt = DateTimeOffset.FromUnixTimeMilliseconds(entity.WrittenAtMs),
        Reason = entity.Reason,
    };

    /// <summary>One line of at most so many characters; what is cut ends with a mark. A surrogate without its other half would come back as another character.</summary>
    private static string Plain(string text, int longest)
    {
        var cut = Cut.To(text, longest);
        return string.Create(cut.Length, cut, (line, source) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                var half = char.IsSurrogate(source[i])
                    && !(i + 1 < source.Length && char.IsSurrogatePair(source[i], source[i + 1]))
                    && !(i > 0 && char.IsSurrogatePair(source[i - 1], source[i]));
                line[i] = char.IsControl(source[i]) ? ' ' : half ? '\uFFFD' : source[i];
            }
        });
    }

    private static string? PlainOrNull(string? text, int longest) => text is null ? null : Plain(text, longest);
}
