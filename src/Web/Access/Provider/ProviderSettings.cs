using System.Collections.Immutable;

namespace FailoverHub.Web.Access.Provider;

/// <summary>
/// Section FailoverHub:Provider of appsettings.json as text, before anything is believed. Null: not given. The environment may replace each:
/// FAILOVERHUB_PROVIDER_AUTHORITY, …_CLIENT_ID, …_SECRET_FILE, …_ROLE_CLAIM, …_ROLES ("hub-admins=Admin,noc=Operator"), …_SCOPES, …_NAME.
/// </summary>
internal sealed record ProviderSettings(string? Name = null, string? Authority = null, string? ClientId = null, string? SecretFile = null, string? Scopes = null, string? RoleClaim = null, string? Roles = null)
{
    public const string Section = "FailoverHub:Provider";

    private const string Environment = "FAILOVERHUB_PROVIDER_";

    /// <summary>The environment first, then the file; null: neither says anything.</summary>
    public static ProviderSettings? Layer(Func<string, string?> environment, IConfiguration file)
    {
        string? Pick(string variable, string key) => environment(Environment + variable) ?? file[$"{Section}:{key}"];
        string roles = string.Join(',', file.GetSection($"{Section}:{nameof(Roles)}").GetChildren().Select(one => $"{one.Key}={one.Value}"));
        var settings = new ProviderSettings(
            Pick("NAME", nameof(Name)),
            Pick("AUTHORITY", nameof(Authority)),
            Pick("CLIENT_ID", nameof(ClientId)),
            Pick("SECRET_FILE", nameof(SecretFile)),
            Pick("SCOPES", nameof(Scopes)),
            Pick("ROLE_CLAIM", nameof(RoleClaim)),
            Pick("ROLES", nameof(Roles)) ?? (roles.Length == 0 ? null : roles));
        return settings == new ProviderSettings() ? null : settings;
    }

    /// <summary>Checks everything and adds every problem. Null: there is no provider, or it cannot be.</summary>
    /// <param name="problems">Gets a sentence for each, which names the setting and says what to do.</param>
    /// <param name="readSecret">Reads the file of that path; throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when it cannot.</param>
    public ProviderOptions? Parse(ICollection<string> problems, Func<string, string> readSecret)
    {
        if (string.IsNullOrEmpty(Authority))
        {
            if (!string.IsNullOrEmpty(ClientId) || !string.IsNullOrEmpty(Roles))
            {
                problems.Add($"{Section}: Authority is missing. Write the provider's issuer, such as https://id.example/realms/ops, or take the whole section away.");
            }

            return null;
        }

        int before = problems.Count;
        if (!Uri.TryCreate(Authority, UriKind.Absolute, out Uri? authority) || (authority.Scheme != Uri.UriSchemeHttps && !authority.IsLoopback))
        {
            problems.Add($"{Section}: Authority '{Authority}' is no https address. Write the provider's issuer, such as https://id.example/realms/ops.");
        }

        if (string.IsNullOrEmpty(ClientId))
        {
            problems.Add($"{Section}: ClientId is missing. Write the id that the provider gave this hub.");
        }

        string? secret = ReadSecret(problems, readSecret);
        ImmutableDictionary<string, string> roles = ReadRoles(problems);
        return problems.Count > before
            ? null
            : new ProviderOptions
            {
                Name = string.IsNullOrWhiteSpace(Name) ? authority!.Host : Name.Trim(),
                Authority = authority!,
                ClientId = ClientId!,
                ClientSecret = secret,
                Scopes = [.. (Scopes ?? "profile email").Split([' ', ','], StringSplitOptions.RemoveEmptyEntries)],
                RoleClaim = string.IsNullOrWhiteSpace(RoleClaim) ? "groups" : RoleClaim.Trim(),
                Roles = roles,
            };
    }

    private string? ReadSecret(ICollection<string> problems, Func<string, string> readSecret)
    {
        if (string.IsNullOrEmpty(SecretFile))
        {
            return null;
        }

        try
        {
            string secret = readSecret(SecretFile).Trim();
            if (secret.Length == 0)
            {
                problems.Add($"{Section}: SecretFile '{SecretFile}' is empty. Write the client's secret into it.");
            }

            return secret;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{Section}: SecretFile '{SecretFile}' cannot be read ({fault.Message}). Make it, readable by the hub's user only, or leave it out for a public client.");
            return null;
        }
    }

    private ImmutableDictionary<string, string> ReadRoles(ICollection<string> problems)
    {
        var roles = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (string pair in (Roles ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int at = pair.LastIndexOf('=');
            string role = at < 0 ? "" : pair[(at + 1)..].Trim();
            if (at <= 0 || HubRoles.All.FirstOrDefault(known => known.Equals(role, StringComparison.OrdinalIgnoreCase)) is not { } found)
            {
                problems.Add($"{Section}: Roles has '{pair}'. Write VALUE=ROLE, where VALUE is one of the claim and ROLE one of {string.Join(", ", HubRoles.All)}.");
            }
            else
            {
                roles[pair[..at].Trim()] = found;
            }
        }

        if (roles.Count == 0 && string.IsNullOrEmpty(Roles))
        {
            problems.Add($"{Section}: Roles is missing, so nobody who comes from the provider could do anything. Write VALUE=ROLE, such as hub-admins=Admin,noc=Operator.");
        }

        return roles.ToImmutable();
    }
}
