using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access.Users;

/// <summary>Identity's manager over a context of ours, so that what it changes is in the transaction that the audit entry is in.</summary>
internal sealed class UserDirectory(IServiceScopeFactory scopes, IDbContextFactory<HubDbContext> database)
{
    /// <summary>Looks something up.</summary>
    public async Task<T> ReadAsync<T>(Func<UserManager<HubUser>, HubDbContext, Task<T>> read, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return await WithAsync(db, users => read(users, db));
    }

    /// <summary>Works on a context whose transaction somebody else has begun and commits.</summary>
    public async Task<T> WithAsync<T>(HubDbContext db, Func<UserManager<HubUser>, Task<T>> act)
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        var store = new UserStore<HubUser, IdentityRole, HubDbContext>(db);
        using var users = ActivatorUtilities.CreateInstance<UserManager<HubUser>>(scope.ServiceProvider, store);
        return await act(users);
    }

    /// <summary>The same, where a refusal of Identity takes the whole transaction back.</summary>
    /// <exception cref="AccountRefusedException">Identity refused it.</exception>
    public async Task ChangeAsync(HubDbContext db, string id, Func<UserManager<HubUser>, HubUser, Task> change) =>
        await WithAsync(db, async users =>
        {
            HubUser user = await users.FindByIdAsync(id) ?? throw new AccountRefusedException("The account was removed meanwhile.");
            await change(users, user);
            Check(await users.UpdateAsync(user));
            return true;
        });

    /// <exception cref="AccountRefusedException">It failed.</exception>
    public static void Check(IdentityResult result)
    {
        if (!result.Succeeded)
        {
            throw new AccountRefusedException(string.Join(' ', result.Errors.Select(error => error.Description)));
        }
    }
}

/// <summary>Takes a transaction back in which Identity refused something; caught where the transaction was begun, never beyond.</summary>
internal sealed class AccountRefusedException(string why) : Exception(why)
{
    /// <summary>Somebody else was faster.</summary>
    public bool Stale { get; init; }
}
