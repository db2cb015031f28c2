using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Waiting;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Operations.Records;

/// <summary>An operation that is audited and stored, with nothing sent yet.</summary>
/// <param name="Plan">What it will do.</param>
/// <param name="View">How it stands.</param>
/// <param name="Wanted">For each step what has to be seen, with the revision that its intent was given.</param>
/// <param name="PairRevision">The pair's new revision.</param>
/// <param name="Draft">As it was audited.</param>
internal sealed record AcceptedOperation(OperationPlan Plan, OperationView View, ImmutableArray<WantedOfNode> Wanted, long PairRevision, AuditDraft Draft)
{
    /// <summary>What nodes that cannot be told now are to be told when they come back, by the revision of the intent.</summary>
    public ImmutableArray<(string Node, long Revision)> OnReturn { get; init; } = [];

    /// <summary>What waits to be done afterwards, by itself; null: nothing.</summary>
    public WaitingOperation? Then { get; init; }
}

/// <summary>What the history tells of one operation: kind and text of each event.</summary>
internal sealed class ToldEvents(IEnumerable<(string Kind, string Text)> told)
{
    private readonly HashSet<(string Kind, string Text)> _told = [.. told];

    /// <summary>It was told that it waits for a second person.</summary>
    public bool HasWaitedForApproval => _told.Any(e => e.Kind == EventKinds.OperationStarted && e.Text.Contains(OperationFeed.WaitsForApproval, StringComparison.Ordinal));

    /// <summary>One of that kind is told, in whatever words.</summary>
    public bool HasAny(string kind) => _told.Any(e => e.Kind == kind);

    public bool Has(EventDraft happened) => _told.Contains((happened.Kind, HistoryRecords.StoredText(happened)));
}

/// <summary>Operations and intents on the disk. Every method is one transaction.</summary>
internal sealed class OperationStore(IDbContextFactory<HubDbContext> factory, AuditLog audit, TimeProvider time)
{
    /// <summary>In the audit: the hub makes a node again what it was before a step of an operation that did not succeed.</summary>
    public const string TakeBackAction = "take-back";

    private static readonly Actor Hub = new("hub", null, null);
    private static readonly OperationStatus[] Unfinished = [OperationStatus.PendingApproval, OperationStatus.Queued, OperationStatus.Running, OperationStatus.OutcomeUnknown];

    /// <summary>Writes audit entry, operation and all its intents, in one transaction. Nothing may be sent before this returns.</summary>
    public async Task<AcceptedOperation> AcceptAsync(OperationPlan plan, AuditDraft draft, OperationView view, PairFacts pair, FleetSnapshot fleet, WaitingOperation? then, CancellationToken cancellationToken)
    {
        ImmutableArray<WantedOfNode> wanted = [];
        var onReturn = ImmutableArray.CreateBuilder<(string, long)>();
        long revision = 0;
        await audit.ChangeAsync(
            draft,
            async (db, ct) =>
            {
                revision = Math.Max(pair.Revision, await db.Pairs.Where(p => p.Id == pair.Id).Select(p => p.Revision).FirstOrDefaultAsync(ct)) + 1;
                await FleetRecords.UpsertPairAsync(db, pair with { Revision = revision }, ct);
                var steps = ImmutableArray.CreateBuilder<WantedOfNode>();
                onReturn.Clear();
                foreach (var step in plan.Steps)
                {
                    var next = await NextRevisionAsync(db, step.Wanted.Node, fleet, ct) + steps.Count(s => s.Node == step.Wanted.Node);
                    steps.Add(WantedOfNode.Of(step, next));
                    db.Intents.Add(FleetRecords.ToEntity(step.Wanted.Node, ToIntent(step.Wanted, next, view.Id, view.Reason), IntentStage.Planned, time.GetUtcNow()));
                }

                foreach (var later in plan.OnReturn)
                {
                    var next = await NextRevisionAsync(db, later.Node, fleet, ct);
                    onReturn.Add((later.Node, next));
                    db.Intents.Add(FleetRecords.ToEntity(later.Node, ToIntent(later, next, view.Id, view.Reason) with { OnReturn = true }, IntentStage.Planned, time.GetUtcNow()));
                }

                wanted = steps.ToImmutable();
                await AddOrBeginAsync(db, view, wanted, null, ct);
                if (then is not null)
                {
                    await WaitingStore.InsertAsync(db, then, ct);
                }
            },
            cancellationToken);
        return new AcceptedOperation(plan, view, wanted, revision, draft) { OnReturn = onReturn.ToImmutable(), Then = then };
    }

