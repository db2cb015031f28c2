using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Identity;

/// <summary>What somebody wants a join token for.</summary>
/// <param name="Node">The only name that it is good for; null: any that is free.</param>
/// <param name="ForExisting">To give a node that there is already a new certificate; needs its name.</param>
/// <param name="Lifetime">From <see cref="JoinTokens.Shortest"/> to <see cref="JoinTokens.Longest"/>.</param>
internal sealed record JoinTokenRequest(string? Node, bool ForExisting, TimeSpan Lifetime);

/// <summary>A token as it is listed: never the token itself.</summary>
internal sealed record JoinTokenInfo(
    string Id, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, string? Node, bool ForExisting, DateTimeOffset? UsedAt, string? UsedBy, DateTimeOffset? WithdrawnAt);

/// <summary>Either the token, to be shown once, or why there is none.</summary>
internal sealed record JoinTokenCreation(JoinToken? Token, JoinTokenInfo? Info, string? Problem);

/// <summary>Join tokens: made, listed, withdrawn, found by what an agent sends. Single use, short-lived, stored hashed, audited.</summary>
internal sealed class JoinTokens(IDbContextFactory<HubDbContext> database, AuditLog audit, HubIdentity identity, TimeProvider time)
{
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromMinutes(15);
    public static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    // What is used or over is of use for a while to whoever asks "did my token arrive?".
    private static readonly TimeSpan KeptAfterwards = TimeSpan.FromDays(30);
    private const int Listed = 100;

    // It may repeat the name that was asked for, however long that is.
    private const int LongestProblem = 300;

    // More than anybody has made in the 24 hours that a token is good for at most.
    private const int MostGood = 10_000;

    private int _made;

    /// <summary>How many this process has made.</summary>
    public int Made => Volatile.Read(ref _made);

    /// <summary>Makes every unused token for that node worthless, in the transaction of whoever takes its name or its certificates away. Another one is made for it on purpose.</summary>
    /// <returns>How many there were.</returns>
    public static async Task<int> WithdrawForAsync(HubDbContext db, string node, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var (ids, ms) = (await UnusedForAsync(db, node, cancellationToken), at.ToUnixTimeMilliseconds());
        return await db.JoinTokens.Where(t => ids.Contains(t.Id)).ExecuteUpdateAsync(set => set.SetProperty(t => t.WithdrawnAtMs, ms), cancellationToken);
    }

    /// <summary>Every unused token for that node is for its new name, in the transaction that renames it.</summary>
    public static async Task RenameAsync(HubDbContext db, string old, string newName, CancellationToken cancellationToken)
    {
        var ids = await UnusedForAsync(db, old, cancellationToken);
        await db.JoinTokens.Where(t => ids.Contains(t.Id)).ExecuteUpdateAsync(set => set.SetProperty(t => t.Node, newName), cancellationToken);
    }

    /// <summary>Makes one, audited in the same transaction; it is nowhere else than in the answer. A refusal is audited as well. Needs the right to administer.</summary>
    public async Task<JoinTokenCreation> CreateAsync(JoinTokenRequest request, Actor actor, CancellationToken cancellationToken)
    {
        if ((actor.MayAdminister ? await ProblemOfAsync(request, cancellationToken) : Actor.NeedsAdmin) is { } problem)
        {
            await audit.WriteAsync(new AuditDraft { Actor = actor, Action = "join-token-created", Target = NodeNames.IsGood(request.Node ?? "") ? AuditTarget.Node(request.Node!) : "hub", Outcome = $"refused: {Cut.To(problem, LongestProblem)}" }, cancellationToken);
            return new JoinTokenCreation(null, null, problem);
        }

        var token = JoinToken.New(await identity.FingerprintForTokensAsync(cancellationToken));
        var now = time.GetUtcNow();
        var entity = new JoinTokenEntity
        {
            Id = Guid.CreateVersion7(now).ToString("N"),
            Hash = token.Hash,
            CreatedBy = actor.Name,
            CreatedAtMs = now.ToUnixTimeMilliseconds(),
            ExpiresAtMs = (now + request.Lifetime).ToUnixTimeMilliseconds(),
            Node = request.Node,
            ForExisting = request.ForExisting,
        };
        var draft = new AuditDraft
        {
            Actor = actor,
            Action = "join-token-created",
            Target = request.Node is { } node ? AuditTarget.Node(node) : "hub",
            After = $$"""{"id":"{{entity.Id}}","forExisting":{{(request.ForExisting ? "true" : "false")}},"expiresAt":"{{now + request.Lifetime:yyyy-MM-ddTHH:mm:ssZ}}"}""",
            Outcome = "accepted",
        };
        var forgotten = (now - KeptAfterwards).ToUnixTimeMilliseconds();
        await audit.ChangeAsync(draft, async (db, stop) =>
        {
            await db.JoinTokens.Where(t => t.ExpiresAtMs < forgotten).ExecuteDeleteAsync(stop);
            db.JoinTokens.Add(entity);
        }, cancellationToken);
        Interlocked.Increment(ref _made);
        return new JoinTokenCreation(token, IdentityRecords.ToInfo(entity), null);
    }

