using System.Collections.Immutable;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

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
internal sealed record JournalSource(string Node, string BootId, JournalLane Lane)
{
    /// <summary>The node's pair; null: it has none. An entry may say that it was caused by an operation of that pair, and of no other.</summary>
    public string? PairId { get; init; }
}

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

        var (node, bootId) = (source.Node, source.BootId);
        var now = time.GetUtcNow();
        var position = await db.JournalPositions.FindAsync([node, bootId], cancellationToken);
        if (position is null)
        {
            position = new JournalPositionEntity { Node = node, BootId = bootId, Sequence = 0, UpdatedAtMs = 0 };
            db.JournalPositions.Add(position);
        }

        var operations = await OwnOperationsAsync(db, cancellationToken);
        foreach (var item in items.Where(i => i.Sequence > position.Sequence))
        {
            _last = HistoryRecords.ToEntity(item.Event.OperationId is { } operation && !operations.Contains(operation) ? item.Event with { OperationId = null } : item.Event, now);
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

    // What a node says of an operation stands in that operation's story, which is read by whoever wants to know what happened.
    private async Task<HashSet<string>> OwnOperationsAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        string[] named = [.. items.Select(i => i.Event.OperationId).OfType<string>().Distinct()];
        return named.Length == 0 || source.PairId is not { } pair ? [] : [.. await db.Operations.Where(o => o.PairId == pair && named.Contains(o.Id)).Select(o => o.Id).ToListAsync(cancellationToken)];
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
