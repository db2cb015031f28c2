using System.Collections.Immutable;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History;

/// <summary>One transition out of a node's journal.</summary>
/// <param name="Sequence">From 1, within the boot id.</param>
/// <param name="Event">What it says; the time is the node's.</param>
/// <param name="Audit">What somebody did on the node itself, for the audit; null: nobody did anything there.</param>
internal sealed record JournalItem(long Sequence, EventDraft Event, AuditDraft? Audit = null);

/// <summary>Where a batch comes from.</summary>
/// <param name="Node">Whose journal it is.</param>
/// <param name="BootId">The start of the agent that wrote it.</param>
/// <param name="Lane">The stream that it came by.</param>
internal sealed record JournalSource(string Node, string BootId, JournalLane Lane);

/// <summary>The order of one stream: when one of its batches can never be stored, those behind it are not stored either, or they would hide that it is missing.</summary>
internal sealed class JournalLane
{
    private volatile bool _broken;

    public bool IsBroken => _broken;

    public void Break() => _broken = true;
}

/// <summary>
/// A batch of a node's journal on its way to the disk. What is already stored is skipped, and the position moves in the same transaction:
/// however often a batch is sent, each entry is there once, in the audit too.
/// </summary>
internal sealed class JournalWrite(JournalSource source, ImmutableArray<JournalItem> items, HistoryChanges changes, TimeProvider time, Action<bool> done) : HubWrite
{
    private bool _skipped;
    private EventEntity? _last;
    private AuditEntity? _lastAudit;

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        _skipped = source.Lane.IsBroken;
        if (_skipped)
        {
            return;
        }

        var (node, bootId, _) = source;
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
        if (_last is not null)
        {
            changes.WasJournalled(TimeSpan.FromMilliseconds(Math.Max(0, _last.RecordedAtMs - _last.AtMs)));
        }

        done(!_skipped);
    }

    public override void Dropped(Exception why)
    {
        source.Lane.Break();
        done(false);
    }
}
