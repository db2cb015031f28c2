using System.Buffers.Text;
using System.Collections.Immutable;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Identity;

namespace FailoverHub.Web.Access.Users;

/// <summary>What somebody changes on his own account. What would let a stranger at an open browser stay asks for the password again.</summary>
internal sealed class OwnAccount(UserDirectory directory, AuditLog audit, Credentials credentials, SecretBox box, SessionSignals signals, TimeProvider time)
{
    /// <summary>Replaces the password; every other session of the account ends, and so does the temporary one that somebody else chose.</summary>
    /// <param name="account">Whose.</param>
    /// <param name="current">Null: it was given a moment ago, to sign in.</param>
    /// <param name="wanted">The new one.</param>
    /// <param name="session">This session goes on; null: none does.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<AccountResult> ChangePasswordAsync(AccountView account, string? current, string wanted, string? session, Actor actor, CancellationToken cancellationToken)
    {
        if (PasswordRules.ProblemsOf(account.Name, wanted) is { Count: > 0 } problems)
        {
            return new AccountResult(string.Join(' ', problems));
        }

        if (current == wanted)
        {
            return new AccountResult("That is the password that you have. Choose another one.");
        }

        return await WithPasswordAsync(account, current, actor, "password-changed", null, async (db, users, user) =>
        {
            if (users.PasswordHasher.VerifyHashedPassword(user, user.PasswordHash!, wanted) != PasswordVerificationResult.Failed)
            {
                throw new AccountRefusedException("That is the password that you have. Choose another one.");
            }

            user.PasswordHash = users.PasswordHasher.HashPassword(user, wanted);
            user.PasswordIsTemporary = false;
            UserDirectory.Check(await users.UpdateSecurityStampAsync(user));
            await Sessions.EndAllAsync(db, account.Id, session, time.GetUtcNow(), cancellationToken);
        }, cancellationToken);
    }

    /// <summary>From the next sign-in on a code of this app is asked for. The recovery codes are in the answer, once.</summary>
    /// <param name="account">Whose.</param>
    /// <param name="password">Null: it was given a moment ago, to sign in.</param>
    /// <param name="secret">The app's.</param>
    /// <param name="code">That the app shows for it now.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<AccountResult> AddAuthenticatorAsync(AccountView account, string? password, string secret, string code, Actor actor, CancellationToken cancellationToken)
    {
        if (TimeCodes.StepOf(secret, code, time.GetUtcNow(), 0) is not { } step)
        {
            return new AccountResult("That is not the code that the app shows for this secret now. Is the phone's clock right?");
        }

        ImmutableArray<string> codes = RecoveryCodes.New();
        return await WithPasswordAsync(account, password, actor, "authenticator-added", string.Join('\n', codes), (_, _, user) =>
        {
            if (user.AuthenticatorSecret is not null)
            {
                throw new AccountRefusedException("There is an authenticator app already. Remove it first.");
            }

            (user.AuthenticatorSecret, user.AuthenticatorStep, user.RecoveryCodes) = (box.Close(secret), step, RecoveryCodes.Stored(codes));
            return Task.CompletedTask;
        }, cancellationToken);
    }

    /// <summary>No code is asked for any more; the recovery codes go with it.</summary>
    public Task<AccountResult> RemoveAuthenticatorAsync(AccountView account, string password, Actor actor, CancellationToken cancellationToken) =>
        WithPasswordAsync(account, password, actor, "authenticator-removed", null, (_, _, user) =>
        {
            (user.AuthenticatorSecret, user.RecoveryCodes) = (null, "");
            return Task.CompletedTask;
        }, cancellationToken);

    /// <summary>The old ones open nothing any more; the new ones are in the answer, once.</summary>
    public Task<AccountResult> NewRecoveryCodesAsync(AccountView account, string password, Actor actor, CancellationToken cancellationToken)
    {
        ImmutableArray<string> codes = RecoveryCodes.New();
        return WithPasswordAsync(account, password, actor, "recovery-codes-made", string.Join('\n', codes), (_, _, user) =>
        {
            user.RecoveryCodes = RecoveryCodes.Stored(codes);
            return Task.CompletedTask;
        }, cancellationToken);
    }

    /// <summary>The passkeys of an account, the oldest first.</summary>
    public Task<ImmutableArray<PasskeyView>> PasskeysAsync(AccountView account, CancellationToken cancellationToken) =>
        directory.ReadAsync(async (users, _) => await users.FindByIdAsync(account.Id) is { } user
            ? (await users.GetPasskeysAsync(user)).OrderBy(p => p.CreatedAt).Select(p => new PasskeyView(Base64Url.EncodeToString(p.CredentialId), p.Name ?? "passkey", p.CreatedAt)).ToImmutableArray()
            : [], cancellationToken);

    /// <summary>
    /// Keeps a passkey that the browser has just made: it opens the account from then on without the password, so the password is asked for once more. An
    /// account of a provider has none: who may come in is the provider's to say at each sign-in.
    /// </summary>
    public async Task<AccountResult> AddPasskeyAsync(AccountView account, string password, UserPasskeyInfo passkey, Actor actor, CancellationToken cancellationToken) => account.HasPassword
        ? await WithPasswordAsync(account, password, actor, "passkey-added", null, async (_, users, user) => UserDirectory.Check(await users.AddOrUpdatePasskeyAsync(user, passkey)), cancellationToken, passkey.Name)
        : new AccountResult("This account is the provider's: sign in there. Passkeys are for accounts with a password of this hub.");

    /// <summary>It opens nothing any more.</summary>
    public Task<AccountResult> RemovePasskeyAsync(AccountView account, PasskeyView passkey, Actor actor, CancellationToken cancellationToken) =>
        ChangeAsync(account, actor, "passkey-removed", null, async (_, users, user) => UserDirectory.Check(await users.RemovePasskeyAsync(user, Base64Url.DecodeFromChars(passkey.Id))), cancellationToken, passkey.Name);

    private async Task<AccountResult> WithPasswordAsync(
        AccountView account, string? password, Actor actor, string action, string? secret, Func<HubDbContext, UserManager<HubUser>, HubUser, Task> change, CancellationToken cancellationToken, string? what = null)
    {
        if (password is not null && await credentials.ConfirmPasswordAsync(account.Name, password, actor, cancellationToken) is { Problem: { } problem })
        {
            return new AccountResult(problem);
        }

        return await ChangeAsync(account, actor, action, secret, change, cancellationToken, what);
    }

    private async Task<AccountResult> ChangeAsync(
        AccountView account, Actor actor, string action, string? secret, Func<HubDbContext, UserManager<HubUser>, HubUser, Task> change, CancellationToken cancellationToken, string? what = null)
    {
        var draft = new AuditDraft
        {
            Actor = actor,
            Action = action,
            Target = AccountMapping.Target(account.Name),
            After = what is null ? null : System.Text.Json.JsonSerializer.Serialize(new { name = what }),
            Outcome = "accepted",
        };
        try
        {
            await audit.ChangeAsync(draft, (db, _) => directory.ChangeAsync(db, account.Id, (users, user) => change(db, users, user)), cancellationToken);
            signals.Ended();
            return new AccountResult(null, secret);
        }
        catch (AccountRefusedException refused)
        {
            await audit.WriteAsync(draft with { Outcome = $"refused: {refused.Message}" }, cancellationToken);
            return new AccountResult(refused.Message);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return new AccountResult($"It could not be written, so nothing was done ({fault.GetBaseException().Message}).");
        }
    }
}

/// <summary>A passkey as its owner is shown it.</summary>
internal sealed record PasskeyView(string Id, string Name, DateTimeOffset CreatedAt);
