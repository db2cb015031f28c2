using System.Collections.Immutable;
using System.Globalization;
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
internal sealed class Sessions(IDbContextFactory<HubDbContext> database, AuditLog audit, SessionSignals signals, TimeProvider time)
{
    /// <summary>However busy the browser is, after this it has to sign in again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    /// <summary>Of a session by a one-time link: it has no account by which it could be ended.</summary>
    public static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(12);

    /// <summary>Claim with the id of the session.</summary>
    public const string Claim = "session";

    /// <summary>Item of a request with who its cookie says it is, when that session is not open.</summary>
    public const string Refused = "failoverhub.refused-session";

    private const int LongestBrowser = 200;

    /// <summary>Opens one in the transaction that lets somebody in. Those that have ended by themselves are removed on the way.</summary>
    public static async Task OpenAsync(HubDbContext db, NewSession session, DateTimeOffset at, CancellationToken cancellationToken)
    {
        long now = at.ToUnixTimeMilliseconds();
        await db.Sessions.Where(s => s.ExpiresAtMs <= now).ExecuteDeleteAsync(cancellationToken);
        db.Sessions.Add(new SessionEntity
        {
            Id = session.Id,
            Name = session.Name,
            UserId = session.UserId,
            Method = session.Method,
            RemoteAddress = session.RemoteAddress,
            Browser = session.Browser is { Length: > LongestBrowser } much ? much[..LongestBrowser] : session.Browser,
            CreatedAtMs = now,
            ExpiresAtMs = now + (long)(session.UserId is null ? LinkLifetime : Lifetime).TotalMilliseconds,
        });
    }

