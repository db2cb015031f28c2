using System.Collections.Immutable;
using System.Text.Json;
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
    /// <summary>Action of the audit entry of a node that is told to hold failback.</summary>
    public const string HoldAction = "hold-failback";

    /// <summary>Action of the audit entry of a node that is told to keep again what it kept before.</summary>
    public const string ReleaseAction = "release-failback";

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

    /// <summary>Audits an intent that changes nothing but failback policies, and writes it; it may leave the hub at once.</summary>
    /// <param name="order">What is wanted of whom.</param>
    /// <param name="wanted">Its <see cref="FailbackOrder.Wanted"/>.</param>
    /// <param name="actor">Who does it: the hub itself.</param>
    /// <param name="fleet">The fleet as it is known.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    public async Task<IntentFacts> TellAsync(FailbackOrder order, NodeWanted wanted, Actor actor, FleetSnapshot fleet, CancellationToken cancellationToken)
    {
        IntentFacts? intent = null;
        var draft = new AuditDraft
        {
            Actor = actor,
            Action = order.Holds ? HoldAction : ReleaseAction,
            Target = AuditTarget.NodeOfPair(order.Node, order.Pair.Name),
            Reason = order.Reason,
            Before = Json(order.Now),
            After = Json(wanted.Failback),
            Outcome = "accepted",
            CorrelationId = order.Freeze ?? await LastFreezeOfAsync(order.Pair.Id, cancellationToken),
        };
        await audit.ChangeAsync(
            draft,
            async (db, ct) =>
            {
                var revision = await OperationStore.NextRevisionAsync(db, wanted.Node, fleet, ct);
                intent = OperationStore.ToIntent(wanted, revision, null, order.Reason);
                db.Intents.Add(FleetRecords.ToEntity(wanted.Node, intent, IntentStage.Released, time.GetUtcNow()));
                await OperationStore.SupersedeAsync(db, wanted.Node, revision, ct);
                if (order.Before is { } before && await db.HeldFailbacks.FindAsync([wanted.Node], ct) is null)
                {
                    db.HeldFailbacks.Add(new HeldFailbackEntity { Node = wanted.Node, Failback = string.Join(' ', before.Select(f => $"{f.Key}={FleetRecords.ToText(f.Value)}")) });
                }
            },
            cancellationToken);
        return intent!;
    }

    /// <summary>The node has its policies again.</summary>
    public async Task ForgetAsync(string node, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await db.HeldFailbacks.Where(h => h.Node == node).ExecuteDeleteAsync(cancellationToken);
    }

    // Which freeze it was that is over is not kept with what the node kept before.
    private async Task<string?> LastFreezeOfAsync(string pairId, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.Operations.Where(o => o.Type == OperationType.Freeze && (o.PairId == pairId || o.PairId == FreezeFacts.All)).OrderByDescending(o => o.Number).Select(o => o.Id).FirstOrDefaultAsync(cancellationToken);
    }

    private static string Json(ImmutableSortedDictionary<string, Failback> failback) => JsonSerializer.Serialize(new { failback = failback.ToDictionary(f => f.Key, f => FailbackWords.Short(f.Value)) });

    private static async Task AddAsync(HubDbContext db, OperationView view, CancellationToken cancellationToken)
    {
        var number = (await db.Operations.MaxAsync(o => (long?)o.Number, cancellationToken) ?? 0) + 1;
        db.Operations.Add(OperationRecords.ToEntity(view, number, []));
    }

    private static ImmutableSortedDictionary<string, Failback> Parse(string text) => IntentFacts.NoFailback.SetItems(
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => f.Split('=')).Select(f => KeyValuePair.Create(f[0], FleetRecords.ToFailback(f[1]))));
}
