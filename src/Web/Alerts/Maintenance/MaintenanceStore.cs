using System.Collections.Immutable;
using System.Text.Json;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Alerts.Maintenance;

/// <summary>Windows on the disk; every change is one transaction with its audit entry and its event.</summary>
internal sealed class MaintenanceStore(IDbContextFactory<HubDbContext> factory, AuditLog audit, HistoryChanges changes, TimeProvider time) : INodeNames
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Windows that are not over, oldest first.</summary>
    public async Task<ImmutableArray<MaintenanceWindow>> StandingAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        long at = now.ToUnixTimeMilliseconds();
        List<MaintenanceWindowEntity> rows = await db.MaintenanceWindows.AsNoTracking().Where(w => w.ToMs > at && w.EndedAtMs == null).OrderBy(w => w.Id).ToListAsync(cancellationToken);
        return [.. rows.Select(ToWindow)];
    }

    /// <summary>Windows, those that were planned last first.</summary>
    /// <param name="state">Only those, null: all.</param>
    /// <param name="before">Id that the page before ended with, null: from the newest.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="now">When.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<ImmutableArray<MaintenanceWindow>> ListAsync(MaintenanceState? state, string? before, int limit, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        long at = now.ToUnixTimeMilliseconds();
        IQueryable<MaintenanceWindowEntity> found = db.MaintenanceWindows.AsNoTracking();
        found = state switch
        {
            MaintenanceState.Planned => found.Where(w => w.FromMs > at && w.EndedAtMs == null),
            MaintenanceState.InForce => found.Where(w => w.FromMs <= at && w.ToMs > at && w.EndedAtMs == null),
            MaintenanceState.Over => found.Where(w => w.ToMs <= at || w.EndedAtMs != null),
            _ => found,
        };
        found = before is null ? found : found.Where(w => string.Compare(w.Id, before) < 0);
        List<MaintenanceWindowEntity> rows = await found.OrderByDescending(w => w.Id).Take(limit).ToListAsync(cancellationToken);
        return [.. rows.Select(ToWindow)];
    }

    /// <summary>One window, null: there is none with that id.</summary>
    public async Task<MaintenanceWindow?> FindAsync(string id, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.MaintenanceWindows.AsNoTracking().SingleOrDefaultAsync(w => w.Id == id, cancellationToken) is { } row ? ToWindow(row) : null;
    }

    /// <summary>Audits an attempt that was refused.</summary>
    public Task RefuseAsync(AuditDraft draft, CancellationToken cancellationToken) => audit.WriteAsync(draft, cancellationToken);

    /// <summary>Changes one.</summary>
    /// <param name="before">As it was, null: it is new.</param>
    /// <param name="after">As it is, null: it is removed.</param>
    /// <param name="draft">For the audit; before and after are added here.</param>
    /// <param name="text">For the history.</param>
    /// <param name="now">When.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <exception cref="DbUpdateException">It could not be written; nothing was done.</exception>
    public async Task ChangeAsync(MaintenanceWindow? before, MaintenanceWindow? after, AuditDraft draft, string text, DateTimeOffset now, CancellationToken cancellationToken)
    {
        MaintenanceWindow about = after ?? before!;
        EventEntity happened = HistoryRecords.ToEntity(
            new EventDraft
            {
                At = now,
                Kind = draft.Action,
                Severity = EventSeverity.Info,
                Pair = about.Scope == MaintenanceScope.Pair ? about.Target : null,
                Node = about.Scope == MaintenanceScope.Node ? about.Target : null,
                Text = text,
            },
            now);
        await audit.ChangeAsync(
            draft with { Before = before is null ? null : ToJson(before), After = after is null ? null : ToJson(after) },
            async (db, stop) =>
            {
                if (before is not null)
                {
                    await db.MaintenanceWindows.Where(w => w.Id == before.Id).ExecuteDeleteAsync(stop);
                }

                if (after is not null)
                {
                    db.MaintenanceWindows.Add(ToEntity(after));
                }

                db.Events.Add(happened);
            },
            cancellationToken);
        changes.Appended(eventId: happened.Id);
    }

    /// <summary>Told of the old and the new name when windows follow a node to another one on the disk; by whoever knows them without asking it.</summary>
    public Func<string, string, Task>? NodeRenamed { get; set; }

    /// <inheritdoc/>
    public Task RenamedAsync(string from, string to) => NodeRenamed?.Invoke(from, to) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async Task RenameAsync(HubDbContext db, string from, string to, CancellationToken cancellationToken)
    {
        // What is over was of the old name.
        long at = time.GetUtcNow().ToUnixTimeMilliseconds();
        string scope = Word(MaintenanceScope.Node);
        await db.MaintenanceWindows.Where(w => w.Scope == scope && w.Target == from && w.ToMs > at && w.EndedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(w => w.Target, to), cancellationToken);
    }

    /// <summary>Takes away a bounded number of windows that were over before a moment.</summary>
    public async Task PruneAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        const int step = 500;
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        long at = before.ToUnixTimeMilliseconds();
        string[] old = await db.MaintenanceWindows.Where(w => w.ToMs < at).OrderBy(w => w.Id).Select(w => w.Id).Take(step).ToArrayAsync(cancellationToken);
        await db.MaintenanceWindows.Where(w => old.Contains(w.Id)).ExecuteDeleteAsync(cancellationToken);
    }

    private static string ToJson(MaintenanceWindow window) => JsonSerializer.Serialize(new { Scope = Word(window.Scope), window.Target, window.From, window.To, window.Reason, window.By, window.EndedAt }, Json);

    private static string Word(MaintenanceScope scope) => scope switch
    {
        MaintenanceScope.All => "all",
        MaintenanceScope.DataCenter => "data-center",
        MaintenanceScope.Pair => "pair",
        _ => "node",
    };

    private static MaintenanceWindowEntity ToEntity(MaintenanceWindow window) => new()
    {
        Id = window.Id,
        Scope = Word(window.Scope),
        Target = window.Target,
        FromMs = window.From.ToUnixTimeMilliseconds(),
        ToMs = window.To.ToUnixTimeMilliseconds(),
        Reason = window.Reason,
        Actor = window.By,
        CreatedAtMs = window.CreatedAt.ToUnixTimeMilliseconds(),
        EndedAtMs = window.EndedAt?.ToUnixTimeMilliseconds(),
    };

    private static MaintenanceWindow ToWindow(MaintenanceWindowEntity row) => new()
    {
        Id = row.Id,
        Scope = Enum.GetValues<MaintenanceScope>().First(s => Word(s) == row.Scope),
        Target = row.Target,
        From = At(row.FromMs),
        To = At(row.ToMs),
        Reason = row.Reason,
        By = row.Actor,
        CreatedAt = At(row.CreatedAtMs),
        EndedAt = row.EndedAtMs is { } ended ? At(ended) : null,
    };

    private static DateTimeOffset At(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}
