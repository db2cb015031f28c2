using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations;

/// <summary>
/// Tells everyone how operations stand: open pages by the newest state of each, history by an event for each transition. Keeps whatever has not ended, since
/// its owners have it in memory too, and of what has ended the newest, as long as there are <see cref="Kept"/> in all; the database has all.
/// </summary>
internal sealed class OperationFeed(EventLog events, TimeProvider time)
{
    internal const int Kept = 1_024;

    private readonly Lock _gate = new();
    private readonly LatestValue<State> _state = new(new State(0, ImmutableDictionary<string, (long, OperationView)>.Empty));

    /// <summary>The newest state of an operation of this run of the hub, null: not known here.</summary>
    public OperationView? Find(string id) => _state.Current.Operations.TryGetValue(id, out var found) ? found.View : null;

    /// <summary>Waits until the operation has ended, or until its outcome is not known.</summary>
    public async Task<OperationView> EndedAsync(string id, CancellationToken cancellationToken)
    {
        await foreach (var state in _state.WatchAsync(cancellationToken))
        {
            if (state.Operations.TryGetValue(id, out var found) && (found.View.IsFinished || found.View.Status == OperationStatus.OutcomeUnknown))
            {
                return found.View;
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>Waits until the operation has ended, also until it is settled; one that is not known here has to have ended.</summary>
    /// <returns>Null: it is not known here.</returns>
    public async Task<OperationView?> SettledAsync(string id, CancellationToken cancellationToken)
    {
        await foreach (var state in _state.WatchAsync(cancellationToken))
        {
            if (!state.Operations.TryGetValue(id, out var found))
            {
                return null;
            }

            if (found.View.IsFinished)
            {
                return found.View;
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>When the pair was moved, as far as it is known here: each operation that moves addresses and has done something, by when that began: one that had to wait was asked for long before.</summary>
    public ImmutableArray<DateTimeOffset> MovesOf(string pairId) =>
    [
        .. _state.Current.Operations.Values.Select(o => o.View)
            .Where(o => o.PairId == pairId && (o.Type.IsMove() || o.Type is OperationType.ForcePromote or OperationType.Drain || (o.Type == OperationType.ResetSession && o.Rules.Any(r => r.RuleId == MomentRules.CooldownId))) && o.Steps.Any(s => s.Status == StepStatus.Succeeded))
            .Select(o => o.Steps.Min(s => s.StartedAt) ?? o.RequestedAt),
    ];

    public async IAsyncEnumerable<OperationView> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = _state.Current.Version;
        await foreach (var state in _state.WatchAsync(cancellationToken))
        {
            foreach (var (_, view) in state.Operations.Values.Where(o => o.Version > seen).OrderBy(o => o.Version))
            {
                yield return view;
            }

            seen = state.Version;
        }
    }

    /// <summary>
    /// Takes over an operation as an earlier run of the hub left it. What that one still had to tell when it was killed is told now; what is
    /// in the history already is not told again.
    /// </summary>
    public void TakeOver(OperationView view, ToldEvents told)
    {
        Keep(view);
        foreach (var happened in StillToTell(view, told, time.GetUtcNow()))
        {
            events.Append(happened);
        }
    }

    /// <summary>Raised for each operation that stands anew, by whoever changed it: a handler returns at once.</summary>
    public event Action<OperationView>? Published;

    /// <summary>An operation stands anew.</summary>
    public void Publish(OperationView view)
    {
        var before = Keep(view);
        Published?.Invoke(view);
        foreach (var happened in Between(before, view, time.GetUtcNow()))
        {
            events.Append(happened);
        }
    }

    /// <summary>Something happened because of an operation that has ended.</summary>
    public void Tell(string kind, string? pair, string? operationId, string text, EventSeverity severity = EventSeverity.Info) =>
        events.Append(new EventDraft { At = time.GetUtcNow(), Kind = kind, Severity = severity, Pair = pair, Text = text, OperationId = operationId });

    private OperationView? Keep(OperationView view)
    {
        lock (_gate)
        {
            var state = _state.Current;
            var before = state.Operations.TryGetValue(view.Id, out var known) ? known.View : null;
            var operations = state.Operations.SetItem(view.Id, (state.Version + 1, view));
            if (operations.Count > Kept && operations.Where(o => o.Value.View.IsFinished).OrderBy(o => o.Value.Version).Select(o => o.Key).FirstOrDefault() is { } oldest)
            {
                operations = operations.Remove(oldest);
            }

            _state.Publish(new State(state.Version + 1, operations));
            return before;
        }
    }

    /// <summary>What the history does not tell yet of an operation as it stands. Pure.</summary>
    internal static IEnumerable<EventDraft> StillToTell(OperationView view, ToldEvents told, DateTimeOffset now)
    {
        // It has begun once, however that was told: the words of one that has been approved since are others, and one that has ended meanwhile would have no beginning.
        if (!view.Steps.IsEmpty && !told.HasAny(EventKinds.OperationStarted))
        {
            yield return Started(view, now);
        }

        if (view.ApprovedBy is not null && told.HasWaitedForApproval && !told.HasAny(EventKinds.OperationApproved))
        {
            yield return Approved(view, now);
        }

        foreach (var happened in Between(null, view, now).Where(e => e.Kind != EventKinds.OperationStarted && !told.Has(e)))
        {
            yield return happened;
        }
    }

    /// <summary>What happened between two states of one operation.</summary>
    internal static IEnumerable<EventDraft> Between(OperationView? before, OperationView view, DateTimeOffset now)
    {
        EventDraft Draft(string kind, string text, EventSeverity severity) => OperationFeed.Draft(view, now, kind, text, severity);

        if (before is null && view.Status is OperationStatus.PendingApproval or OperationStatus.Queued or OperationStatus.Running)
        {
            yield return Started(view, now);
        }

        if (before is { ApprovedBy: null } && view.ApprovedBy is not null)
        {
            yield return Approved(view, now);
        }

        for (var i = 0; i < view.Steps.Length; i++)
        {
            var step = view.Steps[i];
            var was = before is not null && i < before.Steps.Length ? before.Steps[i].Status : StepStatus.Pending;
            if (was != step.Status && step.Status is StepStatus.Succeeded or StepStatus.Failed)
            {
                yield return Draft(
                    EventKinds.OperationStep,
                    $"{step.Title}: {(step.Status == StepStatus.Succeeded ? "done" : "failed")}. {step.Detail}".TrimEnd(),
                    step.Status == StepStatus.Failed ? EventSeverity.Warning : EventSeverity.Info);
            }
        }

        if (before?.Status != view.Status && (view.IsFinished || view.Status == OperationStatus.OutcomeUnknown))
        {
            yield return Draft(
                EventKinds.OperationFinished,
                $"{view.Title}: {StatusWord(view.Status)}. {view.Outcome}".TrimEnd(),
                view.Status == OperationStatus.Succeeded ? EventSeverity.Info : EventSeverity.Warning);
        }
    }

    /// <summary>How the event of one that waits for a second person says so.</summary>
    internal const string WaitsForApproval = " and waits for a second person";

    private static EventDraft Started(OperationView view, DateTimeOffset now)
    {
        var waits = view.Status == OperationStatus.PendingApproval ? WaitsForApproval : "";
        var when = view.ScheduledFor is { } at ? $" for {at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture)} UTC" : "";
        return Draft(view, now, EventKinds.OperationStarted, $"{view.Title}: asked for by {view.Actor}{when}{waits}. Reason: {view.Reason}", EventSeverity.Info);
    }

    private static EventDraft Approved(OperationView view, DateTimeOffset now) => Draft(view, now, EventKinds.OperationApproved, $"{view.Title}: approved by {view.ApprovedBy}.", EventSeverity.Info);

    private static EventDraft Draft(OperationView view, DateTimeOffset now, string kind, string text, EventSeverity severity) =>
        new() { At = now, Kind = kind, Severity = severity, Pair = view.PairName, Node = view.Node, Text = text, OperationId = view.Id };

    private static string StatusWord(OperationStatus status) => status switch
    {
        OperationStatus.Succeeded => "succeeded",
        OperationStatus.Failed => "failed",
        OperationStatus.TimedOut => "timed out",
        OperationStatus.Cancelled => "cancelled",
        OperationStatus.OutcomeUnknown => "its outcome is not known",
        _ => "refused",
    };

    private sealed record State(long Version, ImmutableDictionary<string, (long Version, OperationView View)> Operations);
}
