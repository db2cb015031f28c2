using System.Globalization;
using System.Text.RegularExpressions;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access.Tokens;

/// <summary>Tokens of the API: made, listed, revoked, recognised. The token itself is only in the answer that makes it.</summary>
internal sealed partial class ApiTokens(IDbContextFactory<HubDbContext> database, AuditLog audit, SessionSignals signals, TimeProvider time)
{
    /// <summary>When nobody says how long.</summary>
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromDays(90);

    /// <summary>A token that nobody renews in a year is one that somebody has forgotten.</summary>
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(366);

    private const string Prefix = "fh_";
    private const int LongestToken = 200;
    private const int LongestName = 100;

    /// <summary>Makes a token, audited in the same transaction.</summary>
    /// <param name="name">1 to 63 letters, digits, '.', '-' and '_'.</param>
    /// <param name="scope">What it may do.</param>
    /// <param name="lifetime">More than nothing, at most <see cref="LongestLifetime"/>.</param>
    /// <param name="actor">Who makes it; needs the right to administer.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<TokenCreation> CreateAsync(string name, ApiScope scope, TimeSpan lifetime, Actor actor, CancellationToken cancellationToken)
    {
        if (!actor.MayAdminister)
        {
            return await RefuseAsync(name, Actor.NeedsAdmin, actor, cancellationToken);
        }

        if (!Name().IsMatch(name))
        {
            return await RefuseAsync(name, "A token's name has 1 to 63 letters, digits, '.', '-' and '_'.", actor, cancellationToken);
        }

        if (lifetime <= TimeSpan.Zero || lifetime > LongestLifetime)
        {
            return await RefuseAsync(name, $"A token is good for 1 to {LongestLifetime.TotalDays:0} days.", actor, cancellationToken);
        }

        string token = Prefix + Secret.New();
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var entity = new ApiTokenEntity
        {
            Name = name,
            Hash = Secret.Hash(token),
            CreatedAtMs = now,
            ExpiresAtMs = now + (long)lifetime.TotalMilliseconds,
            Role = ApiScopes.Word(scope),

            // A token that a token makes belongs to the same person.
            OwnerId = (actor.Behind?.Person as Requester.Account)?.Id,
            ByMachine = actor.Behind?.Person is Requester.Machine,
        };

        if (await ExistsAsync(name, cancellationToken))
        {
            return await RefuseAsync(name, $"There is a token '{name}' already. Revoke it, or choose another name.", actor, cancellationToken);
        }

        var draft = new AuditDraft
        {
            Actor = actor,
            Action = "token-created",
            Target = $"token {name}",
            After = $$"""{"scope":"{{entity.Role}}","expiresAt":{{(entity.ExpiresAtMs is { } ms ? $"\"{DateTimeOffset.FromUnixTimeMilliseconds(ms).UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}\"" : "null")}}}""",
            Outcome = "accepted",
        };
        await audit.ChangeAsync(draft, (db, _) =>
        {
            db.ApiTokens.Add(entity);
            return Task.CompletedTask;
        }, cancellationToken);
        return new TokenCreation(token, null);
    }

