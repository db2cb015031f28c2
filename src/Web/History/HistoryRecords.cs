using FailoverHub.Web.Data;

namespace FailoverHub.Web.History;

/// <summary>The one place where history meets its rows.</summary>
internal static class HistoryRecords
{
    // A sentence from a node is shown, not parsed; what is longer than this is no sentence.
    private const int MaxText = 2_000;

    public static EventEntity ToEntity(EventDraft happened, DateTimeOffset recordedAt) => new()
    {
        AtMs = happened.At.ToUnixTimeMilliseconds(),
        RecordedAtMs = recordedAt.ToUnixTimeMilliseconds(),
        Kind = happened.Kind,
        Severity = happened.Severity,
        Pair = happened.Pair,
        Node = happened.Node,
        Prefix = happened.Prefix,
        Text = happened.Text.Length <= MaxText ? happened.Text : happened.Text[..MaxText],
        OperationId = happened.OperationId,
    };

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

    public static AuditEntity ToEntity(AuditDraft draft, long id, DateTimeOffset at, string previousHash)
    {
        var entity = new AuditEntity
        {
            Id = id,
            AtMs = at.ToUnixTimeMilliseconds(),
            Actor = draft.Actor.Name,
            RemoteAddress = draft.Actor.RemoteAddress,
            ForwardedFor = draft.Actor.ForwardedFor,
            Action = draft.Action,
            Target = draft.Target,
            Reason = draft.Reason,
            Before = draft.Before,
            After = draft.After,
            Outcome = draft.Outcome,
            CorrelationId = draft.CorrelationId,
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
}