    // One that has waited keeps its row and its place.
    private static async Task AddOrBeginAsync(HubDbContext db, OperationView view, ImmutableArray<WantedOfNode> wanted, string? request, CancellationToken cancellationToken)
    {
        if (await db.Operations.SingleOrDefaultAsync(o => o.Id == view.Id, cancellationToken) is { } waited)
        {
            OperationRecords.Update(waited, view);
            waited.Title = view.Title;
            waited.WantedJson = OperationRecords.ToJson(wanted);
            waited.ApprovedBy = view.ApprovedBy;
            waited.RulesJson = OperationRecords.ToJson(view.Rules);
            waited.RequestJson = request;
            return;
        }

        var number = (await db.Operations.MaxAsync(o => (long?)o.Number, cancellationToken) ?? 0) + 1;
        var entity = OperationRecords.ToEntity(view, number, wanted);
        entity.RequestJson = request;
        db.Operations.Add(entity);
    }

    /// <summary>Audits an operation that sends nothing itself, and keeps it.</summary>
    /// <param name="view">As it is.</param>
    /// <param name="draft">For the audit.</param>
    /// <param name="cancellationToken">Stops it while nothing is stored.</param>
    /// <param name="asked">What was asked for and by whom, when the next hub is to go on with it; null: it is not.</param>
    public Task AddAsync(OperationView view, AuditDraft draft, CancellationToken cancellationToken, WaitingOperation? asked = null) =>
        audit.ChangeAsync(
            draft,
            async (db, ct) =>
            {
                // One that has waited for a second person has a low number: what others did meanwhile is not its own.
                var newest = asked is null ? 0 : await db.Operations.MaxAsync(o => (long?)o.Number, ct) ?? 0;
                await AddOrBeginAsync(db, view, [], asked is null ? null : WaitingRecords.ToJson(asked.Request, asked.Actor, newest), ct);
            },
            cancellationToken);

    /// <summary>Drills that were under way when the hub ended, oldest first, with the events of theirs that are in the history and the switchovers of their pair since they began, oldest first.</summary>
    public async Task<List<(WaitingOperation Left, ToldEvents Told, ImmutableArray<OperationView> Moves)>> LeftDrillsAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.Operations.AsNoTracking()
            .Where(o => o.RequestJson != null && o.Type == OperationType.Drill && o.Status == OperationStatus.Running)
            .OrderBy(o => o.Number).ToListAsync(cancellationToken);
        var told = await ToldAsync(db, rows, cancellationToken);
        var left = new List<(WaitingOperation, ToldEvents, ImmutableArray<OperationView>)>();
        foreach (var row in rows)
        {
            var drill = WaitingRecords.ToWaiting(row)!;
            var after = drill.After ?? row.Number;

            // An earlier version did not keep where it began: only its clock tells.
            var sinceMs = drill.After is null && drill.View.Steps is [{ StartedAt: { } began }, ..] ? began.ToUnixTimeMilliseconds() : 0;
            var moves = await db.Operations.AsNoTracking()
                .Where(o => o.PairId == row.PairId && o.Type == OperationType.Switchover && o.Number > after && o.RequestedAtMs >= sinceMs).OrderBy(o => o.Number).ToListAsync(cancellationToken);
            left.Add((drill, new ToldEvents(told[row.Id]), [.. moves.Select(OperationRecords.ToView)]));
        }

