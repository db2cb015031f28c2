using System.Security.Claims;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>
/// Whether a password or a code is right. Every failure is audited and counted in one transaction; while an account is locked nothing is
/// looked at, so that guessing learns nothing.
/// </summary>
internal sealed class Credentials(UserDirectory directory, AuditLog audit, SecretBox box, IOptions<PasswordHasherOptions> hashing, TimeProvider time)
{
    /// <summary>What every failure says: which of them it was is for the audit, not for somebody who guesses.</summary>
    public const string Wrong = "Name, password or code is wrong, or the account is locked. After five failed attempts it is locked for five minutes; an admin can open it before.";

    /// <summary>Verified when there is no such account, so that the answer takes as long.</summary>
    private readonly string _decoy = new PasswordHasher<HubUser>(hashing).HashPassword(new HubUser(), Secret.New());

    /// <summary>Looks at a password. Succeeding is not audited here: whoever opens a session does.</summary>
    public async Task<CredentialResult> CheckPasswordAsync(string name, string password, Actor actor, CancellationToken cancellationToken)
    {
        try
        {
            (HubUser? user, bool right) = await directory.ReadAsync(async (users, _) =>
            {
                HubUser? found = password.Length <= PasswordRules.Longest && name.Length is > 0 and < 64 ? await users.FindByNameAsync(name) : null;
                bool looked = found is null || IsClosed(found) || found.PasswordHash is null;
                PasswordVerificationResult verified = looked
                    ? users.PasswordHasher.VerifyHashedPassword(new HubUser(), _decoy, password)
                    : users.PasswordHasher.VerifyHashedPassword(found!, found!.PasswordHash!, password);
                return (found, !looked && verified != PasswordVerificationResult.Failed);
            }, cancellationToken);
            return user is null ? await RefuseAsync(actor with { Name = "nobody" }, "hub", "no such user", cancellationToken)
                : IsClosed(user) ? await RefuseAsync(actor with { Name = "nobody" }, AccountMapping.Target(user.UserName!), "the account is locked", cancellationToken)
                : right ? new CredentialResult(user, null)
                : await CountAsync(user, actor with { Name = "nobody" }, "the password is wrong", cancellationToken);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return NotAudited(fault);
        }
    }

    /// <summary>Uses up a code of the authenticator app, or a recovery code.</summary>
    public async Task<CredentialResult> UseCodeAsync(string id, string code, Actor actor, CancellationToken cancellationToken)
    {
        try
        {
            HubUser? user = await FindAsync(id, cancellationToken);
            if (user is null || IsClosed(user))
            {
                return await RefuseAsync(actor, user is null ? "hub" : AccountMapping.Target(user.UserName!), "the account is locked or gone", cancellationToken);
            }

            if (ChangeOf(user, code) is not { } used)
            {
                return await CountAsync(user, actor, "the second factor's code is wrong", cancellationToken);
            }

            var draft = new AuditDraft { Actor = actor, Action = "second-factor-used", Target = AccountMapping.Target(user.UserName!), After = used.What, Outcome = "accepted" };
            await audit.ChangeAsync(draft, (db, _) => directory.ChangeAsync(db, id, (_, current) =>
            {
                // Of two uses of one code at the same moment the second finds it used here.
                // And who guesses many codes at once has locked the account by the others.
                if (IsClosed(current) || ChangeOf(current, code) is not { } again)
                {
                    throw new AccountRefusedException("The code was used already, or the account was locked meanwhile.");
                }

                again.Apply(current);
                AccountMapping.Take(current, new LockOut(0, null));
                return Task.CompletedTask;
            }), cancellationToken);
            return new CredentialResult(user, null);
        }
        catch (AccountRefusedException refused)
        {
            return await RefuseAsync(actor, "hub", refused.Message, cancellationToken);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return NotAudited(fault);
        }
    }

    /// <summary>An account by its id; null: it is gone.</summary>
    public Task<HubUser?> FindAsync(string id, CancellationToken cancellationToken) => directory.ReadAsync((users, _) => users.FindByIdAsync(id), cancellationToken);

