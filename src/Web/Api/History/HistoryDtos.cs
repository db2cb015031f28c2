namespace FailoverHub.Web.Api.History;

/// <summary>Something that happened.</summary>
public sealed record EventDto
{
    /// <summary>Grows.</summary>
    public required long Id { get; init; }

    /// <summary>When it happened: by the node's clock for what a node reported, else by the hub's.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When the hub stored it.</summary>
    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>Stable word, such as session-lost.</summary>
    public required string Kind { get; init; }

    /// <summary>info, warning or critical.</summary>
    public required string Severity { get; init; }

    /// <summary>Name of the pair it is about.</summary>
    public required string? Pair { get; init; }

    /// <summary>Name of the node it is about.</summary>
    public required string? Node { get; init; }

    /// <summary>Prefix it is about.</summary>
    public required string? Prefix { get; init; }

    /// <summary>What and why.</summary>
    public required string Text { get; init; }

    /// <summary>Id of the operation that caused it.</summary>
    public required string? Operation { get; init; }
}

/// <summary>Something somebody did or tried to do.</summary>
public sealed record AuditDto
{
    /// <summary>Grows without a gap.</summary>
    public required long Id { get; init; }

    /// <summary>When the hub wrote it.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When it was done on a node itself, by the node's clock, maybe long before; null: at that moment, through the hub.</summary>
    public required DateTimeOffset? HappenedAt { get; init; }

    /// <summary>Who.</summary>
    public required string Actor { get; init; }

    /// <summary>Address that the request came from.</summary>
    public required string? RemoteAddress { get; init; }

    /// <summary>What the request said for whom it was forwarded, as it stands there. "… via ADDRESS": a trusted proxy said so; else it means nothing.</summary>
    public required string? ForwardedFor { get; init; }

    /// <summary>What, such as switchover, drain, sign-in, token-created; local-command: something on a node itself.</summary>
    public required string Action { get; init; }

    /// <summary>On what.</summary>
    public required string Target { get; init; }

    /// <summary>Why, in the actor's words.</summary>
    public required string? Reason { get; init; }

    /// <summary>What was so before, JSON text exactly as it was hashed.</summary>
    public required string? Before { get; init; }

    /// <summary>What is wanted after, JSON text exactly as it was hashed.</summary>
    public required string? After { get; init; }

    /// <summary>accepted, or refused with the rule.</summary>
    public required string Outcome { get; init; }

    /// <summary>Operation that it set going.</summary>
    public required string? CorrelationId { get; init; }

    /// <summary>Hash of the entry before: hex SHA-256, zeros for the first.</summary>
    public required string PreviousHash { get; init; }

    /// <summary>Hash of this entry.</summary>
    public required string Hash { get; init; }
}

/// <summary>Result of checking the audit's hash chain and its checkpoints.</summary>
public sealed record AuditVerificationDto
{
    /// <summary>Every entry follows from the one before, and every checkpoint signed what is there.</summary>
    public required bool Intact { get; init; }

    /// <summary>Entries checked.</summary>
    public required long Entries { get; init; }

    /// <summary>First entry that does not, null when intact.</summary>
    public required long? FirstBrokenId { get; init; }

    /// <summary>Hash of the newest entry.</summary>
    public required string HeadHash { get; init; }

    /// <summary>What is wrong, in the order of the entries: the first hundred.</summary>
    public required IReadOnlyList<AuditProblemDto> Problems { get; init; }

    /// <summary>How much is wrong.</summary>
    public required long ProblemCount { get; init; }

    /// <summary>Checkpoints checked.</summary>
    public required long Checkpoints { get; init; }

    /// <summary>The newest checkpoint: what came after its entry is chained, and not signed yet. Null: there is none.</summary>
    public required AuditCheckpointDto? LastCheckpoint { get; init; }
}

/// <summary>Something that is wrong with the audit.</summary>
/// <param name="EntryId">The entry where it shows.</param>
/// <param name="Text">What, as a sentence.</param>
public sealed record AuditProblemDto(long EntryId, string Text);

/// <summary>The hub's signature over the head of the audit's chain at one moment.</summary>
public sealed record AuditCheckpointDto
{
    /// <summary>Grows.</summary>
    public required long Id { get; init; }

    /// <summary>When it was signed.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The newest entry at that moment.</summary>
    public required long EntryId { get; init; }

    /// <summary>Its hash.</summary>
    public required string EntryHash { get; init; }

    /// <summary>Hex SHA-256 of the public key.</summary>
    public required string KeyId { get; init; }

    /// <summary>P-256 public key: SubjectPublicKeyInfo, DER, base64.</summary>
    public required string PublicKey { get; init; }

    /// <summary>ECDSA with SHA-256, DER, base64, over "failoverhub audit checkpoint v1", "entry N", "hash H", "at M" (milliseconds since 1970) and "key K", each ended by a line feed.</summary>
    public required string Signature { get; init; }
}
