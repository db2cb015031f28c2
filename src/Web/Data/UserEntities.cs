using Microsoft.AspNetCore.Identity;

namespace FailoverHub.Web.Data;

/// <summary>Somebody with an account. Identity keeps name, password (hashed), roles, logins of a provider and passkeys; the rest is here.</summary>
internal sealed class HubUser : IdentityUser
{
    public long CreatedAtMs { get; set; }

    public long? LastSignInAtMs { get; set; }

    /// <summary>An admin has locked it; only an admin or the command line opens it again. <see cref="IdentityUser{TKey}.LockoutEnd"/> is what failed attempts do.</summary>
    public bool IsLocked { get; set; }

    /// <summary>Somebody else chose the password: it opens nothing but the page to choose another.</summary>
    public bool PasswordIsTemporary { get; set; }

    /// <summary>Secret of the authenticator app, encrypted with the hub's keys; null: there is none.</summary>
    public string? AuthenticatorSecret { get; set; }

    /// <summary>The newest 30-second step whose code was used: no code is good twice.</summary>
    public long AuthenticatorStep { get; set; }

    /// <summary>SHA-256 of the recovery codes that are left, lower-case hex, separated by one blank.</summary>
    public string RecoveryCodes { get; set; } = "";
}
