using System.Security.Claims;
using FailoverHub.Web.Access.Provider;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Identity;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>
/// Whether a password or a code is right. Every failure that counts against an account is audited and counted in one transaction, and five lock it; of those that
/// count against none so many a minute are audited, and then their number. While an account is locked nothing is looked at, so that guessing learns nothing.
/// </summary>
internal sealed class Credentials(UserDirectory directory, AccessAudit audit, SecretBox box, PasswordChecks checks, TimeProvider time)
{
    /// <summary>What every failure says: which of them it was is for the audit, not for somebody who guesses.</summary>
    public const string Wrong = "Name, password or code is wrong, or the account is locked. After five failed attempts it is locked for five minutes; an admin can open it before.";

    private const string Busy = "The hub is looking at as many passwords as it can. Try again in a few seconds; a passkey or a sign-in link works meanwhile.";

    /// <summary>Looks at the password of somebody who wants to be let in. Succeeding is not audited here: whoever opens a session does.</summary>
    public Task<CredentialResult> CheckPasswordAsync(string name, string password, Actor actor, CancellationToken cancellationToken) => CheckAsync(name, password, actor, false, cancellationToken);

    /// <summary>The same of somebody who is signed in, before he changes what opens the account.</summary>
    public Task<CredentialResult> ConfirmPasswordAsync(string name, string password, Actor actor, CancellationToken cancellationToken) => CheckAsync(name, password, actor, true, cancellationToken);

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
                    // Failed attempts by others do not keep out whoever holds a passkey, or whom the provider vouches for: no password of his was guessed.
                    bool isByPassword = passkey is null && method != ProviderAccounts.Method;
                    if (current.IsLocked || (isByPassword && IsClosed(current)) || current.SecurityStamp != user.SecurityStamp)
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
            await audit.RefuseAsync(new AuditDraft { Actor = actor, Action = "sign-in", Target = target, Outcome = $"refused: {why}" }, cancellationToken);
            return new CredentialResult(null, Wrong);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return NotAudited(fault);
        }
    }

    private async Task<CredentialResult> CheckAsync(string name, string password, Actor actor, bool isSignedIn, CancellationToken cancellationToken)
    {
        Actor nobody = actor with { Name = "nobody" };
        try
        {
            // Its turn first, then the account as it is in that moment: of many guesses at once none is looked at after the fifth.
            using PasswordChecks.Turn? turn = await checks.EnterAsync(actor, isSignedIn, cancellationToken);
            if (turn is null)
            {
                await RefuseAsync(nobody, "hub", "more passwords are tried than the hub looks at; this one was not", cancellationToken);
                return new CredentialResult(null, Busy) { RetryAfter = PasswordChecks.ComeAgainAfter };
            }

            HubUser? user = password.Length <= PasswordRules.Longest && name.Length is > 0 and < 64
                ? await directory.ReadAsync((users, _) => users.FindByNameAsync(name), cancellationToken)
                : null;
            bool closed = user is not null && IsClosed(user);
            bool right = turn.IsRight(closed ? null : user, password.Length <= PasswordRules.Longest ? password : "");
            return user is null ? await RefuseAsync(nobody, "hub", "no such user", cancellationToken)
                : closed ? await RefuseAsync(nobody, AccountMapping.Target(user.UserName!), "the account is locked", cancellationToken)
                : right ? new CredentialResult(user, null)

                // There is nothing to guess, so there is nothing to lock: counted, anybody could keep the provider's people out by their names.
                : user.PasswordHash is null ? await RefuseAsync(nobody, AccountMapping.Target(user.UserName!), "the account has no password: it is the provider's", cancellationToken)
                : await CountAsync(user, nobody, "the password is wrong", cancellationToken);
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

    /// <summary>Nothing was looked at, because too many ask: when to come again. Null: not so.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
