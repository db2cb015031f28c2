using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Operations.Freezes;

/// <summary>Freezes on the disk, and what nodes kept before. Every method is one transaction.</summary>
internal sealed class FreezeStore(IDbContextFactory<HubDbContext> factory, AuditLog audit, TimeProvider time)
{
    /// <summary>Audits a freeze, keeps it and the operation that it is.</summary>
    public Task SetAsync(FreezeFacts freeze, AuditDraft draft, OperationView view, CancellationToken cancellationToken) => audit.ChangeAsync(
        draft,
        async (db, ct) =>
        {
            if (await db.Freezes.FindAsync([freeze.Scope], ct) is { } older)
            {
                db.Freezes.Remove(older);
                await db.SaveChangesAsync(ct);
            }

            db.Freezes.Add(new FreezeEntity { Scope = freeze.Scope, UntilMs = freeze.Until.ToUnixTimeMilliseconds(), Actor = freeze.By, Reason = freeze.Reason, OperationId = freeze.OperationId });
            await AddAsync(db, view, ct);
        },
        cancellationToken);

    /// <summary>Audits that a freeze ends, and ends it.</summary>
    /// <param name="scope">Its scope.</param>
    /// <param name="draft">For the audit.</param>
    /// <param name="view">The operation that ends it; null: its time is over.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    public Task EndAsync(string scope, AuditDraft draft, OperationView? view, CancellationToken cancellationToken) => audit.ChangeAsync(
        draft,
        async (db, ct) =>
        {
            if (await db.Freezes.FindAsync([scope], ct) is { } freeze)
            {
                db.Freezes.Remove(freeze);
            }

            if (view is not null)
            {
                await AddAsync(db, view, ct);
            }
        },
        cancellationToken);

    /// <summary>What nodes kept before a freeze made them hold everything back.</summary>
    public async Task<ImmutableDictionary<string, ImmutableSortedDictionary<string, Failback>>> HeldAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.HeldFailbacks.AsNoTracking().ToListAsync(cancellationToken);
        return rows.ToImmutableDictionary(r => r.Node, r => Parse(r.Failback), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Writes an intent that changes nothing but failback policies; it may leave the hub at once.</summary>
    /// <param name="wanted">What is wanted of the node.</param>
    /// <param name="reason">For the node's journal.</param>
    /// <param name="before">What it kept before, to be kept until it has it again; null: that is known.</param>
    /// <param name="fleet">The fleet as it is known.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    public async Task<IntentFacts> TellAsync(NodeWanted wanted, string reason, ImmutableSortedDictionary<string, Failback>? before, FleetSnapshot fleet, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var revision = await OperationStore.NextRevisionAsync(db, wanted.Node, fleet, cancellationToken);
        var intent = OperationStore.ToIntent(wanted, revision, null, reason);
        db.Intents.Add(FleetRecords.ToEntity(wanted.Node, intent, IntentStage.Released, time.GetUtcNow()));
        await OperationStore.SupersedeAsync(db, wanted.Node, revision, cancellationToken);
        if (before is not null && await db.HeldFailbacks.FindAsync([wanted.Node], cancellationToken) is null)
        {
            db.HeldFailbacks.Add(new HeldFailbackEntity { Node = wanted.Node, Failback = string.Join(' ', before.Select(f => $"{f.Key}={FleetRecords.ToText(f.Value)}")) });
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return intent;
    }

    /// <summary>The node has its policies again.</summary>
    public async Task ForgetAsync(string node, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await db.HeldFailbacks.Where(h => h.Node == node).ExecuteDeleteAsync(cancellationToken);
    }

    private static async Task AddAsync(HubDbContext db, OperationView view, CancellationToken cancellationToken)
    {
        var number = (await db.Operations.MaxAsync(o => (long?)o.Number, cancellationToken) ?? 0) + 1;
        db.Operations.Add(OperationRecords.ToEntity(view, number, []));
    }

    private static ImmutableSortedDictionary<string, Failback> Parse(string text) => IntentFacts.NoFailback.SetItems(
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => f.Split('=')).Select(f => KeyValuePair.Create(f[0], FleetRecords.ToFailback(f[1]))));
}
