namespace FailoverHub.Web.Data;

/// <summary>A node that has joined: who it is whatever it is called.</summary>
internal sealed class NodeIdentityEntity
{
    /// <summary>32 lower-case hex digits; stands in its certificates and never changes.</summary>
    public required string NodeId { get; set; }

    /// <summary>What it is called now.</summary>
    public required string Name { get; set; }

    /// <summary>The name in lower case: names differ in more than case. Unique among nodes that were not removed.</summary>
    public required string NameKey { get; set; }

    public required long JoinedAtMs { get; set; }

    /// <summary>Null: it may connect.</summary>
    public long? RevokedAtMs { get; set; }

    public string? RevokedReason { get; set; }

    /// <summary>The row stays, so that a certificate that turns up later can be told what became of its node.</summary>
    public long? RemovedAtMs { get; set; }
}

/// <summary>A certificate that the hub's authority has issued for a node. The certificate itself is not kept: its node has it.</summary>
internal sealed class NodeCertificateEntity
{
    /// <summary>Lower-case hex; the key.</summary>
    public required string Serial { get; set; }

    public required string NodeId { get; set; }

    public required long IssuedAtMs { get; set; }

    public required long NotAfterMs { get; set; }

    /// <summary>For the certificate before it; else for a join token.</summary>
    public required bool IsRenewal { get; set; }

    /// <summary>Null: it may be used until it expires.</summary>
    public long? RevokedAtMs { get; set; }
}

/// <summary>A join token. The token itself is shown once and never stored.</summary>
internal sealed class JoinTokenEntity
{
    /// <summary>For people and scripts; says nothing about the token.</summary>
    public required string Id { get; set; }

    /// <summary>SHA-256 of what stands before the dot, lower-case hex.</summary>
    public required string Hash { get; set; }

    public required string CreatedBy { get; set; }

    public required long CreatedAtMs { get; set; }

    public required long ExpiresAtMs { get; set; }

    /// <summary>The only name that it is good for; null: any that is free.</summary>
    public string? Node { get; set; }

    /// <summary>It gives a node that there is already a new certificate.</summary>
    public required bool ForExisting { get; set; }

    /// <summary>A concurrency token: of two uses at once only one succeeds.</summary>
    public long? UsedAtMs { get; set; }

    /// <summary>The name of the node that used it.</summary>
    public string? UsedBy { get; set; }

    public long? WithdrawnAtMs { get; set; }
}
