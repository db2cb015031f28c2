using FailoverHub.Web.Access.Users;

namespace FailoverHub.Web.Api.Users;

/// <summary>An account of somebody who signs in.</summary>
public sealed record UserDto
{
    /// <summary>What its owner types, and what the audit says.</summary>
    public required string Name { get; init; }

    /// <summary>Viewer, Operator, Approver, Auditor, Admin.</summary>
    public required string[] Roles { get; init; }

    /// <summary>An admin has locked it.</summary>
    public required bool Locked { get; init; }

    /// <summary>Closed by failed attempts until then, null: it is not.</summary>
    public required DateTimeOffset? LockedOutUntil { get; init; }

    /// <summary>False: it comes from the provider.</summary>
    public required bool HasPassword { get; init; }

    /// <summary>The password has to be replaced at the next sign-in.</summary>
    public required bool PasswordIsTemporary { get; init; }

    /// <summary>A code of an app is asked for.</summary>
    public required bool HasAuthenticator { get; init; }

    /// <summary>How many there are.</summary>
    public required int Passkeys { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When somebody last signed in with it, null: never.</summary>
    public required DateTimeOffset? LastSignInAt { get; init; }
}

/// <summary>Body of POST /api/v1/users.</summary>
public sealed record UserBody
{
    /// <summary>1 to 63 letters, digits, '.', '-', '_' and '@'.</summary>
    public required string Name { get; init; }

    /// <summary>At least one of Viewer, Operator, Approver, Auditor, Admin.</summary>
    public required string[] Roles { get; init; }
}

/// <summary>Body of POST /api/v1/users/{user}/roles.</summary>
public sealed record UserRolesBody
{
    /// <summary>All that it is to have from now on; at least one.</summary>
    public required string[] Roles { get; init; }
}

/// <summary>Body of POST /api/v1/users/{user}/lock.</summary>
public sealed record UserLockBody
{
    /// <summary>True: nobody signs in with it any more. False: an admin's lock and what failed attempts did are lifted.</summary>
    public required bool Locked { get; init; }
}

/// <summary>Body of POST /api/v1/users/{user}/reset; at least one of both.</summary>
public sealed record UserResetBody
{
    /// <summary>A new password, to be replaced at the next sign-in.</summary>
    public bool Password { get; init; }

    /// <summary>Authenticator app, recovery codes and passkeys are forgotten.</summary>
    public bool SecondFactor { get; init; }
}

/// <summary>What became of an account, with the password if one was made: the only time that it is shown.</summary>
public sealed record UserChangedDto
{
    /// <summary>The account as it is now.</summary>
    public required UserDto User { get; init; }

    /// <summary>To be handed over; null: none was made.</summary>
    public required string? TemporaryPassword { get; init; }
}

/// <summary>From accounts to what the API says of them.</summary>
internal static class UserMapping
{
    public static UserDto ToDto(this AccountView account) => new()
    {
        Name = account.Name,
        Roles = [.. account.Roles],
        Locked = account.IsLocked,
        LockedOutUntil = account.LockedOutUntil,
        HasPassword = account.HasPassword,
        PasswordIsTemporary = account.PasswordIsTemporary,
        HasAuthenticator = account.HasAuthenticator,
        Passkeys = account.Passkeys,
        CreatedAt = account.CreatedAt,
        LastSignInAt = account.LastSignInAt,
    };
}
