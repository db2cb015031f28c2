using FailoverHub.Web.Data;

namespace FailoverHub.Web.History;

/// <summary>Where events are told. Never blocks: the writer brings them to the disk, in order.</summary>
internal sealed class EventLog
{
    private readonly HubWriter _writer;
    private readonly HistoryChanges _changes;
    private readonly TimeProvider _time;

    public EventLog(HubWriter writer, HistoryChanges changes, TimeProvider time)
    {
        _writer = writer;
        _changes = changes;
        _time = time;
        writer.LossNote = lost => Write(new EventDraft
        {
            At = time.GetUtcNow(),
            Kind = EventKinds.HistoryLost,
            Severity = EventSeverity.Warning,
            Text = $"{lost} entries of the history were lost: they came faster than the disk took them.",
        });
    }

    public void Append(EventDraft happened) => _writer.Enqueue(Write(happened));

    /// <summary>Something about the hub itself that happened just now.</summary>
    public void Append(string kind, string text) => Append(new EventDraft { At = _time.GetUtcNow(), Kind = kind, Text = text });

    private EventWrite Write(EventDraft happened) => new(happened, _changes, _time);
}

/// <summary>One event on its way to the disk.</summary>
internal sealed class EventWrite(EventDraft happened, HistoryChanges changes, TimeProvider time) : HubWrite
{
    private EventEntity? _entity;

    public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        _entity = HistoryRecords.ToEntity(happened, time.GetUtcNow());
        db.Events.Add(_entity);
        return Task.CompletedTask;
    }

    public override void Committed() => changes.Appended(eventId: _entity?.Id);
}
