using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.Access.Users;

/// <summary>An account as pages and the command line show it.</summary>
public sealed record AccountView
{
    /// <summary>Never changes.</summary>
    public required string Id { get; init; }

    /// <summary>What its owner types, and what the audit says.</summary>
    public required string Name { get; init; }

    /// <summary>Words of the hub's roles, the one with least rights first.</summary>
    public required ImmutableArray<string> Roles { get; init; }

    /// <summary>An admin has locked it.</summary>
    public required bool IsLocked { get; init; }

    /// <summary>Closed by failed attempts until then; null: it is not.</summary>
    public required DateTimeOffset? LockedOutUntil { get; init; }

    /// <summary>Has a password here; one of a provider has none.</summary>
    public required bool HasPassword { get; init; }

    /// <summary>Somebody else chose the password: it has to be replaced at the next sign-in.</summary>
    public required bool PasswordIsTemporary { get; init; }

    /// <summary>A code of an app is asked for.</summary>
    public required bool HasAuthenticator { get; init; }

    /// <summary>0 to 10.</summary>
    public required int RecoveryCodesLeft { get; init; }

    /// <summary>How many there are.</summary>
    public required int Passkeys { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC; null: never.</summary>
    public required DateTimeOffset? LastSignInAt { get; init; }

    /// <summary>
    /// Of what an admin decides about: name, roles, lock, password and second factor. Another one after each change of these, and not after a sign-in. Below 2^52, so that
    /// no script's numbers round it.
    /// </summary>
    public long Revision { get; init; }

    /// <summary>The revision that whoever changes it has seen: another one is refused. Null: whatever it is.</summary>
    public long? Seen { get; init; }
}

/// <summary>What came of a change to an account.</summary>
/// <param name="Problem">Why nothing was done; null: it was done.</param>
/// <param name="Secret">What is shown once: a password, recovery codes. Null: nothing.</param>
public sealed record AccountResult(string? Problem, string? Secret = null)
{
    /// <summary>Done, with nothing to show.</summary>
    public static AccountResult Done { get; } = new(null, null);

    /// <summary>Nothing was done because it could not be written, the audit least of all.</summary>
    public bool NotWritten { get; init; }

    /// <summary>It is not any more what whoever asks has seen.</summary>
    public bool Stale { get; init; }

    /// <summary>It was done.</summary>
    public bool Succeeded => Problem is null;
}

/// <summary>From the database to what is shown, and to what the audit keeps. Nothing secret goes either way.</summary>
internal static class AccountMapping
{
    public static AccountView ToView(HubUser user, IReadOnlyCollection<string> roles, int passkeys, DateTimeOffset now) => new()
    {
        Id = user.Id,
        Name = user.UserName ?? user.Id,
        Roles = [.. HubRoles.All.Where(roles.Contains)],
        IsLocked = user.IsLocked,
        LockedOutUntil = user.LockoutEnd is { } until && now < until ? until : null,
        HasPassword = user.PasswordHash is not null,
        PasswordIsTemporary = user.PasswordIsTemporary,
        HasAuthenticator = user.AuthenticatorSecret is not null,
        RecoveryCodesLeft = user.RecoveryCodes.Length == 0 ? 0 : user.RecoveryCodes.Split(' ').Length,
        Passkeys = passkeys,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(user.CreatedAtMs),
        LastSignInAt = user.LastSignInAtMs is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null,
        Revision = RevisionOf(user, roles, passkeys),
    };

    // A password or an app that took the place of another one is told by the stamp.
    private static long RevisionOf(HubUser user, IEnumerable<string> roles, int passkeys) => BitConverter.ToInt64(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
        new { user.Id, user.UserName, Roles = HubRoles.All.Where(roles.Contains), user.IsLocked, HasPassword = user.PasswordHash is not null, user.PasswordIsTemporary, HasAuthenticator = user.AuthenticatorSecret is not null, Passkeys = passkeys, user.SecurityStamp }))) & 0xF_FFFF_FFFF_FFFF;

    public static LockOut LockOutOf(HubUser user) => new(user.AccessFailedCount, user.LockoutEnd);

    public static void Take(HubUser user, LockOut lockOut) => (user.AccessFailedCount, user.LockoutEnd) = (lockOut.Failed, lockOut.Until);

    public static string RolesJson(IEnumerable<string> roles) => JsonSerializer.Serialize(new { roles = HubRoles.All.Where(roles.Contains) });

    public static string Target(string name) => $"user {name}";
}
