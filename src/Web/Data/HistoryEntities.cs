using FailoverHub.Web.History;

namespace FailoverHub.Web.Data;

/// <summary>Something that happened. Triggers forbid UPDATE, and DELETE but by retention.</summary>
internal sealed class EventEntity
{
    public long Id { get; set; }

    public required long AtMs { get; set; }

    public required long RecordedAtMs { get; set; }

    public required string Kind { get; set; }

    public required EventSeverity Severity { get; set; }

    public string? Pair { get; set; }

    public string? Node { get; set; }

    public string? Prefix { get; set; }

    public required string Text { get; set; }

    public string? OperationId { get; set; }

    // Set for what came out of a node's journal; with the node they are unique, so that nothing is stored twice.
    public string? BootId { get; set; }

    public long? JournalSequence { get; set; }
}

/// <summary>Something somebody did or tried to do. Triggers forbid UPDATE and DELETE.</summary>
internal sealed class AuditEntity
{
    /// <summary>Given by us, one more than the entry before: a gap is a removed entry.</summary>
    public required long Id { get; set; }

    public required long AtMs { get; set; }

    /// <summary>When it was done by the clock of the node that told it, maybe long before; null: at that moment, through the hub.</summary>
    public long? HappenedAtMs { get; set; }

    public required string Actor { get; set; }

    public string? RemoteAddress { get; set; }

    public string? ForwardedFor { get; set; }

    public required string Action { get; set; }

    public required string Target { get; set; }

    public string? Reason { get; set; }

    public string? Before { get; set; }

    public string? After { get; set; }

    public required string Outcome { get; set; }

    public string? CorrelationId { get; set; }

    public required string PreviousHash { get; set; }

    public required string Hash { get; set; }
}

/// <summary>A signature over the head of the audit's chain at one moment. Triggers forbid UPDATE and DELETE.</summary>
internal sealed class AuditCheckpointEntity
{
    public long Id { get; set; }

    public required long AtMs { get; set; }

    public required long EntryId { get; set; }

    public required string EntryHash { get; set; }

    public required string KeyId { get; set; }

    public required string PublicKey { get; set; }

    public required string Signature { get; set; }
}

/// <summary>How far a node's journal of one boot is stored.</summary>
internal sealed class JournalPositionEntity
{
    public required string Node { get; set; }

    public required string BootId { get; set; }

    public required long Sequence { get; set; }

    public required long UpdatedAtMs { get; set; }
}
