using System.Collections.Immutable;

namespace FailoverHub.Web.Access.Provider;

/// <summary>An OpenID Connect provider that vouches for people, and what its claims come to here.</summary>
internal sealed record ProviderOptions
{
    /// <summary>On the button.</summary>
    public required string Name { get; init; }

    /// <summary>Its issuer; /.well-known/openid-configuration is below it.</summary>
    public required Uri Authority { get; init; }

    public required string ClientId { get; init; }

    /// <summary>Null: a public client, with PKCE alone.</summary>
    public required string? ClientSecret { get; init; }

    /// <summary>Scopes that are asked for beside openid.</summary>
    public required ImmutableArray<string> Scopes { get; init; }

    /// <summary>Claim whose values name roles or groups.</summary>
    public required string RoleClaim { get; init; }

    /// <summary>Value of that claim -> role of the hub.</summary>
    public required ImmutableDictionary<string, string> Roles { get; init; }

    /// <summary>Pure. The roles that somebody with these values of the claim has here.</summary>
    public ImmutableArray<string> RolesOf(IEnumerable<string> values)
    {
        HashSet<string> found = [.. values.Select(value => Roles.GetValueOrDefault(value)).OfType<string>()];
        return [.. HubRoles.All.Where(found.Contains)];
    }
}
