using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;

namespace FailoverHub.Web.Api.Tokens;

/// <summary>A token of the API; never the token itself.</summary>
public sealed record ApiTokenDto
{
    /// <summary>Its name in the audit is "token NAME", or "token NAME of ACCOUNT".</summary>
    public required string Name { get; init; }

    /// <summary>read, operate, approve, admin.</summary>
    public required string Scope { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends, or ended.</summary>
    public required DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was last used, to the minute; null: never.</summary>
    public required DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Whose it is: the account that made it, "the hub's machine", "a removed account", or "not known" for one of an earlier version. Where two people are wanted, a token is its owner.</summary>
    public required string Owner { get; init; }
}

/// <summary>Body of POST /api/v1/api-tokens.</summary>
public sealed record ApiTokenBody
{
    /// <summary>1 to 63 letters, digits, '.', '-' and '_'; free among tokens that are not revoked.</summary>
    public required string Name { get; init; }

    /// <summary>read, operate, approve, admin.</summary>
    public required string Scope { get; init; }

    /// <summary>Good for so many days: 1 to 366; null: 90.</summary>
    public int? Days { get; init; }
}

/// <summary>Answer to POST /api/v1/api-tokens.</summary>
public sealed record ApiTokenCreatedDto
{
    /// <summary>To be sent as `Authorization: Bearer …`; it is in this answer and nowhere else.</summary>
    public required string Token { get; init; }

    /// <summary>What it is.</summary>
    public required ApiTokenDto Info { get; init; }
}

internal static class ApiTokenMapping
{
    public static ApiTokenDto ToDto(this ApiTokenInfo token) => new()
    {
        Name = token.Name,
        Scope = ApiScopes.Word(token.Scope),
        CreatedAt = token.CreatedAt,
        ExpiresAt = token.ExpiresAt,
        LastUsedAt = token.LastUsedAt,
        Owner = token.Owner,
    };
}
