namespace FailoverHub.Web.Data;

/// <summary>
/// A request that its sender may send again (Idempotency-Key): written in the transaction of the change that it stands for, so that either both are there or neither.
/// Kept for a day.
/// </summary>
internal sealed class RequestKeyEntity
{
    /// <summary>Who sent it; with <see cref="Key"/> it is the row's key, so that nobody meets another one's.</summary>
    public required string Caller { get; set; }

    public required string Key { get; set; }

    /// <summary>SHA-256 of method, path, condition and body, lower-case hex.</summary>
    public required string RequestHash { get; set; }

    public required long AtMs { get; set; }

    /// <summary>The operation that it set going.</summary>
    public string? CorrelationId { get; set; }

    /// <summary>Status of the answer; null: the hub ended between the change and its answer.</summary>
    public int? Status { get; set; }

    public string? ContentType { get; set; }

    public string? Location { get; set; }

    /// <summary>The entity tag of the answer; null: it had none.</summary>
    public string? Etag { get; set; }

    public string? Body { get; set; }
}
