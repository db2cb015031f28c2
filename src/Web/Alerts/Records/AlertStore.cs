using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace FailoverHub.Web.Alerts.Records;

/// <summary>Which alerts of the past or the present are wanted. Null: not filtered by that.</summary>
public sealed record AlertFilter
{
    /// <summary>True: active ones, false: those that are over.</summary>
    public bool? Active { get; init; }

    /// <summary>At least so severe.</summary>
    public EventSeverity? MinimumSeverity { get; init; }

    /// <summary>Name of the pair.</summary>
    public string? Pair { get; init; }

    /// <summary>Name of the node.</summary>
    public string? Node { get; init; }

    /// <summary>Id of the rule.</summary>
    public string? RuleId { get; init; }

    /// <summary>Words that are in rule, subject or sentence.</summary>
    public string? Text { get; init; }
}

/// <summary>Alerts on the disk, with what they make people be told: every change is one transaction of alerts, messages to be sent and events.</summary>
internal sealed class AlertStore(IDbContextFactory<HubDbContext> factory, AuditLog audit, HistoryChanges changes) : INodeNames
{
    /// <summary>What an earlier run of the hub left: active alerts, shelves, and which operations that failed since a moment somebody has acknowledged.</summary>
    public async Task<AlertBook> LoadAsync(DateTimeOffset seenSince, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        List<AlertShelfEntity> shelves = await db.AlertShelves.AsNoTracking().ToListAsync(cancellationToken);
        var shelved = shelves.ToImmutableDictionary(s => new AlertKey(s.RuleId, s.Subject), AlertRecords.ToShelf);
        List<AlertEntity> rows = await db.Alerts.AsNoTracking().Where(a => a.ResolvedAtMs == null).ToListAsync(cancellationToken);
        long since = seenSince.ToUnixTimeMilliseconds();
        string failed = AlertKinds.Of(AlertKind.OperationFailed).Word;
        var seen = await db.Alerts.AsNoTracking().Where(a => a.ResolvedAtMs >= since && a.Kind == failed && a.AcknowledgedBy != null).Select(a => new { a.OperationId, a.ResolvedAtMs }).ToListAsync(cancellationToken);
        Dictionary<string, string?> told = await ToldOperationsAsync(db, cancellationToken);
        return AlertBook.Empty with
        {
            Seen = seen.Where(a => a.OperationId is not null).GroupBy(a => a.OperationId!).ToImmutableDictionary(a => a.Key, a => DateTimeOffset.FromUnixTimeMilliseconds(a.Max(one => one.ResolvedAtMs!.Value))),
            Active = rows.Select(r => AlertRecords.ToAlert(r, shelved.GetValueOrDefault(new AlertKey(r.RuleId, r.Subject))) with { ToldOperationId = told.GetValueOrDefault(r.Id) }).ToImmutableDictionary(a => a.Key),
            Shelves = shelved,
        };
    }