        return left;
    }

    /// <summary>Allows a planned intent to leave the hub.</summary>
    public async Task<IntentFacts> ReleaseAsync(OperationView view, string node, long revision, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var intent = await db.Intents.SingleAsync(i => i.Node == node && i.Revision == revision, cancellationToken);
        intent.Stage = IntentStage.Released;
        await SupersedeAsync(db, node, revision, cancellationToken);
        await UpdateAsync(db, view, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return FleetRecords.ToIntent(intent);
    }

    /// <summary>Allows what was planned for the return of nodes that could not be told, because the operation has succeeded after all. What is older than what such a node has been told since is left.</summary>
    public async Task<List<(string Node, IntentFacts Intent)>> ReleaseOnReturnAsync(string operationId, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var released = new List<(string, IntentFacts)>();
        foreach (var intent in await db.Intents.Where(i => i.OperationId == operationId && i.OnReturn && i.Stage == IntentStage.Planned).ToListAsync(cancellationToken))
        {
            if (!await db.Intents.AnyAsync(i => i.Node == intent.Node && i.Revision > intent.Revision, cancellationToken))
            {
                intent.Stage = IntentStage.Released;
                await SupersedeAsync(db, intent.Node, intent.Revision, cancellationToken);
                released.Add((intent.Node, FleetRecords.ToIntent(intent)));
            }
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return released;
    }

    /// <summary>Audits that a rule forbade a step when it was about to be sent, and gives up its intent.</summary>
    /// <param name="draft">For the audit.</param>
    /// <param name="step">The step; null: it has no intent of its own.</param>
    /// <param name="wasSent">The intent had left the hub once.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    public async Task<bool> RefuseStepAsync(AuditDraft draft, WantedOfNode? step, bool wasSent, CancellationToken cancellationToken)
    {
        await audit.ChangeAsync(
            draft,
            async (db, ct) =>
            {
                if (step is not null && await db.Intents.SingleAsync(i => i.Node == step.Node && i.Revision == step.Revision, ct) is { Stage: IntentStage.Released } intent)
                {
                    intent.Stage = wasSent ? IntentStage.Dropped : IntentStage.Abandoned;
                }
            },
            cancellationToken);
        return true;
    }

    /// <summary>Audits that a step is taken back, and writes the intent for it; it may leave the hub at once.</summary>
    /// <param name="view">How the operation stands.</param>
    /// <param name="told">What the node was told with the step.</param>
    /// <param name="before">What it is to be again.</param>
    /// <param name="fleet">The fleet as it is known.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    public async Task<IntentFacts> TakeBackAsync(OperationView view, NodeWanted told, NodeWanted before, FleetSnapshot fleet, CancellationToken cancellationToken)
    {
        IntentFacts? intent = null;
        var draft = new AuditDraft
        {
            Actor = Hub,
            Action = TakeBackAction,
            Target = AuditTarget.NodeOfPair(before.Node, view.PairName),
            Reason = $"Taken back: {view.Title}",
            Before = OperationRecords.ToAuditJson([told]),
            After = OperationRecords.ToAuditJson([before]),
            Outcome = "accepted",
            CorrelationId = view.Id,
        };
        await audit.ChangeAsync(
            draft,
            async (db, ct) =>
            {
                intent = ToIntent(before, await NextRevisionAsync(db, before.Node, fleet, ct), view.Id, draft.Reason);
                db.Intents.Add(FleetRecords.ToEntity(before.Node, intent, IntentStage.Released, time.GetUtcNow()));
                await SupersedeAsync(db, before.Node, intent.Revision, ct);
                await UpdateAsync(db, view, ct);
            },
            cancellationToken);
        return intent!;
    }

    /// <summary>
    /// Keeps how the operation stands. What it had planned and not sent is given up when it no longer runs; and what its success means for the pair, the policy that was set
    /// or where it was moved to, is kept with it: an operation that has succeeded is never without that.
    /// </summary>
    /// <param name="view">How it stands.</param>
    /// <param name="raiseRevision">Something was taken back, so what is wanted of the pair has changed once more.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <param name="move">Where it has moved the pair; null: it has not.</param>
    /// <returns>The pair's revision; null: the operation had been finished before, and nothing was changed.</returns>
    public async Task<long?> SaveAsync(OperationView view, bool raiseRevision, CancellationToken cancellationToken, PairMove? move = null)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await UpdateAsync(db, view, cancellationToken))
        {
            return null;
        }

        if (view.IsFinished || view.Status == OperationStatus.OutcomeUnknown)
        {
            foreach (var intent in await db.Intents.Where(i => i.OperationId == view.Id && i.Stage == IntentStage.Planned && (view.IsFinished || !i.OnReturn)).ToListAsync(cancellationToken))
            {
                intent.Stage = IntentStage.Abandoned;
            }
        }

        // Null: it is about more than one pair.
        var pair = await db.Pairs.SingleOrDefaultAsync(p => p.Id == view.PairId, cancellationToken);
        if (pair is not null)
        {
            pair.Revision += raiseRevision ? 1 : 0;
            FleetRecords.SetMove(pair, move);
            FleetRecords.SetFailback(pair, view is { Type: OperationType.SetFailback, Status: OperationStatus.Succeeded } ? await PolicyOfAsync(db, view.Id, pair, cancellationToken) : null);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return pair?.Revision ?? 0;
    }

    // Whoever settles it, the run or a later hub, has it from the same row. A node of two pairs is told the policies of both.
    private static async Task<Failback?> PolicyOfAsync(HubDbContext db, string id, PairEntity pair, CancellationToken cancellationToken)
    {
        var prefixes = pair.Prefixes.Split(' ');
        return OperationRecords.WantedOf(await db.Operations.SingleAsync(o => o.Id == id, cancellationToken)).SelectMany(w => w.Failback).Where(f => prefixes.Contains(f.Key)).Select(f => f.Value).FirstOrDefault();
    }

    /// <summary>Operations that were not finished when the hub ended, oldest first, with the events of theirs that are in the history.</summary>
    public async Task<List<(OperationView View, ImmutableArray<WantedOfNode> Wanted, ToldEvents Told)>> UnfinishedAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.Operations.AsNoTracking().Where(o => Unfinished.Contains(o.Status) && o.RequestJson == null).OrderBy(o => o.Number).ToListAsync(cancellationToken);
        var told = await ToldAsync(db, rows, cancellationToken);
        return rows.ConvertAll(r => (OperationRecords.ToView(r), OperationRecords.WantedOf(r), new ToldEvents(told[r.Id])));
    }

    /// <summary>Operations that ended since then, oldest first, with the events of theirs that are in the history.</summary>
    public async Task<List<(OperationView View, ToldEvents Told)>> EndedSinceAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var sinceMs = since.ToUnixTimeMilliseconds();
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.Operations.AsNoTracking().Where(o => o.FinishedAtMs >= sinceMs && !Unfinished.Contains(o.Status)).OrderBy(o => o.Number).ToListAsync(cancellationToken);
        var told = await ToldAsync(db, rows, cancellationToken);
        return rows.ConvertAll(r => (OperationRecords.ToView(r), new ToldEvents(told[r.Id])));
    }

    public async Task<OperationView?> FindAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.Operations.AsNoTracking().SingleOrDefaultAsync(o => o.Id == id, cancellationToken) is { } row ? OperationRecords.ToView(row) : null;
    }

    /// <summary>Whether the node was undrained, or perhaps drained anew, by another operation after that time: whatever was to end the drain before has nothing to end any more.</summary>
    /// <param name="node">The node.</param>
    /// <param name="drain">The drain that is meant.</param>
    /// <param name="since">When it was let in.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<bool> DrainHasChangedAsync(string node, string drain, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var sinceMs = since.ToUnixTimeMilliseconds();
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.Operations.AnyAsync(
            o => o.Node == node && o.Id != drain
                && ((o.Status == OperationStatus.Succeeded && o.FinishedAtMs > sinceMs && (o.Type == OperationType.Drain || o.Type == OperationType.Undrain))
                    || (o.Status == OperationStatus.OutcomeUnknown && o.Type == OperationType.Drain)),
            cancellationToken);
    }

    /// <summary>Its place in the order of acceptance; null: no such id.</summary>
    public async Task<long?> NumberOfAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.Operations.Where(o => o.Id == id).Select(o => (long?)o.Number).SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>Those with a smaller number, newest first.</summary>
    public async Task<List<OperationView>> RecentAsync(OperationFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.Operations.AsNoTracking().Where(o => o.Number < before).Where(filter).OrderByDescending(o => o.Number).Take(limit).ToListAsync(cancellationToken);
        return rows.ConvertAll(OperationRecords.ToView);
    }

    internal static async Task<ILookup<string, (string Kind, string Text)>> ToldAsync(HubDbContext db, List<OperationEntity> rows, CancellationToken cancellationToken)
    {
        var ids = rows.ConvertAll(r => r.Id);
        var events = await db.Events.AsNoTracking().Where(e => e.OperationId != null && ids.Contains(e.OperationId)).Select(e => new { e.OperationId, e.Kind, e.Text }).ToListAsync(cancellationToken);
        return events.ToLookup(e => e.OperationId!, e => (e.Kind, e.Text));
    }

    // What was sent and never confirmed is not wanted any more once something newer is.
    internal static async Task SupersedeAsync(HubDbContext db, string node, long revision, CancellationToken cancellationToken)
    {
        foreach (var older in await db.Intents.Where(i => i.Node == node && i.Revision < revision && i.Stage == IntentStage.Released).ToListAsync(cancellationToken))
        {
            older.Stage = IntentStage.Superseded;
        }
    }

    private static async Task<bool> UpdateAsync(HubDbContext db, OperationView view, CancellationToken cancellationToken)
    {
        var row = await db.Operations.SingleAsync(o => o.Id == view.Id, cancellationToken);
        if (!Unfinished.Contains(row.Status))
        {
            return false;
        }

        OperationRecords.Update(row, view);
        return true;
    }

    // Higher than every revision that the node may ever have seen, also those that were given up.
    internal static async Task<long> NextRevisionAsync(HubDbContext db, string node, FleetSnapshot fleet, CancellationToken cancellationToken)
    {
        var stored = await db.Intents.Where(i => i.Node == node).MaxAsync(i => (long?)i.Revision, cancellationToken) ?? 0;
        var known = fleet.FindNode(node);
        return Math.Max(stored, Math.Max(known?.IntentRevision ?? 0, known?.ReportedRevision ?? 0)) + 1;
    }

    internal static IntentFacts ToIntent(NodeWanted wanted, long revision, string? operationId, string reason) => new()
    {
        Revision = revision,
        Drained = wanted.Drained,
        Roles = wanted.Roles,
        Failback = wanted.Failback,
        AtOnce = wanted.AtOnce,
        LiftLocalDrain = wanted.LiftLocalDrain,
        OperationId = operationId,
        Reason = reason,
    };
}
