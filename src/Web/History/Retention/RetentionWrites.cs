using FailoverHub.Web.Data;
using FailoverHub.Web.History.Search;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History.Retention;

/// <summary>
/// One step. Old is what happened and was stored before that moment: the events of a node whose clock is decades behind are not removed the moment they
/// come in.
/// </summary>
internal sealed class RemoveEvents(HubWriter writer, long beforeMs, Action<int> removed) : HubWrite
{
    /// <summary>Events of one step: some milliseconds of the writer.</summary>
    public const int Step = 500;

    private int _removed;

    public override string Key => "remove-old-events";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var old = await db.Events.AsNoTracking().Where(e => e.AtMs < beforeMs && e.RecordedAtMs < beforeMs).OrderBy(e => e.AtMs).Take(Step).ToListAsync(cancellationToken);
        _removed = old.Count;
        if (old.Count > 0)
        {
            await HistorySearch.Of(db).RemoveAsync(db, old, cancellationToken);
            long[] ids = [.. old.Select(e => e.Id)];

            // The table refuses every other DELETE; nobody else's transaction sees this row.
            await db.Database.ExecuteSqlAsync($"""INSERT INTO "EventRetention" ("BeforeMs") VALUES ({beforeMs})""", cancellationToken);
            await db.Events.Where(e => ids.Contains(e.Id)).ExecuteDeleteAsync(cancellationToken);
            await db.Database.ExecuteSqlAsync($"""DELETE FROM "EventRetention" """, cancellationToken);
        }
    }

    public override void Committed()
    {
        if (_removed > 0)
        {
            removed(_removed);
        }

        if (_removed == Step)
        {
            writer.Enqueue(new RemoveEvents(writer, beforeMs, removed));
        }
    }
}

/// <summary>
/// How far the journals of earlier runs of an agent were stored. A position tells whether an entry that is sent once more is there already, so it stays for as long as events of that run, and longer
/// than an agent keeps what was not acknowledged: it goes when a newer run of the node has been heard, none of its events is left, and nothing of it came for that long.
/// </summary>
internal sealed class RemovePositions(long beforeMs) : HubWrite
{
    /// <summary>Positions of one step.</summary>
    public const int Step = 500;

    public override string Key => "remove-old-positions";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var old = await db.JournalPositions
            .Where(j => j.UpdatedAtMs < beforeMs && db.JournalPositions.Any(n => n.Node == j.Node && n.UpdatedAtMs > j.UpdatedAtMs) && !db.Events.Any(e => e.Node == j.Node && e.BootId == j.BootId && e.JournalSequence != null))
            .OrderBy(j => j.UpdatedAtMs).Take(Step).ToListAsync(cancellationToken);
        db.JournalPositions.RemoveRange(old);
    }
}

/// <summary>
/// What nodes were told outside of operations: failback held because of a freeze and released again, or adopted from them. Each is in the audit, for ever; the row goes when the node has confirmed a newer
/// one, so that what is wanted of it and the number of the next are found as before. What belongs to an operation stays with it.
/// </summary>
internal sealed class RemoveIntents(long beforeMs) : HubWrite
{
    /// <summary>Intents of one step.</summary>
    public const int Step = 500;

    public override string Key => "remove-old-intents";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var old = await db.Intents
            .Where(i => i.OperationId == null && i.WrittenAtMs < beforeMs && db.Intents.Any(n => n.Node == i.Node && n.Revision > i.Revision && n.Stage == IntentStage.Confirmed))
            .OrderBy(i => i.WrittenAtMs).Take(Step).ToListAsync(cancellationToken);
        db.Intents.RemoveRange(old);
    }
}

/// <summary>Some free pages of the database file go back to the disk; where the file was made without that, they are only used again.</summary>
internal sealed class GiveBack : HubWrite
{
    public override string Key => "give-back-room";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        if (db.Database.IsSqlite())
        {
            await db.Database.ExecuteSqlRawAsync("PRAGMA incremental_vacuum(1000)", cancellationToken);
        }
    }
}
