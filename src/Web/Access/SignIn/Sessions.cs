using System.Security.Claims;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>
/// Sessions of browsers, one row each: the cookie only names its row. Without an open row neither a request nor a circuit is anybody's,
/// however good the cookie is.
/// </summary>
internal sealed class Sessions(IDbContextFactory<HubDbContext> database, AuditLog audit, TimeProvider time)
{
    /// <summary>However busy the browser is, after this it has to sign in again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    /// <summary>Claim with the id of the session.</summary>
    public const string Claim = "session";

    /// <summary>Opens one in the transaction that lets somebody in. Those that have ended by themselves are removed on the way.</summary>
    public static async Task OpenAsync(HubDbContext db, string id, string name, DateTimeOffset at, CancellationToken cancellationToken)
    {
        long now = at.ToUnixTimeMilliseconds();
        await db.Sessions.Where(s => s.ExpiresAtMs <= now).ExecuteDeleteAsync(cancellationToken);
        db.Sessions.Add(new SessionEntity { Id = id, Name = name, CreatedAtMs = now, ExpiresAtMs = now + (long)Lifetime.TotalMilliseconds });
    }

    /// <summary>Whether this browser is still signed in. Asked of the database each time, so that signing out works at once.</summary>
    public async Task<bool> IsOpenAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        if (user.FindFirstValue(Claim) is not { } id)
        {
            return false;
        }

        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return await db.Sessions.AnyAsync(s => s.Id == id && s.RevokedAtMs == null && s.ExpiresAtMs > now, cancellationToken);
    }

    /// <summary>
    /// Ends it for every page that is open by it, audited in the same transaction. Who is in no session has nothing to end. False: the audit
    /// could not be written, and the session is still open.
    /// </summary>
    public async Task<bool> CloseAsync(ClaimsPrincipal user, Actor actor, CancellationToken cancellationToken)
    {
        if (user.FindFirstValue(Claim) is not { } id)
        {
            return true;
        }

        var draft = new AuditDraft { Actor = actor, Action = "sign-out", Target = "hub", Outcome = "accepted" };
        try
        {
            await audit.ChangeAsync(draft, async (db, stop) =>
            {
                long now = time.GetUtcNow().ToUnixTimeMilliseconds();
                await db.Sessions.Where(s => s.Id == id && s.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.RevokedAtMs, now), stop);
            }, cancellationToken);
            return true;
        }
        catch (Exception exception) when (StorageFaults.IsStorageFault(exception))
        {
            return false;
        }
    }
}