    /// <summary>Opens the session of an account, audited in the same transaction, and says who it is from then on. A passkey that was used is kept with its new counter.</summary>
    public async Task<CredentialResult> OpenAsync(HubUser user, string method, string session, string? browser, Actor actor, CancellationToken cancellationToken, UserPasskeyInfo? passkey = null)
    {
        var draft = new AuditDraft { Actor = actor with { Name = user.UserName! }, Action = "sign-in", Target = "hub", After = $$"""{"method":"{{method}}"}""", Outcome = "accepted" };
        try
        {
            ClaimsPrincipal? principal = null;
            await audit.ChangeAsync(draft, async (db, stop) =>
            {
                await directory.ChangeAsync(db, user.Id, async (users, current) =>
                {
                    // Failed attempts by others do not keep out whoever holds a passkey.
                    if (current.IsLocked || (passkey is null && IsClosed(current)) || current.SecurityStamp != user.SecurityStamp)
                    {
                        throw new AccountRefusedException("The account was locked or changed meanwhile.");
                    }

                    if (passkey is not null)
                    {
                        UserDirectory.Check(await users.AddOrUpdatePasskeyAsync(current, passkey));
                    }

                    current.LastSignInAtMs = time.GetUtcNow().ToUnixTimeMilliseconds();
                    AccountMapping.Take(current, new LockOut(0, null));
                    principal = SignedIn.As(current.UserName!, current.Id, await users.GetRolesAsync(current), session);
                });
                await Sessions.OpenAsync(db, new NewSession(session, user.UserName!, user.Id, method, actor.RemoteAddress, browser), time.GetUtcNow(), stop);
            }, cancellationToken);
            return new CredentialResult(user, null, principal);
        }
        catch (AccountRefusedException refused)
        {
            return await RefuseAsync(actor, AccountMapping.Target(user.UserName!), refused.Message, cancellationToken);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return NotAudited(fault);
        }
    }

    /// <summary>Keeps that somebody was not let in. The same words for everybody.</summary>
    public async Task<CredentialResult> RefuseAsync(Actor actor, string target, string why, CancellationToken cancellationToken)
    {
        try
        {
            await audit.WriteAsync(new AuditDraft { Actor = actor, Action = "sign-in", Target = target, Outcome = $"refused: {why}" }, cancellationToken);
            return new CredentialResult(null, Wrong);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return NotAudited(fault);
        }
    }

    private bool IsClosed(HubUser user) => user.IsLocked || AccountMapping.LockOutOf(user).IsClosed(time.GetUtcNow());

    private async Task<CredentialResult> CountAsync(HubUser user, Actor actor, string why, CancellationToken cancellationToken)
    {
        bool closes = AccountMapping.LockOutOf(user).AfterFailure(time.GetUtcNow()).Until is not null;
        string outcome = closes ? $"refused: {why}; the account is locked for {LockOut.Lasts.TotalMinutes:0} minutes" : $"refused: {why}";
        var draft = new AuditDraft { Actor = actor, Action = "sign-in", Target = AccountMapping.Target(user.UserName!), Outcome = outcome };
        try
        {
            await audit.ChangeAsync(draft, (db, _) => directory.ChangeAsync(db, user.Id, (_, current) =>
            {
                AccountMapping.Take(current, AccountMapping.LockOutOf(current).AfterFailure(time.GetUtcNow()));
                return Task.CompletedTask;
            }), cancellationToken);
        }
        catch (AccountRefusedException)
        {
            return await RefuseAsync(actor, "hub", why, cancellationToken);
        }

        return new CredentialResult(null, Wrong);
    }

    private UsedCode? ChangeOf(HubUser user, string code)
    {
        if (user.AuthenticatorSecret is not { } closed || box.Open(closed) is not { } secret)
        {
            return null;
        }

        if (TimeCodes.StepOf(secret, code, time.GetUtcNow(), user.AuthenticatorStep) is { } step)
        {
            return new UsedCode("""{"by":"authenticator"}""", current => current.AuthenticatorStep = step);
        }

        return RecoveryCodes.After(user.RecoveryCodes, code) is { } left ? new UsedCode("""{"by":"recovery code"}""", current => current.RecoveryCodes = left) : null;
    }

    private static CredentialResult NotAudited(Exception fault) =>
        new(null, $"The hub cannot write its audit, so nobody can sign in ({fault.GetBaseException().Message}).") { IsUnavailable = true };

    private sealed record UsedCode(string What, Action<HubUser> Apply);
}

/// <summary>What came of a password or a code.</summary>
/// <param name="User">Whose it is; null: it was refused.</param>
/// <param name="Problem">Why it was refused, for whoever tried.</param>
/// <param name="Principal">Who the browser is from now on, when a session was opened.</param>
internal sealed record CredentialResult(HubUser? User, string? Problem, ClaimsPrincipal? Principal = null)
{
    /// <summary>Not because of who asked: the hub cannot write.</summary>
    public bool IsUnavailable { get; init; }
}
