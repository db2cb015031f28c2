using System.Collections.Immutable;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History;

/// <summary>One transition out of a node's journal.</summary>
/// <param name="Sequence">From 1, within the boot id.</param>
/// <param name="Event">What it says; the time is the node's.</param>
/// <param name="Audit">What somebody did on the node itself, for the audit; null: nobody did anything there.</param>
internal sealed record JournalItem(long Sequence, EventDraft Event, AuditDraft? Audit = null);

/// <summary>
/// A batch of a node's journal on its way to the disk. What is already stored is skipped, and the position moves in the same transaction:
/// however often a batch is sent, each entry is there once, in the audit too.
/// </summary>
internal sealed class JournalWrite(string node, string bootId, ImmutableArray<JournalItem> items, HistoryChanges changes, TimeProvider time, Action<bool> done) : HubWrite
{
    private EventEntity? _last;
    private AuditEntity? _lastAudit;

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var position = await db.JournalPositions.FindAsync([node, bootId], cancellationToken);
        if (position is null)
        {
            position = new JournalPositionEntity { Node = node, BootId = bootId, Sequence = 0, UpdatedAtMs = 0 };
            db.JournalPositions.Add(position);
        }

        foreach (var item in items.Where(i => i.Sequence > position.Sequence))
        {
            _last = HistoryRecords.ToEntity(item.Event, now);
            _last.BootId = bootId;
            _last.JournalSequence = item.Sequence;
            db.Events.Add(_last);
            position.Sequence = item.Sequence;
            if (item.Audit is { } audit)
            {
                _lastAudit = await AuditLog.AddAsync(db, audit, now, cancellationToken);
            }
        }

        position.UpdatedAtMs = now.ToUnixTimeMilliseconds();
    }

    public override void Committed()
    {
        changes.Appended(eventId: _last?.Id, auditId: _lastAudit?.Id);
        done(true);
    }

    public override void Dropped(Exception why) => done(false);
}