    /// <summary>Ends every session of an account in the transaction that takes something from it; whoever commits tells <see cref="SessionSignals"/>.</summary>
    /// <param name="db">Has the transaction.</param>
    /// <param name="user">Id of the account.</param>
    /// <param name="except">This one goes on; null: none does.</param>
    /// <param name="at">Now.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task<int> EndAllAsync(HubDbContext db, string user, string? except, DateTimeOffset at, CancellationToken cancellationToken)
    {
        long now = at.ToUnixTimeMilliseconds();
        return db.Sessions.Where(s => s.UserId == user && s.Id != except && s.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.RevokedAtMs, now), cancellationToken);
    }

    /// <summary>
    /// Ends the sessions by a one-time link in the transaction that makes the hub's first admin account, with an audit entry of its own when there are any: such a session
    /// is as strong as that account, and nobody sees it in a list.
    /// </summary>
    /// <param name="db">Has the transaction.</param>
    /// <param name="actor">Who makes the account; his own session goes on, so that he can see what he has made.</param>
    /// <param name="evenHis">It does not: he signs in with the account at once.</param>
    /// <param name="at">Now.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task EndLinksAsync(HubDbContext db, Actor actor, bool evenHis, DateTimeOffset at, CancellationToken cancellationToken)
    {
        long now = at.ToUnixTimeMilliseconds();
        string? except = evenHis ? null : actor.Session;
        int ended = await db.Sessions.Where(s => s.UserId == null && s.RevokedAtMs == null && s.ExpiresAtMs > now && s.Id != except).ExecuteUpdateAsync(set => set.SetProperty(s => s.RevokedAtMs, now), cancellationToken);
        if (ended > 0)
        {
            string outcome = string.Create(CultureInfo.InvariantCulture, $"accepted: the hub has its first admin account, so {ended} {(ended == 1 ? "session" : "sessions")} by a one-time link ended");
            await AuditLog.AddAsync(db, new AuditDraft { Actor = actor, Action = "sessions-ended", Target = "hub", Outcome = outcome }, at, cancellationToken);
        }
    }

    /// <summary>Whether this was a session by a one-time link that was ended before its time.</summary>
    public async Task<bool> IsEndedLinkAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        string? id = user.FindFirstValue(Claim);
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return id is not null && await db.Sessions.AnyAsync(s => s.Id == id && s.UserId == null && s.RevokedAtMs != null, cancellationToken);
    }

    /// <summary>
    /// Whether this browser is still signed in. Asked of the database each time, so that signing out works at once. A session of an account that is
    /// gone or locked is none, whoever forgot to end it.
    /// </summary>
    public async Task<bool> IsOpenAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        if (user.FindFirstValue(Claim) is not { } id)
        {
            return false;
        }

        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return await db.Sessions.AnyAsync(
            s => s.Id == id && s.RevokedAtMs == null && s.ExpiresAtMs > now && (s.UserId == null || db.Users.Any(u => u.Id == s.UserId && !u.IsLocked)), cancellationToken);
    }

    /// <summary>The open sessions of an account, the newest first.</summary>
    public async Task<ImmutableArray<SignedInBrowser>> OfAsync(string user, string? current, CancellationToken cancellationToken)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        List<SessionEntity> rows = await db.Sessions.AsNoTracking().Where(s => s.UserId == user && s.RevokedAtMs == null && s.ExpiresAtMs > now).OrderByDescending(s => s.CreatedAtMs).ToListAsync(cancellationToken);
        return [.. rows.Select(s => new SignedInBrowser(s.Id == current, s.Method, s.RemoteAddress, s.Browser, DateTimeOffset.FromUnixTimeMilliseconds(s.CreatedAtMs)))];
    }

    /// <summary>Signs the other browsers of an account out, audited in the same transaction. False: the audit could not be written, and nothing was done.</summary>
    public async Task<bool> EndOthersAsync(string user, string current, Actor actor, CancellationToken cancellationToken) =>
        await TryAsync(
            new AuditDraft { Actor = actor, Action = "sessions-ended", Target = $"user {actor.Name}", Outcome = "accepted" },
            (db, stop) => EndAllAsync(db, user, current, time.GetUtcNow(), stop),
            cancellationToken);

    /// <summary>
    /// Ends it for every page that is open by it, audited in the same transaction. Who is in no session has nothing to end. False: the audit
    /// could not be written, and the session is still open.
    /// </summary>
    /// <param name="user">Whose.</param>
    /// <param name="actor">Who ends it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="why">Why, when it is not that he signs out.</param>
    public async Task<bool> CloseAsync(ClaimsPrincipal user, Actor actor, CancellationToken cancellationToken, string? why = null)
    {
        if (user.FindFirstValue(Claim) is not { } id)
        {
            return true;
        }

        return await TryAsync(
            new AuditDraft { Actor = actor, Action = "sign-out", Target = "hub", Outcome = why is null ? "accepted" : $"accepted: {why}" },
            (db, stop) =>
            {
                long now = time.GetUtcNow().ToUnixTimeMilliseconds();
                return db.Sessions.Where(s => s.Id == id && s.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.RevokedAtMs, now), stop);
            },
            cancellationToken);
    }

    private async Task<bool> TryAsync(AuditDraft draft, Func<HubDbContext, CancellationToken, Task> change, CancellationToken cancellationToken)
    {
        try
        {
            await audit.ChangeAsync(draft, change, cancellationToken);
            signals.Ended();
            return true;
        }
        catch (Exception exception) when (StorageFaults.IsStorageFault(exception))
        {
            return false;
        }
    }
}

/// <summary>A browser that is let in.</summary>
/// <param name="Id">Random; will stand in the encrypted cookie.</param>
/// <param name="Name">As the audit knows who it is.</param>
/// <param name="UserId">The account; null: by the one-time link, without one.</param>
/// <param name="Method">"password", "passkey", "provider", "link".</param>
/// <param name="RemoteAddress">Where the browser is.</param>
/// <param name="Browser">What it says it is.</param>
internal sealed record NewSession(string Id, string Name, string? UserId, string Method, string? RemoteAddress, string? Browser);

/// <summary>A browser that is signed in, as its owner is shown it.</summary>
internal sealed record SignedInBrowser(bool IsThisOne, string Method, string? RemoteAddress, string? Browser, DateTimeOffset SignedInAt);