    /// <summary>Every token that is not revoked, by name; expired ones too, so that their owners learn why they fail.</summary>
    public async Task<IReadOnlyList<ApiTokenInfo>> ListAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        List<ApiTokenEntity> rows = await db.ApiTokens.AsNoTracking().Where(t => t.RevokedAtMs == null).OrderBy(t => t.Name).ToListAsync(cancellationToken);
        string[] ids = [.. rows.Select(r => r.OwnerId).OfType<string>().Distinct()];
        Dictionary<string, string?> names = await db.Users.AsNoTracking().Where(u => ids.Contains(u.Id)).ToDictionaryAsync(u => u.Id, u => u.UserName, cancellationToken);
        return [.. rows.Select(r => new ApiTokenInfo(r.Name, ApiScopes.Parse(r.Role) ?? ApiScope.Read, At(r.CreatedAtMs)!.Value, At(r.ExpiresAtMs), At(r.LastUsedAtMs))
        {
            Owner = OwnerOf(r) is { } owner ? TokenOwners.Words(owner, r.OwnerId is { } id ? names.GetValueOrDefault(id) : null) : TokenOwners.Unknown,
        })];
    }

    /// <summary>Takes a token's rights away at once, audited in the same transaction. False: there is no such token, or the actor lacks the right to administer; the audit says which.</summary>
    public async Task<bool> RevokeAsync(string name, Actor actor, CancellationToken cancellationToken)
    {
        var draft = new AuditDraft { Actor = actor, Action = "token-revoked", Target = $"token {Cut.To(name, LongestName)}", Outcome = "accepted" };
        if ((actor.MayAdminister ? await ExistsAsync(name, cancellationToken) ? null : "there is no such token" : Actor.NeedsAdmin) is { } why)
        {
            await audit.WriteAsync(draft with { Outcome = $"refused: {why}" }, cancellationToken);
            return false;
        }

        await audit.ChangeAsync(draft, async (db, stop) =>
        {
            long now = time.GetUtcNow().ToUnixTimeMilliseconds();
            await db.ApiTokens.Where(t => t.Name == name && t.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(t => t.RevokedAtMs, now), stop);
        }, cancellationToken);
        signals.Ended();
        return true;
    }

    /// <summary>Whose token this is, null: nobody's, or no longer. Asked of the database each time, so that revoking works at once; it only reads.</summary>
    public async Task<ApiTokenUse?> AuthenticateAsync(string token, CancellationToken cancellationToken) =>
        await FindAsync(token, cancellationToken) is { Ended: null } found ? found.Use : null;

    /// <summary>A token that was made here, good or not; null: it never was.</summary>
    public async Task<ApiTokenFound?> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (!token.StartsWith(Prefix, StringComparison.Ordinal) || token.Length > LongestToken)
        {
            return null;
        }

        string hash = Secret.Hash(token);
        DateTimeOffset now = time.GetUtcNow();
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        var found = await db.ApiTokens.AsNoTracking().Where(t => t.Hash == hash)
            .Select(t => new { Row = t, OwnerName = db.Users.Where(u => u.Id == t.OwnerId).Select(u => u.UserName).FirstOrDefault() }).FirstOrDefaultAsync(cancellationToken);
        return found is { Row: { } row } && ApiScopes.Parse(row.Role) is { } scope
            ? new ApiTokenFound(new ApiTokenUse(row.Name, scope, row.Id, OwnerOf(row)) { OwnerName = found.OwnerName }, At(row.RevokedAtMs) is { } revoked ? $"was revoked at {Words(revoked)}" : At(row.ExpiresAtMs) is { } expired && expired <= now ? $"expired at {Words(expired)}" : null)
            : null;
    }

    private static Requester? OwnerOf(ApiTokenEntity row) => row.OwnerId is { } owner ? new Requester.Account(owner) : row.ByMachine ? new Requester.Machine() : null;

    private async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return await db.ApiTokens.AnyAsync(t => t.Name == name && t.RevokedAtMs == null, cancellationToken);
    }

    private async Task<TokenCreation> RefuseAsync(string name, string why, Actor actor, CancellationToken cancellationToken)
    {
        await audit.WriteAsync(new AuditDraft { Actor = actor, Action = "token-created", Target = $"token {Cut.To(name, LongestName)}", Outcome = $"refused: {why}" }, cancellationToken);
        return new TokenCreation(null, why);
    }

    private static string Words(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static DateTimeOffset? At(long? ms) => ms is { } known ? DateTimeOffset.FromUnixTimeMilliseconds(known) : null;

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,63}\z")]
    private static partial Regex Name();
}

/// <summary>Either the token, to be shown once, or why there is none.</summary>
internal sealed record TokenCreation(string? Token, string? Problem);

/// <summary>What is known of a token that exists.</summary>
internal sealed record ApiTokenInfo(string Name, ApiScope Scope, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt)
{
    /// <summary>Whose it is, for people.</summary>
    public string Owner { get; init; } = TokenOwners.Unknown;
}

/// <summary>How it is said whose a token is.</summary>
internal static class TokenOwners
{
    /// <summary>Whoever runs the hub's machine made it, by the command line or signed in by the one-time link.</summary>
    public const string Machine = "the hub's machine";

    /// <summary>An earlier version did not note it.</summary>
    public const string Unknown = "not known";

    /// <summary>The account that made it is gone; the token goes on until it is revoked.</summary>
    public const string Removed = "a removed account";

    /// <param name="owner">The account or the machine.</param>
    /// <param name="name">Of the account, as it is called now; null: it is gone.</param>
    public static string Words(Requester owner, string? name) => owner is Requester.Account ? name ?? Removed : Machine;
}

/// <summary>A token that was just shown to us.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Scope">What it may do.</param>
/// <param name="Id">Never used again, as a name may be.</param>
/// <param name="Owner">Who made it, an account or the hub's machine; null: an earlier version, which did not note that.</param>
internal sealed record ApiTokenUse(string Name, ApiScope Scope, long Id, Requester? Owner)
{
    /// <summary>Of the account that made it, as it is called now; null: it is none, or gone.</summary>
    public string? OwnerName { get; init; }

    /// <summary>What the audit calls it: "token NAME", with its owner where that is an account.</summary>
    public string ActorName => Owner is Requester.Account ? $"token {Name} of {OwnerName ?? TokenOwners.Removed}" : $"token {Name}";
}

/// <summary>A token that was made here.</summary>
/// <param name="Use">Who comes with it, and what it may do, or might.</param>
/// <param name="Ended">Why it opens nothing any more, to be read behind its name; null: it is good.</param>
internal sealed record ApiTokenFound(ApiTokenUse Use, string? Ended)
{
    public string Name => Use.Name;
}