    // The message that told of an alert last is of the same moment.
    private static async Task<Dictionary<string, string?>> ToldOperationsAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var messages = await db.Alerts.AsNoTracking().Where(a => a.ResolvedAtMs == null && a.OperationId != null)
            .Join(db.AlertDeliveries, a => a.Id, d => d.AlertId, (a, d) => new { a.Id, a.LastToldAtMs, d.CreatedAtMs, d.MessageJson })
            .Where(m => m.CreatedAtMs == m.LastToldAtMs).ToListAsync(cancellationToken);
        return messages.DistinctBy(m => m.Id).ToDictionary(m => m.Id, m => AlertMessage.FromJson(m.MessageJson).Alerts.FirstOrDefault()?.OperationId);
    }

    /// <summary>Writes a step that the hub itself took.</summary>
    /// <exception cref="DbUpdateException">It could not be written; nothing was.</exception>
    public async Task WriteAsync(AlertStep step, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        List<EventEntity> events = await AddAsync(db, step, now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        Tell(events);
    }

    /// <summary>Writes a step that somebody took, with its audit entry.</summary>
    /// <exception cref="DbUpdateException">It could not be written; nothing was.</exception>
    public async Task WriteAsync(AlertStep step, AuditDraft draft, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<EventEntity> events = [];
        await audit.ChangeAsync(draft, async (db, stop) => events = await AddAsync(db, step, now, stop), cancellationToken);
        Tell(events);
    }

    /// <summary>Audits an attempt that was refused.</summary>
    public Task RefuseAsync(AuditDraft draft, CancellationToken cancellationToken) => audit.WriteAsync(draft, cancellationToken);

    /// <summary>One alert, null: there is none with that id.</summary>
    public async Task<Alert?> FindAsync(string id, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.Alerts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == id, cancellationToken) is { } row
            ? AlertRecords.ToAlert(row, await db.AlertShelves.AsNoTracking().SingleOrDefaultAsync(s => s.RuleId == row.RuleId && s.Subject == row.Subject, cancellationToken) is { } shelf ? AlertRecords.ToShelf(shelf) : null)
            : null;
    }

    /// <summary>Alerts, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="before">Id of the alert that the page before ended with, null: from the newest.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<ImmutableArray<Alert>> ListAsync(AlertFilter filter, string? before, int limit, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        IQueryable<AlertEntity> found = db.Alerts.AsNoTracking();
        found = filter.Active is { } active ? found.Where(a => a.ResolvedAtMs == null == active) : found;
        found = filter.MinimumSeverity is { } severity ? found.Where(a => a.Severity >= severity) : found;
        found = filter.Pair is { } pair ? found.Where(a => a.Pair == pair) : found;
        found = filter.Node is { } node ? found.Where(a => a.Node == node) : found;
        found = filter.RuleId is { } rule ? found.Where(a => a.RuleId == rule) : found;
        foreach (string word in filter.Text?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            string like = $"%{word.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal)}%";
            found = found.Where(a => EF.Functions.Like(a.RuleName, like, @"\") || EF.Functions.Like(a.About, like, @"\") || EF.Functions.Like(a.Text, like, @"\"));
        }

        found = before is null ? found : found.Where(a => string.Compare(a.Id, before) < 0);
        List<AlertEntity> rows = await found.OrderByDescending(a => a.Id).Take(limit).ToListAsync(cancellationToken);
        List<AlertShelfEntity> shelves = await db.AlertShelves.AsNoTracking().ToListAsync(cancellationToken);
        var shelved = shelves.ToDictionary(s => new AlertKey(s.RuleId, s.Subject), AlertRecords.ToShelf);
        return [.. rows.Select(r => AlertRecords.ToAlert(r, shelved.GetValueOrDefault(new AlertKey(r.RuleId, r.Subject))))];
    }

    /// <summary>Takes away what is older than it is kept, a bounded step.</summary>
    /// <returns>True: there may be more.</returns>
    public async Task<bool> PruneAsync(DateTimeOffset alertsBefore, DateTimeOffset deliveriesBefore, CancellationToken cancellationToken)
    {
        const int step = 500;
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        long before = alertsBefore.ToUnixTimeMilliseconds();
        long sentBefore = deliveriesBefore.ToUnixTimeMilliseconds();
        string[] alerts = await db.Alerts.Where(a => a.ResolvedAtMs < before).OrderBy(a => a.Id).Select(a => a.Id).Take(step).ToArrayAsync(cancellationToken);
        long[] deliveries = await db.AlertDeliveries.Where(d => d.CreatedAtMs < sentBefore && d.State != DeliveryStates.Waiting).OrderBy(d => d.Id).Select(d => d.Id).Take(step).ToArrayAsync(cancellationToken);
        await db.Alerts.Where(a => alerts.Contains(a.Id)).ExecuteDeleteAsync(cancellationToken);
        await db.AlertDeliveries.Where(d => deliveries.Contains(d.Id)).ExecuteDeleteAsync(cancellationToken);
        return alerts.Length == step || deliveries.Length == step;
    }

    /// <summary>Told of the old and the new name when alerts and shelves follow a node to another one on the disk; by whoever knows them without asking it.</summary>
    public Func<string, string, Task>? NodeRenamed { get; set; }

    /// <summary>Told likewise of a node that was removed, with its shelves.</summary>
    public Func<string, Task>? NodeRemoved { get; set; }

    /// <inheritdoc/>
    public Task RenamedAsync(string from, string to) => NodeRenamed?.Invoke(from, to) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public Task RemovedAsync(string name) => NodeRemoved?.Invoke(name) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async Task RenameAsync(HubDbContext db, string from, string to, CancellationToken cancellationToken)
    {
        List<AlertEntity> active = await db.Alerts.Where(a => a.ResolvedAtMs == null).ToListAsync(cancellationToken);
        var taken = active.Select(a => (a.RuleId, a.Subject)).ToHashSet();
        foreach (AlertEntity row in active.Where(a => !NodeSubjects.IsOfThePast(a.Subject)))
        {
            if (NodeSubjects.Renamed(row.Subject, from, to) is { } subject && taken.Add((row.RuleId, subject)))
            {
                (row.Subject, row.Node, row.About) = (subject, row.Node is null ? null : to, NodeSubjects.AboutRenamed(row.About, from, to));
            }
        }

        List<AlertShelfEntity> shelves = await db.AlertShelves.ToListAsync(cancellationToken);
        taken = shelves.Select(s => (s.RuleId, s.Subject)).ToHashSet();
        foreach (AlertShelfEntity row in shelves)
        {
            if (NodeSubjects.Renamed(row.Subject, from, to) is not { } subject)
            {
                continue;
            }

            if (taken.Add((row.RuleId, subject)))
            {
                db.AlertShelves.Add(AlertRecords.ToEntity(new AlertKey(row.RuleId, subject), AlertRecords.ToShelf(row)));
            }

            if (!NodeSubjects.IsOfThePast(row.Subject))
            {
                db.AlertShelves.Remove(row);
            }
        }
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(HubDbContext db, string name, CancellationToken cancellationToken)
    {
        List<AlertShelfEntity> shelves = await db.AlertShelves.ToListAsync(cancellationToken);
        db.AlertShelves.RemoveRange(shelves.Where(s => NodeSubjects.Names(s.Subject, name)));
    }

    private static async Task<List<EventEntity>> AddAsync(HubDbContext db, AlertStep step, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // What is over leaves the unique index before what has begun again comes into it.
        foreach (Alert alert in step.Changed.OrderBy(a => a.ResolvedAt is null))
        {
            if (await db.Alerts.FindAsync([alert.Id], cancellationToken) is { } row)
            {
                AlertRecords.Update(row, alert);
            }
            else
            {
                db.Alerts.Add(AlertRecords.ToEntity(alert));
            }
        }

        foreach ((AlertKey key, AlertShelf? shelf) in step.Shelves)
        {
            if (await db.AlertShelves.FindAsync([key.RuleId, key.Subject], cancellationToken) is { } older)
            {
                db.AlertShelves.Remove(older);
                await db.SaveChangesAsync(cancellationToken);
            }

            if (shelf is not null)
            {
                db.AlertShelves.Add(AlertRecords.ToEntity(key, shelf));
            }
        }

        foreach (AlertNotice notice in step.Notices)
        {
            var message = AlertMessage.Of(notice.Alert, notice.Kind, now);
            db.AlertDeliveries.AddRange(notice.Channels.Select(channel => AlertRecords.ToEntity(message, channel, notice.Alert.Id)));
        }

        List<EventEntity> events = [.. step.Events.Select(happened => HistoryRecords.ToEntity(
            new EventDraft
            {
                At = now,
                Kind = happened.Kind,
                Severity = happened.Kind == "alert-raised" ? happened.Alert.Severity : EventSeverity.Info,
                Pair = happened.Alert.Pair,
                Node = happened.Alert.Node,
                Prefix = happened.Alert.Prefix,
                OperationId = happened.Alert.OperationId,
                Text = happened.Text,
            },
            now))];
        db.Events.AddRange(events);
        return events;
    }

    private void Tell(List<EventEntity> events)
    {
        if (events.Count > 0)
        {
            changes.Appended(eventId: events.Max(e => e.Id));
        }
    }
}