    /// <summary>The hashes of those that are good now, the newest 10,000 at most.</summary>
    public async Task<ImmutableHashSet<string>> GoodHashesAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var hashes = await db.JoinTokens.AsNoTracking().Where(t => t.UsedAtMs == null && t.WithdrawnAtMs == null && t.ExpiresAtMs > now)
            .OrderByDescending(t => t.CreatedAtMs).Select(t => t.Hash).Take(MostGood).ToListAsync(cancellationToken);
        return hashes.ToImmutableHashSet(StringComparer.Ordinal);
    }

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<JoinTokenInfo>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var rows = await db.JoinTokens.AsNoTracking().OrderByDescending(t => t.CreatedAtMs).Take(Listed).ToListAsync(cancellationToken);
        return [.. rows.Select(IdentityRecords.ToInfo)];
    }

    /// <summary>Makes an unused token useless, audited in the same transaction. False: there is no such token, it is used or over, or the actor lacks the right to administer; the audit says which.</summary>
    public async Task<bool> WithdrawAsync(string id, Actor actor, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var draft = new AuditDraft { Actor = actor, Action = "join-token-withdrawn", Target = $"join token {id}", Outcome = "accepted" };
        if (!actor.MayAdminister)
        {
            await audit.WriteAsync(draft with { Target = $"join token {Cut.To(id, LongestProblem)}", Outcome = $"refused: {Actor.NeedsAdmin}" }, cancellationToken);
            return false;
        }

        try
        {
            await audit.ChangeAsync(draft, async (db, stop) =>
            {
                var withdrawn = await db.JoinTokens.Where(t => t.Id == id && t.UsedAtMs == null && t.WithdrawnAtMs == null && t.ExpiresAtMs > now)
                    .ExecuteUpdateAsync(set => set.SetProperty(t => t.WithdrawnAtMs, now), stop);
                if (withdrawn != 1)
                {
                    throw new DbUpdateConcurrencyException("There is no such token, or it was used a moment before.");
                }
            }, cancellationToken);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            await audit.WriteAsync(draft with { Target = $"join token {Cut.To(id, LongestProblem)}", Outcome = "refused: there is no unused join token of that id" }, cancellationToken);
            return false;
        }
    }

    /// <summary>The token that this is, if it is good for that name now; null else. It is not used up by that.</summary>
    public async Task<JoinTokenInfo?> FindGoodAsync(JoinToken token, string node, CancellationToken cancellationToken)
    {
        var hash = token.Hash;
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var row = await db.JoinTokens.AsNoTracking()
            .FirstOrDefaultAsync(t => t.Hash == hash && t.UsedAtMs == null && t.WithdrawnAtMs == null && t.ExpiresAtMs > now, cancellationToken);
        return row is not null && (row.Node is null || string.Equals(row.Node, node, StringComparison.OrdinalIgnoreCase)) ? IdentityRecords.ToInfo(row) : null;
    }

    /// <summary>Uses it up, in the caller's transaction.</summary>
    /// <exception cref="DbUpdateConcurrencyException">Somebody was faster, or it expired meanwhile.</exception>
    public async Task TakeAsync(HubDbContext db, string id, string node, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var taken = await db.JoinTokens.Where(t => t.Id == id && t.UsedAtMs == null && t.WithdrawnAtMs == null && t.ExpiresAtMs > now)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.UsedAtMs, now).SetProperty(t => t.UsedBy, node), cancellationToken);
        if (taken != 1)
        {
            throw new DbUpdateConcurrencyException("The join token was used or expired between looking and taking.");
        }
    }

    /// <summary>For whoever has to look at the table of certificates as it is stored; the caller disposes it.</summary>
    public Task<HubDbContext> OpenDatabaseAsync(CancellationToken cancellationToken) => database.CreateDbContextAsync(cancellationToken);

    // A token may be for a name that no node had yet when it was made, in whatever case; names differ in more than that.
    private static async Task<string[]> UnusedForAsync(HubDbContext db, string node, CancellationToken cancellationToken)
    {
        var tokens = await db.JoinTokens.AsNoTracking().Where(t => t.Node != null && t.UsedAtMs == null && t.WithdrawnAtMs == null).Select(t => new { t.Id, t.Node }).ToListAsync(cancellationToken);
        return [.. tokens.Where(t => string.Equals(t.Node, node, StringComparison.OrdinalIgnoreCase)).Select(t => t.Id)];
    }

    private async Task<string?> ProblemOfAsync(JoinTokenRequest request, CancellationToken cancellationToken)
    {
        if (request.Lifetime < Shortest || request.Lifetime > Longest)
        {
            return $"A join token is good for {Shortest.TotalMinutes:0} to {Longest.TotalMinutes:0} minutes.";
        }

        if (request.Node is not { } node)
        {
            return request.ForExisting ? "Which node is to get a new certificate? Give its name." : null;
        }

        if (!NodeNames.IsGood(node))
        {
            return NodeNames.Problem(node);
        }

        // The database and not the table in memory: the command line asks as well.
        var key = IdentityRecords.KeyOf(node);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var exists = await db.NodeIdentities.AnyAsync(n => n.NameKey == key && n.RemovedAtMs == null, cancellationToken);
        return (exists, request.ForExisting) switch
        {
            (true, false) => $"There is a node '{node}' already. To give it a new certificate make a token for an existing node (--for-existing); for another machine choose another name.",
            (false, true) => $"No node '{node}' has joined. Leave --for-existing out to let one join under that name.",
            _ => null,
        };
    }
}
