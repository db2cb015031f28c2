using System.Collections.Immutable;

namespace FailoverHub.Web.History;

/// <summary>How much an event matters.</summary>
public enum EventSeverity
{
    /// <summary>For the record.</summary>
    Info,

    /// <summary>Someone should know.</summary>
    Warning,

    /// <summary>An address is, or may be, without a node.</summary>
    Critical,
}

/// <summary>Something that happened, with its cause in one English sentence.</summary>
public sealed record EventRecord
{
    /// <summary>Grows; the cursor of paging.</summary>
    public required long Id { get; init; }

    /// <summary>When it happened, UTC: the node's clock for what a node reported, else the hub's.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When the hub stored it.</summary>
    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>Stable word: "session-lost", "role-changed", "pair-state-changed".</summary>
    public required string Kind { get; init; }

    /// <summary>How much it matters.</summary>
    public required EventSeverity Severity { get; init; }

    /// <summary>Name of the pair it is about.</summary>
    public required string? Pair { get; init; }

    /// <summary>Name of the node it is about.</summary>
    public required string? Node { get; init; }

    /// <summary>Prefix it is about.</summary>
    public required string? Prefix { get; init; }

    /// <summary>What and why.</summary>
    public required string Text { get; init; }

    /// <summary>Operation that caused it.</summary>
    public required string? OperationId { get; init; }
}

/// <summary>Something somebody did or tried to do.</summary>
public sealed record AuditEntry
{
    /// <summary>Grows without a gap; the cursor of paging.</summary>
    public required long Id { get; init; }

    /// <summary>When the hub wrote it, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When it was done, by the clock of the node that told it; null: at that moment, through the hub.</summary>
    public DateTimeOffset? HappenedAt { get; init; }

    /// <summary>Who.</summary>
    public required string Actor { get; init; }

    /// <summary>Address that the request came from.</summary>
    public required string? RemoteAddress { get; init; }

    /// <summary>What the request said for whom it was forwarded, as it stands there. "… via ADDRESS": a trusted proxy said so; else it means nothing.</summary>
    public required string? ForwardedFor { get; init; }

    /// <summary>What: "switchover", "drain", "sign-in", "token-created".</summary>
    public required string Action { get; init; }

    /// <summary>On what: "pair web", "node node-a".</summary>
    public required string Target { get; init; }

    /// <summary>Why, in the actor's words.</summary>
    public required string? Reason { get; init; }

    /// <summary>What was so before, as JSON; null where nothing is compared.</summary>
    public required string? Before { get; init; }

    /// <summary>What is wanted after, as JSON.</summary>
    public required string? After { get; init; }

    /// <summary>"accepted" or "refused: SR-03 TargetReady: …".</summary>
    public required string Outcome { get; init; }

    /// <summary>Operation it set going.</summary>
    public required string? CorrelationId { get; init; }

    /// <summary>Hash of the entry before, lower-case hex SHA-256; zeros for the first.</summary>
    public required string PreviousHash { get; init; }

    /// <summary>Hash of this entry.</summary>
    public required string Hash { get; init; }
}

/// <summary>Which part of history is wanted. Null: not filtered by that.</summary>
public sealed record HistoryFilter
{
    /// <summary>At or after.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Name of a pair.</summary>
    public string? Pair { get; init; }

    /// <summary>Name of a node.</summary>
    public string? Node { get; init; }

    /// <summary>Kind of event, or action of an audit entry.</summary>
    public string? Kind { get; init; }

    /// <summary>At least this severe (events).</summary>
    public EventSeverity? MinimumSeverity { get; init; }

    /// <summary>Who (audit).</summary>
    public string? Actor { get; init; }

    /// <summary>One operation's story.</summary>
    public string? OperationId { get; init; }

    /// <summary>
    /// Words that all have to be there, in any case and grammatical form ("announce" finds "announced"), or beginnings of words with a star
    /// ("203.0.113*"); the first ten count.
    /// </summary>
    public string? Text { get; init; }

    internal const int MaxText = 200;
    internal const int MaxWords = 10;

    internal static string[] WordsOf(string? text) => (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>One page, newest first.</summary>
/// <param name="Items">At most as many as asked for.</param>
/// <param name="NextCursor">Give it back for the next, older page; null: there is none.</param>
public sealed record HistoryPage<T>(ImmutableArray<T> Items, string? NextCursor);

/// <summary>Result of checking the audit's hash chain and its checkpoints.</summary>
/// <param name="Intact">Every entry follows from the one before, and every checkpoint signed what is there.</param>
/// <param name="Entries">Entries checked.</param>
/// <param name="FirstBrokenId">First entry that does not, null when intact.</param>
/// <param name="HeadHash">Hash of the newest entry.</param>
public sealed record AuditVerification(bool Intact, long Entries, long? FirstBrokenId, string HeadHash)
{
    /// <summary>What is wrong, in the order of the entries: the first hundred.</summary>
    public ImmutableArray<AuditProblem> Problems { get; init; } = [];

    /// <summary>How much is wrong.</summary>
    public long ProblemCount { get; init; }

    /// <summary>Checkpoints checked.</summary>
    public long Checkpoints { get; init; }

    /// <summary>The newest checkpoint; what came after it is chained, and not signed yet. Null: there is none.</summary>
    public AuditCheckpoint? LastCheckpoint { get; init; }

    /// <summary>Ids of the keys that signed.</summary>
    public ImmutableArray<string> KeyIds { get; init; } = [];
}

/// <summary>Something that is wrong with the audit.</summary>
/// <param name="EntryId">The entry where it shows.</param>
/// <param name="Text">What, as a sentence.</param>
public sealed record AuditProblem(long EntryId, string Text);

/// <summary>The hub's signature over the head of the audit's chain at one moment: who has it can prove later that the chain up to there was not changed or cut off.</summary>
public sealed record AuditCheckpoint
{
    /// <summary>Grows; the cursor of paging.</summary>
    public required long Id { get; init; }

    /// <summary>When it was signed, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The newest entry at that moment.</summary>
    public required long EntryId { get; init; }

    /// <summary>Its hash.</summary>
    public required string EntryHash { get; init; }

    /// <summary>Lower-case hex SHA-256 of the public key.</summary>
    public required string KeyId { get; init; }

    /// <summary>P-256 public key: SubjectPublicKeyInfo, DER, base64.</summary>
    public required string PublicKey { get; init; }

    /// <summary>ECDSA with SHA-256, DER, base64.</summary>
    public required string Signature { get; init; }
}

/// <summary>What was wanted of one node, as it was written before anything was sent.</summary>
public sealed record IntentRecord
{
    /// <summary>The node.</summary>
    public required string Node { get; init; }

    /// <summary>Grows for each node; newer supersedes older.</summary>
    public required long Revision { get; init; }

    /// <summary>The role of each prefix, by CIDR: "primary", "secondary".</summary>
    public required ImmutableSortedDictionary<string, string> Roles { get; init; }

    /// <summary>It is to announce nothing.</summary>
    public required bool Drained { get; init; }

    /// <summary>What has become of it: "planned", "released", "confirmed", "superseded", "abandoned", "dropped".</summary>
    public required string Stage { get; init; }

    /// <summary>When it was written, UTC.</summary>
    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}
