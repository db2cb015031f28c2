using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Alerts;

/// <summary>
/// The owner of the book. The loop and people change it one after the other: the reducer says what comes next, one transaction writes it, and only then it is so. What cannot be
/// written is as if it had not been decided, and is decided again a second later.
/// </summary>
internal sealed class AlertDesk(AlertStore store, DeliveryStore deliveries, AlertDeliverer deliverer, TimeProvider time) : IAlerts, IDisposable
{
    public static readonly TimeSpan ShortestShelf = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan LongestShelf = TimeSpan.FromDays(30);
    private const int ShortestReason = 3;
    private const int LongestReason = 500;
    private const int DeliveriesShown = 100;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly LatestValue<AlertsNow> _now = new(AlertsNow.None);
    private AlertBook _book = AlertBook.Empty;

    // A write has failed, by what was said of it: its commit may have come through. Decided again from memory, an alert that is there would break the unique index for ever, and all others with it.
    private bool _isInDoubt;

    public AlertsNow Current => _now.Current;

    public IAsyncEnumerable<AlertsNow> WatchAsync(CancellationToken cancellationToken) => _now.WatchAsync(cancellationToken);

    /// <summary>Takes up what an earlier run of the hub left; once, before anybody looks.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _book = await store.LoadAsync(time.GetUtcNow() - AlertBook.SeenFor, cancellationToken);
        Publish();
        store.NodeRenamed = (from, to) => FollowAsync(book => NodeSubjects.Renamed(book, from, to));
        store.NodeRemoved = node => FollowAsync(book => NodeSubjects.Removed(book, node));
    }

    /// <summary>Looks at what is found now.</summary>
    /// <exception cref="Microsoft.EntityFrameworkCore.DbUpdateException">It could not be written; it is decided again at the next look.</exception>
    public async Task LookAsync(IEnumerable<Finding> findings, AlertPolicy policy, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            Moment now = Moment.Of(time);
            Finding[] found = [.. findings];
            AlertStep Decide() => AlertReducer.Look(_book, found, policy, now, () => Guid.CreateVersion7(now.Wall).ToString("N"));
            AlertStep step = Decide();
            if (step.NeedsWriting || _isInDoubt)
            {
                // What has been waited for so far is waited for no longer when the disk is back.
                AlertBook before = _book;
                _book = before with { Rising = step.Book.Rising.AddRange(before.Rising.Where(r => step.Book.Active.ContainsKey(r.Key) && !step.Book.Rising.ContainsKey(r.Key))), Clearing = step.Book.Clearing.AddRange(before.Clearing.Where(c => !step.Book.Active.ContainsKey(c.Key))) };
                step = await MakeSureAsync(cancellationToken) ? Decide() : step;
                if (step.NeedsWriting)
                {
                    await WriteAsync(store.WriteAsync(step, now.Wall, cancellationToken));
                }
            }

            Take(step);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<Alert?> FindAsync(string id, CancellationToken cancellationToken) =>
        Current.Active.FirstOrDefault(a => a.Id == id) ?? await store.FindAsync(id, cancellationToken);

    public Task<ImmutableArray<Alert>> ListAsync(AlertFilter filter, string? before, int limit, CancellationToken cancellationToken) => store.ListAsync(filter, before, limit, cancellationToken);

    public Task<ImmutableArray<DeliveryRecord>> DeliveriesAsync(string alert, CancellationToken cancellationToken) => deliveries.ListAsync(null, alert, null, DeliveriesShown, cancellationToken);

    public async Task<AlertResult> ChangeAsync(string id, AlertChangeRequest change, Actor actor, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await MakeSureAsync(cancellationToken);
            DateTimeOffset now = time.GetUtcNow();
            Alert? active = _book.Find(id);
            AlertResult? refusal = active is not null ? Against(active, change, actor)
                : await store.FindAsync(id, cancellationToken) is { } over ? new AlertResult.TooLate($"{over.RuleName}, {over.About}, is over.")
                : new AlertResult.NotFound($"There is no alert with the id '{id}'.");
            AuditDraft draft = new() { Actor = actor, Action = change.Action, Target = active is null ? "alert" : TargetOf(active), Reason = ReasonOf(change), Outcome = "accepted" };
            if (refusal is not null)
            {
                await store.RefuseAsync(draft with { Outcome = $"refused: {WhyOf(refusal)}" }, cancellationToken);
                return refusal;
            }

            AlertStep step = change switch
            {
                AlertChangeRequest.Acknowledge acknowledge => AlertReducer.Acknowledge(_book, active!, new AlertAcknowledgement(actor.Name, now, acknowledge.Reason.Trim())),
                AlertChangeRequest.Unacknowledge => AlertReducer.Unacknowledge(_book, active!, actor.Name, now),
                AlertChangeRequest.Shelve shelve => AlertReducer.Shelve(_book, active!, new AlertShelf(actor.Name, now, now + shelve.For, shelve.Reason.Trim())),
                _ => AlertReducer.Unshelve(_book, active!, actor.Name),
            };
            draft = draft with { Before = AlertRecords.ToJson(active!), After = AlertRecords.ToJson(step.Changed[0]) };
            await WriteAsync(store.WriteAsync(step, draft, now, cancellationToken));
            Take(step);
            return new AlertResult.Done(step.Changed[0]);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new AlertResult.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task FollowAsync(Func<AlertBook, AlertBook> to)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            // A look may have been written beside that transaction: what stands on the disk is read with the next one.
            _book = to(_book);
            _isInDoubt = true;
            Publish();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task WriteAsync(Task write)
    {
        _isInDoubt = true;
        await write;
        _isInDoubt = false;
    }

    /// <summary>After a write that failed, takes what stands on the disk.</summary>
    /// <returns>True: the book may be another one now.</returns>
    private async Task<bool> MakeSureAsync(CancellationToken cancellationToken)
    {
        if (!_isInDoubt)
        {
            return false;
        }

        AlertBook stored = await store.LoadAsync(time.GetUtcNow() - AlertBook.SeenFor, cancellationToken);
        _isInDoubt = false;
        bool isOther = !stored.Active.Values.Select(a => a.Id).ToHashSet().SetEquals(_book.Active.Values.Select(a => a.Id));
        _book = stored with { Rising = _book.Rising.RemoveRange(stored.Active.Keys), Clearing = _book.Clearing.RemoveRange(_book.Clearing.Keys.Where(k => !stored.Active.ContainsKey(k))) };
        if (isOther)
        {
            // With its messages.
            Publish();
            deliverer.Wake();
        }

        return true;
    }

    private void Take(AlertStep step)
    {
        _book = step.Book;
        Publish();
        if (!step.Notices.IsEmpty)
        {
            deliverer.Wake();
        }
    }

    private void Publish()
    {
        AlertsNow before = _now.Current;
        ImmutableArray<Alert> active = [.. _book.Active.Values.OrderByDescending(a => a.Severity).ThenByDescending(a => a.Id, StringComparer.Ordinal)];
        if (!active.SequenceEqual(before.Active))
        {
            _now.Publish(new AlertsNow(before.Version + 1, active));
        }
    }

    private static AlertResult? Against(Alert alert, AlertChangeRequest change, Actor actor)
    {
        if (!actor.Rights.HasFlag(Rights.Operate))
        {
            return new AlertResult.Forbidden("That needs the right to operate.");
        }

        if (ReasonOf(change) is { } reason && reason.Trim().Length is < ShortestReason or > LongestReason)
        {
            return new AlertResult.Invalid("reason", $"Say why, in {ShortestReason} to {LongestReason} characters.");
        }

        return change switch
        {
            AlertChangeRequest.Shelve { For: var length } when length < ShortestShelf || length > LongestShelf => new AlertResult.Invalid("seconds", $"Write {ShortestShelf.TotalSeconds:0} to {LongestShelf.TotalSeconds:0}."),
            AlertChangeRequest.Acknowledge when alert.Acknowledged is { } already => new AlertResult.TooLate($"{already.By} has taken it on already."),
            AlertChangeRequest.Unacknowledge when alert.Acknowledged is null => new AlertResult.TooLate("Nobody has taken it on."),
            AlertChangeRequest.Unshelve when alert.Shelf is null => new AlertResult.TooLate("It is not shelved."),
            _ => null,
        };
    }

    private static string? ReasonOf(AlertChangeRequest change) => change switch
    {
        AlertChangeRequest.Acknowledge acknowledge => acknowledge.Reason,
        AlertChangeRequest.Shelve shelve => shelve.Reason,
        _ => null,
    };

    private static string WhyOf(AlertResult refusal) => refusal switch
    {
        AlertResult.NotFound notFound => notFound.What,
        AlertResult.Invalid invalid => $"{invalid.Field}: {invalid.Why}",
        AlertResult.TooLate late => late.Why,
        AlertResult.Forbidden forbidden => forbidden.Why,
        _ => "",
    };

    // So that the audit of a pair or a node has it too.
    private static string TargetOf(Alert alert) => (alert.Node, alert.Pair) switch
    {
        ({ } node, { } pair) => AuditTarget.NodeOfPair(node, pair),
        ({ } node, null) => AuditTarget.Node(node),
        (null, { } pair) => AuditTarget.Pair(pair),
        _ => alert.About,
    };
}
