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
            await db.Events.Where(e => ids.Contains(e.Id)).ExecuteDeleteAsync(cancellationToken);
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
