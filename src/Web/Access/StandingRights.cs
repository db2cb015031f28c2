using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access;

/// <summary>
/// What an account or a token is worth now, from their tables. A token has its own life: it ends when it is revoked or expires, not with the account that made it.
/// Too many wrong passwords take nothing away, because anybody can send them.
/// </summary>
internal sealed class StandingRights(IDbContextFactory<HubDbContext> database, TimeProvider time) : IStandingRights
{
    public Task<Standing> OfAsync(Requester? requester, CancellationToken cancellationToken) => requester switch
    {
        // Whoever runs the machine can make himself anything at any time.
        Requester.Machine => Task.FromResult(new Standing(Rights.All, null)),
        Requester.Account account => OfAccountAsync(account.Id, cancellationToken),
        Requester.Token token => OfTokenAsync(token.Id, cancellationToken),
        _ => Task.FromResult(new Standing(Rights.None, "it is not known who that was")),
    };

    private async Task<Standing> OfAccountAsync(string id, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        if (await db.Users.AsNoTracking().FirstOrDefaultAsync(u => u.Id == id, cancellationToken) is not { } user)
        {
            return new Standing(Rights.None, "the account was removed");
        }

        if (user.IsLocked)
        {
            return new Standing(Rights.None, "the account is locked");
        }

        List<string> roles = await db.UserRoles.Where(link => link.UserId == id).Join(db.Roles, link => link.RoleId, role => role.Id, (link, role) => role.Name!).ToListAsync(cancellationToken);
        return new Standing(
            roles.Aggregate(Rights.None, (rights, role) => rights | HubRoles.RightsOf(role)),
            $"the account's roles now: {(roles.Count == 0 ? "none" : string.Join(", ", HubRoles.All.Where(roles.Contains)))}");
    }

    private async Task<Standing> OfTokenAsync(long id, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        ApiTokenEntity? token = await db.ApiTokens.AsNoTracking().FirstOrDefaultAsync(t => t.Id == id, cancellationToken);
        return token switch
        {
            null => new Standing(Rights.None, "the token is not known any more"),
            { RevokedAtMs: { } revoked } => new Standing(Rights.None, $"the token was revoked at {Words(revoked)}"),
            { ExpiresAtMs: { } expired } when expired <= time.GetUtcNow().ToUnixTimeMilliseconds() => new Standing(Rights.None, $"the token expired at {Words(expired)}"),
            _ => new Standing(ApiScopes.RightsOf(token.Role), $"the token's scope is {token.Role}"),
        };
    }

    private static string Words(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
