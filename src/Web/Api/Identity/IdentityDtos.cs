namespace FailoverHub.Web.Api.Identity;

/// <summary>Who a node is, with its newest certificate.</summary>
public sealed record NodeCertificateDto
{
    /// <summary>Never changes, whatever the node is called; it stands in the certificate as urn:failoverhub:node:ID.</summary>
    public required string NodeId { get; init; }

    /// <summary>When the node first joined.</summary>
    public required DateTimeOffset JoinedAt { get; init; }

    /// <summary>Serial number, lower-case hex.</summary>
    public required string Serial { get; init; }

    /// <summary>When it was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When it expires.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>Whole days until then; negative once it has expired.</summary>
    public required int DaysLeft { get; init; }

    /// <summary>Times that it was renewed since the node last joined by a token.</summary>
    public required int Renewals { get; init; }

    /// <summary>When somebody revoked it, null: nobody did.</summary>
    public required DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Why.</summary>
    public required string? RevokedReason { get; init; }
}

/// <summary>Body of POST /api/v1/join-tokens.</summary>
public sealed record JoinTokenBody
{
    /// <summary>The only name that the token is good for; left out: any that is free.</summary>
    public string? Node { get; init; }

    /// <summary>To give a node that there is already a new certificate; needs its name.</summary>
    public bool ForExisting { get; init; }

    /// <summary>1 to 1440; 15 when left out.</summary>
    public int? Minutes { get; init; }
}

/// <summary>A new join token: the only time that it is shown.</summary>
public sealed record JoinTokenCreatedDto
{
    /// <summary>For withdrawing it.</summary>
    public required string Id { get; init; }

    /// <summary>The token.</summary>
    public required string Token { get; init; }

    /// <summary>What to run on the node.</summary>
    public required string Command { get; init; }

    /// <summary>Where agents reach the hub.</summary>
    public required string HubUrl { get; init; }

    /// <summary>The only name that it is good for, null: any that is free.</summary>
    public required string? Node { get; init; }

    /// <summary>It gives an existing node a new certificate.</summary>
    public required bool ForExisting { get; init; }

    /// <summary>After that it is worth nothing.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A join token as it is listed.</summary>
public sealed record JoinTokenDto
{
    /// <summary>For withdrawing it.</summary>
    public required string Id { get; init; }

    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>After that it is worth nothing.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The only name that it is good for, null: any that is free.</summary>
    public required string? Node { get; init; }

    /// <summary>It gives an existing node a new certificate.</summary>
    public required bool ForExisting { get; init; }

    /// <summary>When a node joined with it, null: none did.</summary>
    public required DateTimeOffset? UsedAt { get; init; }

    /// <summary>The node that did.</summary>
    public required string? UsedBy { get; init; }

    /// <summary>When somebody made it useless, null: nobody did.</summary>
    public required DateTimeOffset? WithdrawnAt { get; init; }
}

/// <summary>Body of POST /api/v1/nodes/{node}/revoke, /rename and /remove.</summary>
public sealed record NodeChangeBody
{
    /// <summary>Why; at least 3 characters.</summary>
    public string? Reason { get; init; }

    /// <summary>The new name, for rename.</summary>
    public string? Name { get; init; }
}

/// <summary>Body of POST /api/v1/pairs/{pair}/members.</summary>
public sealed record PairMemberBody
{
    /// <summary>A node that reports an address of the pair and has no pair.</summary>
    public string? Node { get; init; }

    /// <summary>The member that leaves for it; left out: nobody does.</summary>
    public string? InPlaceOf { get; init; }

    /// <summary>Why; at least 3 characters.</summary>
    public string? Reason { get; init; }
}

/// <summary>What was done, in one sentence.</summary>
public sealed record NodeChangedDto(string Text);
