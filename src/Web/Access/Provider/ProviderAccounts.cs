using System.Collections.Immutable;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Identity;

namespace FailoverHub.Web.Access.Provider;

/// <summary>
/// Accounts that the provider vouches for. One is made when somebody comes for the first time; its roles are what the provider says at each sign-in. An account
/// with a password of this hub is never taken over by a name.
/// </summary>
internal sealed class ProviderAccounts(UserDirectory directory, AuditLog audit, SessionSignals signals, Credentials credentials, TimeProvider time)
{
    /// <summary>How a session began that the provider vouched for.</summary>
    public const string Method = "provider";

    /// <summary>Lets somebody in, or says why not.</summary>
    public async Task<CredentialResult> SignInAsync(Vouched vouched, string? browser, Actor actor, CancellationToken cancellationToken)
    {
        // What somebody is called by the provider is a claim: it is said in the outcome, and stands as the actor only when the account is his.
        try
        {
            if (Accounts.NameProblem(vouched.Name) is { } problem)
            {
                return await RefuseAsync(actor, $"The provider calls you '{vouched.Name}'. {problem}", cancellationToken);
            }

            if (vouched.Roles.IsEmpty)
            {
                actor = await TakeRolesAsync(vouched, actor, cancellationToken);
                return await RefuseAsync(actor, $"The provider vouches for you as '{vouched.Name}', but nothing in its claim '{vouched.RoleClaim}' comes to a role of this hub. Its admin maps values of that claim to roles in the hub's settings.", cancellationToken);
            }

            (HubUser? known, bool nameIsTaken, IList<string> had) = await directory.ReadAsync(async (users, _) =>
            {
                HubUser? found = await users.FindByLoginAsync(vouched.Issuer, vouched.Subject);
                return (found, found is null && await users.FindByNameAsync(vouched.Name) is not null, found is null ? [] : await users.GetRolesAsync(found));
            }, cancellationToken);
            if (nameIsTaken)
            {
                return await RefuseAsync(actor, $"This hub has an account '{vouched.Name}' of its own, which is not the provider's. An admin removes or renames one of them.", cancellationToken);
            }

            if (known is null)
            {
                (known, had) = (await CreateAsync(vouched, actor with { Name = vouched.Name }, cancellationToken), vouched.Roles);
            }

            actor = actor with { Name = known.UserName! };
            if (!had.Order().SequenceEqual(vouched.Roles.Order()))
            {
                known = await ChangeRolesAsync(known, had, vouched, actor, cancellationToken);
            }

            return await credentials.OpenAsync(known, Method, Secret.New(), browser, actor, cancellationToken);
        }
        catch (AccountRefusedException refused)
        {
            return await RefuseAsync(actor, refused.Message, cancellationToken);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return new CredentialResult(null, $"The hub cannot write its audit, so nobody can sign in ({fault.GetBaseException().Message}).") { IsUnavailable = true };
        }
    }

    /// <summary>Keeps that the provider sent somebody whom the hub does not let in, or an error.</summary>
    public async Task<CredentialResult> RefuseAsync(Actor actor, string why, CancellationToken cancellationToken)
    {
        CredentialResult refused = await credentials.RefuseAsync(actor, "hub", $"provider: {why}", cancellationToken);
        return refused.IsUnavailable ? refused : refused with { Problem = why };
    }

    private async Task<HubUser> CreateAsync(Vouched vouched, Actor actor, CancellationToken cancellationToken)
    {
        var user = new HubUser { UserName = vouched.Name, CreatedAtMs = time.GetUtcNow().ToUnixTimeMilliseconds() };
        var draft = new AuditDraft { Actor = actor, Action = "user-created", Target = AccountMapping.Target(vouched.Name), After = AccountMapping.RolesJson(vouched.Roles), Reason = "first sign-in by the provider", Outcome = "accepted" };
        await audit.ChangeAsync(draft, async (db, stop) =>
        {
            bool hadAdmin = await Accounts.HasAdminAsync(db, stop);
            await directory.WithAsync(db, async users =>
            {
                UserDirectory.Check(await users.CreateAsync(user));
                UserDirectory.Check(await users.AddLoginAsync(user, new UserLoginInfo(vouched.Issuer, vouched.Subject, vouched.Issuer)));
                UserDirectory.Check(await users.AddToRolesAsync(user, vouched.Roles));
                return true;
            });
            await Accounts.EndLinksAsync(db, hadAdmin, actor, evenHis: true, time.GetUtcNow(), stop);
        }, cancellationToken);
        signals.Ended();
        return user;
    }

    /// <summary>Whom the provider gives no role any more has none here, and is signed out everywhere.</summary>
    /// <returns>Who it is: by the account that is his, if there is one.</returns>
    private async Task<Actor> TakeRolesAsync(Vouched vouched, Actor actor, CancellationToken cancellationToken)
    {
        (HubUser? known, IList<string> had) = await directory.ReadAsync(async (users, _) =>
        {
            HubUser? found = await users.FindByLoginAsync(vouched.Issuer, vouched.Subject);
            return (found, found is null ? [] : await users.GetRolesAsync(found));
        }, cancellationToken);
        if (known is null)
        {
            return actor;
        }

        actor = actor with { Name = known.UserName! };
        if (had.Count > 0)
        {
            await ChangeRolesAsync(known, had, vouched, actor, cancellationToken);
        }

        return actor;
    }

    private async Task<HubUser> ChangeRolesAsync(HubUser user, IList<string> had, Vouched vouched, Actor actor, CancellationToken cancellationToken)
    {
        var draft = new AuditDraft { Actor = actor, Action = "user-roles-changed", Target = AccountMapping.Target(user.UserName!), Before = AccountMapping.RolesJson(had), After = AccountMapping.RolesJson(vouched.Roles), Reason = "the provider says so", Outcome = "accepted" };
        await audit.ChangeAsync(draft, async (db, stop) =>
        {
            await directory.ChangeAsync(db, user.Id, async (users, current) =>
            {
                UserDirectory.Check(await users.RemoveFromRolesAsync(current, had.Except(vouched.Roles)));
                UserDirectory.Check(await users.AddToRolesAsync(current, vouched.Roles.Except(had)));
            });
            await Sessions.EndAllAsync(db, user.Id, null, time.GetUtcNow(), stop);
        }, cancellationToken);
        signals.Ended();
        return user;
    }
}

/// <summary>Whom the provider vouches for.</summary>
/// <param name="Issuer">The provider.</param>
/// <param name="Subject">Its own name of the person, which never changes.</param>
/// <param name="Name">What the person is called.</param>
/// <param name="Roles">What the claim comes to here.</param>
/// <param name="RoleClaim">Name of that claim.</param>
internal sealed record Vouched(string Issuer, string Subject, string Name, ImmutableArray<string> Roles, string RoleClaim);
