namespace FailoverHub.Web.Data;

/// <summary>A token of the API. The token itself is shown once and never stored.</summary>
internal sealed class ApiTokenEntity
{
    public long Id { get; set; }

    /// <summary>Unique among tokens that are not revoked.</summary>
    public required string Name { get; set; }

    /// <summary>SHA-256 of the token, lower-case hex.</summary>
    public required string Hash { get; set; }

    public required long CreatedAtMs { get; set; }

    /// <summary>Null: never.</summary>
    public long? ExpiresAtMs { get; set; }

    public long? RevokedAtMs { get; set; }

    public long? LastUsedAtMs { get; set; }

    /// <summary>What it may do, a word of the access rules.</summary>
    public required string Role { get; set; }

    /// <summary>Id of the account that made it. Null: <see cref="ByMachine"/>, or an earlier version made it and it is not known who that was.</summary>
    public string? OwnerId { get; set; }

    /// <summary>Whoever runs the hub's machine made it, without an account.</summary>
    public bool ByMachine { get; set; }
}

/// <summary>The code of a one-time sign-in link.</summary>
internal sealed class SignInCodeEntity
{
    /// <summary>SHA-256 of the code, lower-case hex; the key.</summary>
    public required string Hash { get; set; }

    public required long CreatedAtMs { get; set; }

    public required long ExpiresAtMs { get; set; }

    /// <summary>A concurrency token: of two uses at once only one succeeds.</summary>
    public long? UsedAtMs { get; set; }
}

/// <summary>A browser that signed in.</summary>
internal sealed class SessionEntity
{
    /// <summary>Random; stands in the encrypted cookie.</summary>
    public required string Id { get; set; }

    /// <summary>Who signed in.</summary>
    public required string Name { get; set; }

    /// <summary>The account; null: signed in by the one-time link, without one.</summary>
    public string? UserId { get; set; }

    /// <summary>"password", "passkey", "provider", "link".</summary>
    public string Method { get; set; } = "link";

    public string? RemoteAddress { get; set; }

    /// <summary>What the browser says it is, cut.</summary>
    public string? Browser { get; set; }

    public required long CreatedAtMs { get; set; }

    public required long ExpiresAtMs { get; set; }

    /// <summary>Null: nobody has signed it out.</summary>
    public long? RevokedAtMs { get; set; }
}

/// <summary>A setting of the hub.</summary>
internal sealed class SettingEntity
{
    public required string Key { get; set; }

    public required string Value { get; set; }
}
