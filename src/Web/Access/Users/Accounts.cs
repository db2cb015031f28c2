using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access.Users;

/// <summary>
/// Accounts, as an admin or the command line changes them. Each change is audited in the transaction that makes it, and ends the sessions of whoever it
/// takes something from, in the same transaction. Each needs the right to administer; without it the attempt is audited and nothing else happens. So it is where
/// somebody else has changed the account since it was looked at (<see cref="AccountView.Seen"/>).
/// </summary>
internal sealed partial class Accounts(UserDirectory directory, AuditLog audit, SessionSignals signals, TimeProvider time)
{
    private const string Letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    /// <summary>No account exists: the hub has just been installed.</summary>
    public Task<bool> NoneYetAsync(CancellationToken cancellationToken) =>
        directory.ReadAsync(async (_, db) => !await db.Users.AnyAsync(cancellationToken), cancellationToken);

    /// <summary>Every account, by name.</summary>
    public Task<ImmutableArray<AccountView>> ListAsync(CancellationToken cancellationToken) =>
        directory.ReadAsync((_, db) => ListAsync(db, cancellationToken), cancellationToken);

    /// <summary>One account; null: there is none of that name.</summary>
    public async Task<AccountView?> FindAsync(string name, CancellationToken cancellationToken) =>
        (await ListAsync(cancellationToken)).FirstOrDefault(account => string.Equals(account.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Makes an account.</summary>
    /// <param name="name">1 to 63 letters, digits, '.', '-', '_' and '@'.</param>
    /// <param name="roles">At least one.</param>
    /// <param name="password">Chosen by its owner; null: one is made, shown once, and has to be replaced at the first sign-in.</param>
    /// <param name="onlyAsFirst">Refused when there is an account already.</param>
    /// <param name="actor">Who makes it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<AccountResult> CreateAsync(string name, IReadOnlyCollection<string> roles, string? password, bool onlyAsFirst, Actor actor, CancellationToken cancellationToken)
    {
        string made = password ?? NewPassword();
        var draft = new AuditDraft { Actor = actor, Action = "user-created", Target = AccountMapping.Target(Shown(name)), After = AccountMapping.RolesJson(roles), Outcome = "accepted" };
        if (ProblemOf(name, roles) is { } problem)
        {
            return await RefuseAsync(draft, problem, cancellationToken);
        }

        var user = new HubUser { UserName = name, CreatedAtMs = time.GetUtcNow().ToUnixTimeMilliseconds(), PasswordIsTemporary = password is null };
        return await ChangeAsync(draft, null, password is null ? made : null, async db =>
        {
            if (onlyAsFirst && await db.Users.AnyAsync(cancellationToken))
            {
                throw new AccountRefusedException("There is an account already: an admin makes the others.");
            }

            bool had = await HasAdminAsync(db, cancellationToken);
            await directory.WithAsync(db, async users =>
            {
                UserDirectory.Check(await users.CreateAsync(user, made));
                UserDirectory.Check(await users.AddToRolesAsync(user, roles));
                return true;
            });
            await EndLinksAsync(db, had, actor, onlyAsFirst, time.GetUtcNow(), cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Gives other roles. Whoever was signed in signs in again, with the new ones.</summary>
    public Task<AccountResult> SetRolesAsync(AccountView account, IReadOnlyCollection<string> roles, Actor actor, CancellationToken cancellationToken)
    {
        AuditDraft draft = Draft(actor, "user-roles-changed", account) with { Before = AccountMapping.RolesJson(account.Roles), After = AccountMapping.RolesJson(roles) };
        return ProblemOf(account.Name, roles) is { } problem
            ? RefuseAsync(draft, problem, cancellationToken)
            : ChangeAsync(draft, account, null, async db =>
            {
                bool hadAdmin = await HasAdminAsync(db, cancellationToken);
                await directory.ChangeAsync(db, account.Id, async (users, user) =>
                {
                    IList<string> had = await users.GetRolesAsync(user);
                    UserDirectory.Check(await users.RemoveFromRolesAsync(user, had.Except(roles)));
                    UserDirectory.Check(await users.AddToRolesAsync(user, roles.Except(had)));
                });
                await KeepAnAdminAsync(db, cancellationToken);
                await EndLinksAsync(db, hadAdmin, actor, evenHis: false, time.GetUtcNow(), cancellationToken);
                await Sessions.EndAllAsync(db, account.Id, null, time.GetUtcNow(), cancellationToken);
            }, cancellationToken);
    }

    /// <summary>Nobody signs in with it any more, and whoever is signed in is not.</summary>
    public Task<AccountResult> LockAsync(AccountView account, Actor actor, CancellationToken cancellationToken) =>
        ChangeAsync(Draft(actor, "user-locked", account), account, null, async db =>
        {
            await directory.ChangeAsync(db, account.Id, (_, user) =>
            {
                user.IsLocked = true;
                return Task.CompletedTask;
            });
            await KeepAnAdminAsync(db, cancellationToken);
            await Sessions.EndAllAsync(db, account.Id, null, time.GetUtcNow(), cancellationToken);
        }, cancellationToken);

    /// <summary>Lifts an admin's lock and what failed attempts did.</summary>
    public Task<AccountResult> UnlockAsync(AccountView account, Actor actor, CancellationToken cancellationToken) =>
        ChangeAsync(Draft(actor, "user-unlocked", account), account, null, db => directory.ChangeAsync(db, account.Id, (_, user) =>
        {
            user.IsLocked = false;
            AccountMapping.Take(user, new LockOut(0, null));
            return Task.CompletedTask;
        }), cancellationToken);

    /// <summary>A new password, shown once, to be replaced at the next sign-in. Also lifts what failed attempts did; every session of the account ends.</summary>
    public Task<AccountResult> ResetPasswordAsync(AccountView account, bool withSecondFactor, Actor actor, CancellationToken cancellationToken)
    {
        string password = NewPassword();
        AuditDraft draft = Draft(actor, "user-password-reset", account) with { After = withSecondFactor ? """{"secondFactor":"removed"}""" : null };
        return ChangeAsync(draft, account, password, async db =>
        {
            await directory.ChangeAsync(db, account.Id, async (users, user) =>
            {
                user.PasswordHash = users.PasswordHasher.HashPassword(user, password);
                user.PasswordIsTemporary = true;
                AccountMapping.Take(user, new LockOut(0, null));
                if (withSecondFactor)
                {
                    await ForgetSecondFactorAsync(users, user);
                }

                UserDirectory.Check(await users.UpdateSecurityStampAsync(user));
            });
            await Sessions.EndAllAsync(db, account.Id, null, time.GetUtcNow(), cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Forgets app, recovery codes and passkeys; the password stays. Every session of the account ends.</summary>
    public Task<AccountResult> ResetSecondFactorAsync(AccountView account, Actor actor, CancellationToken cancellationToken) =>
        ChangeAsync(Draft(actor, "user-second-factor-reset", account) with { After = """{"secondFactor":"removed"}""" }, account, null, async db =>
        {
            await directory.ChangeAsync(db, account.Id, async (users, user) =>
            {
                await ForgetSecondFactorAsync(users, user);
                UserDirectory.Check(await users.UpdateSecurityStampAsync(user));
            });
            await Sessions.EndAllAsync(db, account.Id, null, time.GetUtcNow(), cancellationToken);
        }, cancellationToken);

    /// <summary>Audits an attempt that cannot be carried out, and says why.</summary>
    public Task<AccountResult> RefuseAsync(string action, string name, string why, Actor actor, CancellationToken cancellationToken) =>
        RefuseAsync(new AuditDraft { Actor = actor, Action = action, Target = AccountMapping.Target(Shown(name)), Outcome = "refused" }, why, cancellationToken);

    /// <summary>Removes the account; what it did stays in the audit.</summary>
    public Task<AccountResult> RemoveAsync(AccountView account, Actor actor, CancellationToken cancellationToken) =>
        ChangeAsync(Draft(actor, "user-removed", account) with { Before = AccountMapping.RolesJson(account.Roles) }, account, null, async db =>
        {
            await directory.WithAsync(db, async users =>
            {
                HubUser user = await users.FindByIdAsync(account.Id) ?? throw new AccountRefusedException("The account was removed meanwhile.");
                UserDirectory.Check(await users.DeleteAsync(user));
                return true;
            });
            await KeepAnAdminAsync(db, cancellationToken);
            await Sessions.EndAllAsync(db, account.Id, null, time.GetUtcNow(), cancellationToken);
        }, cancellationToken);

    private async Task<ImmutableArray<AccountView>> ListAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        List<HubUser> users = await db.Users.AsNoTracking().OrderBy(u => u.NormalizedUserName).ToListAsync(cancellationToken);
        ILookup<string, string> roles = (await db.UserRoles.AsNoTracking().Join(db.Roles, link => link.RoleId, role => role.Id, (link, role) => new { link.UserId, role.Name }).ToListAsync(cancellationToken))
            .ToLookup(r => r.UserId, r => r.Name!);
        Dictionary<string, int> passkeys = await db.UserPasskeys.AsNoTracking().GroupBy(p => p.UserId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, cancellationToken);
        DateTimeOffset now = time.GetUtcNow();
        return [.. users.Select(user => AccountMapping.ToView(user, [.. roles[user.Id]], passkeys.GetValueOrDefault(user.Id), now))];
    }

    // In the transaction that changes it: transactions come one after the other, so nobody is faster after this.
    private async Task MustBeAsSeenAsync(HubDbContext db, AccountView? account, CancellationToken cancellationToken)
    {
        if (account is { Seen: { } seen } && (await ListAsync(db, cancellationToken)).FirstOrDefault(a => a.Id == account.Id) is { } now && now.Revision != seen)
        {
            throw new AccountRefusedException("Somebody has changed it since it was looked at: look at it again, then decide again.") { Stale = true };
        }
    }

    private static async Task ForgetSecondFactorAsync(UserManager<HubUser> users, HubUser user)
    {
        (user.AuthenticatorSecret, user.RecoveryCodes) = (null, "");
        foreach (UserPasskeyInfo passkey in await users.GetPasskeysAsync(user))
        {
            UserDirectory.Check(await users.RemovePasskeyAsync(user, passkey.CredentialId));
        }
    }

    /// <summary>A password of 20 characters that can be read aloud: nothing that looks like something else.</summary>
    private static string NewPassword() => RandomNumberGenerator.GetString(Letters, 20);

    private static AuditDraft Draft(Actor actor, string action, AccountView account) =>
        new() { Actor = actor, Action = action, Target = AccountMapping.Target(account.Name), Outcome = "accepted" };

    /// <summary>Pure. What is wrong with a name; null: nothing.</summary>
    public static string? NameProblem(string name) =>
        !Name().IsMatch(name) ? "A user's name has 1 to 63 letters, digits, '.', '-', '_' and '@'."
        : name.Equals(AccessPolicies.Operator, StringComparison.OrdinalIgnoreCase) || name.Equals("nobody", StringComparison.OrdinalIgnoreCase) || name.Equals("hub", StringComparison.OrdinalIgnoreCase) ? $"'{name}' means somebody without an account, or the hub itself, in the audit. Choose another name."
        : null;

    private static string? ProblemOf(string name, IReadOnlyCollection<string> roles) =>
        NameProblem(name)
        ?? (roles.Count == 0 ? $"Give at least one role: {string.Join(", ", HubRoles.All)}."
        : roles.Except(HubRoles.All).FirstOrDefault() is { } unknown ? $"There is no role '{unknown}'. The roles are {string.Join(", ", HubRoles.All)}."
        : null);

    private static string Shown(string name) => Name().IsMatch(name) ? name : "with a name that cannot be";

    /// <summary>Of the dashboard nobody may be the last who closes the door behind himself. The command line makes an admin again in any case.</summary>
    private static async Task KeepAnAdminAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        await db.SaveChangesAsync(cancellationToken);
        if (!await HasAdminAsync(db, cancellationToken))
        {
            throw new AccountRefusedException("That would leave the hub without an admin who can sign in. Make another account admin first.");
        }
    }

    /// <summary>Somebody can sign in and is an admin.</summary>
    internal static Task<bool> HasAdminAsync(HubDbContext db, CancellationToken cancellationToken) =>
        db.Users.AnyAsync(u => !u.IsLocked && db.UserRoles.Any(link => link.UserId == u.Id && db.Roles.Any(role => role.Id == link.RoleId && role.Name == HubRoles.Admin)), cancellationToken);

    /// <summary>Where the transaction has made the first admin, sessions by a link end in it.</summary>
    internal static async Task EndLinksAsync(HubDbContext db, bool hadAdmin, Actor actor, bool evenHis, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await db.SaveChangesAsync(cancellationToken);
        if (!hadAdmin && await HasAdminAsync(db, cancellationToken))
        {
            await Sessions.EndLinksAsync(db, actor, evenHis, at, cancellationToken);
        }
    }

    // Whatever way a request took, it needs the right here too: a page that forgets to ask opens nothing.
    private async Task<AccountResult> ChangeAsync(AuditDraft draft, AccountView? account, string? secret, Func<HubDbContext, Task> change, CancellationToken cancellationToken)
    {
        if (!draft.Actor.MayAdminister)
        {
            return await RefuseAsync(draft, Actor.NeedsAdmin, cancellationToken);
        }

        try
        {
            await audit.ChangeAsync(draft, async (db, _) =>
            {
                await MustBeAsSeenAsync(db, account, cancellationToken);
                await change(db);
            }, cancellationToken);
            signals.Ended();
            return new AccountResult(null, secret);
        }
        catch (AccountRefusedException refused)
        {
            return await RefuseAsync(draft, refused.Message, cancellationToken) with { Stale = refused.Stale };
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return new AccountResult($"It could not be written, so nothing was done ({fault.GetBaseException().Message}).") { NotWritten = true };
        }
    }

    private async Task<AccountResult> RefuseAsync(AuditDraft draft, string why, CancellationToken cancellationToken)
    {
        try
        {
            await audit.WriteAsync(draft with { Outcome = $"refused: {why}" }, cancellationToken);
            return new AccountResult(why);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return new AccountResult($"{why} The audit cannot be written ({fault.GetBaseException().Message}).") { NotWritten = true };
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9._@-]{1,63}\z")]
    private static partial Regex Name();
}
