using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Alerts.Maintenance;

/// <summary>The owner of maintenance windows: what is planned and in force without asking the database, and where they are changed, one change at a time.</summary>
internal sealed class MaintenanceDesk(MaintenanceStore store, IFleetView fleet, TimeProvider time) : IMaintenance, IDisposable
{
    /// <summary>So many may be planned or in force.</summary>
    public const int Most = 500;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly LatestValue<ImmutableArray<MaintenanceWindow>> _standing = new([]);

    // A write has failed, by what was said of it: its commit may have come through.
    private bool _isInDoubt;

    /// <inheritdoc/>
    public ImmutableArray<MaintenanceWindow> Standing => _standing.Current;

    /// <inheritdoc/>
    public IAsyncEnumerable<ImmutableArray<MaintenanceWindow>> WatchAsync(CancellationToken cancellationToken) => _standing.WatchAsync(cancellationToken);

    /// <summary>Reads what is stored; once, before anybody asks.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _standing.Publish(await store.StandingAsync(time.GetUtcNow(), cancellationToken));
        store.NodeRenamed = RenamedAsync;
    }

    /// <summary>What is kept quiet now.</summary>
    public ImmutableArray<Quiet> QuietNow(FleetSnapshot snapshot) => MaintenancePlan.QuietNow(Standing, snapshot, time.GetUtcNow());

    /// <inheritdoc cref="MaintenanceStore.ListAsync"/>
    public Task<ImmutableArray<MaintenanceWindow>> ListAsync(MaintenanceState? state, string? before, int limit, CancellationToken cancellationToken) =>
        store.ListAsync(state, before, limit, time.GetUtcNow(), cancellationToken);

    /// <inheritdoc cref="MaintenanceStore.FindAsync"/>
    public Task<MaintenanceWindow?> FindAsync(string id, CancellationToken cancellationToken) => store.FindAsync(id, cancellationToken);

    /// <inheritdoc cref="MaintenanceStore.PruneAsync"/>
    public Task PruneAsync(DateTimeOffset before, CancellationToken cancellationToken) => store.PruneAsync(before, cancellationToken);

    /// <summary>Plans a window. Audited, also when refused. It may overlap others.</summary>
    public Task<MaintenanceResult> PlanAsync(MaintenanceRequest request, Actor actor, CancellationToken cancellationToken) => InTurnAsync(
        new AuditDraft { Actor = actor, Action = "maintenance-planned", Target = "maintenance", Reason = request.Reason, Outcome = "accepted" },
        async draft =>
        {
            DateTimeOffset now = time.GetUtcNow();
            FleetSnapshot snapshot = fleet.Current;
            ImmutableSortedDictionary<string, string> problems = MaintenancePlan.Problems(request, snapshot, now);
            if (!problems.IsEmpty)
            {
                return new MaintenanceResult.Invalid(problems);
            }

            if (Standing.Count(w => w.StateAt(now) != MaintenanceState.Over) >= Most)
            {
                return new MaintenanceResult.TooLate($"{Most} windows are planned or in force already, and that is as many as there may be: remove one first.");
            }

            var window = new MaintenanceWindow
            {
                Id = Guid.CreateVersion7(now).ToString("N"),
                Scope = request.Scope,
                Target = MaintenancePlan.TargetOf(request, snapshot),
                From = MaintenancePlan.BeginOf(request, now),
                To = request.To.ToUniversalTime(),
                Reason = request.Reason.Trim(),
                By = actor.Name,
                CreatedAt = now,
            };
            await store.ChangeAsync(null, window, draft with { Target = TargetOf(window), Reason = window.Reason }, $"Maintenance of {window.About} is planned from {Words(window.From)} to {Words(window.To)} by {window.By}. {window.Reason}", now, cancellationToken);
            Stand(window, now);
            return new MaintenanceResult.Done(window);
        },
        cancellationToken);

    /// <summary>Ends a window that is in force before its time: what is still wrong is told then. Audited, also when refused.</summary>
    /// <param name="id">Which.</param>
    /// <param name="reason">Why: 3 to 500 characters.</param>
    /// <param name="actor">Who; needs the right to operate.</param>
    /// <param name="cancellationToken">Stops it while nothing is written.</param>
    public Task<MaintenanceResult> EndAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => InTurnAsync(
        new AuditDraft { Actor = actor, Action = "maintenance-ended", Target = "maintenance", Reason = reason, Outcome = "accepted" },
        async draft =>
        {
            DateTimeOffset now = time.GetUtcNow();
            if (reason.Trim().Length is < MaintenancePlan.ShortestReason or > MaintenancePlan.LongestReason)
            {
                return new MaintenanceResult.Invalid(ImmutableSortedDictionary<string, string>.Empty.Add("reason", $"Say why, in {MaintenancePlan.ShortestReason} to {MaintenancePlan.LongestReason} characters."));
            }

            if (await store.FindAsync(id, cancellationToken) is not { } window)
            {
                return NoSuch(id);
            }

            if (window.StateAt(now) != MaintenanceState.InForce)
            {
                return new MaintenanceResult.TooLate(window.StateAt(now) == MaintenanceState.Over ? "It is over already." : "It has not begun: remove it instead.");
            }

            MaintenanceWindow ended = window with { EndedAt = now };
            await store.ChangeAsync(window, ended, draft with { Target = TargetOf(window), Reason = reason.Trim() }, $"Maintenance of {window.About} was ended by {actor.Name} before its time. {reason.Trim()}", now, cancellationToken);
            Stand(ended, now);
            return new MaintenanceResult.Done(ended);
        },
        cancellationToken);

    /// <summary>Removes a window that is planned or over; one that is in force has to be ended first, so that it stands in the list what was kept quiet. Audited, also when refused.</summary>
    public Task<MaintenanceResult> RemoveAsync(string id, Actor actor, CancellationToken cancellationToken) => InTurnAsync(
        new AuditDraft { Actor = actor, Action = "maintenance-removed", Target = "maintenance", Outcome = "accepted" },
        async draft =>
        {
            DateTimeOffset now = time.GetUtcNow();
            if (await store.FindAsync(id, cancellationToken) is not { } window)
            {
                return NoSuch(id);
            }

            if (window.StateAt(now) == MaintenanceState.InForce)
            {
                return new MaintenanceResult.TooLate("It is in force: end it instead.");
            }

            await store.ChangeAsync(window, null, draft with { Target = TargetOf(window) }, $"Maintenance of {window.About} from {Words(window.From)} to {Words(window.Until)} was removed by {actor.Name}.", now, cancellationToken);
            Stand(window with { EndedAt = now }, now);
            return new MaintenanceResult.Done(window);
        },
        cancellationToken);

    public void Dispose() => _turn.Dispose();

    // What was written is not read again: if that failed, who asked would be told that nothing was done. Oldest first; what is over is left out.
    private void Stand(MaintenanceWindow written, DateTimeOffset now) =>
        _standing.Publish([.. Standing.Where(w => w.Id != written.Id).Append(written).Where(w => w.StateAt(now) != MaintenanceState.Over).OrderBy(w => w.Id, StringComparer.Ordinal)]);

    private async Task RenamedAsync(string from, string to)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            _standing.Publish([.. Standing.Select(w => w.Scope == MaintenanceScope.Node && string.Equals(w.Target, from, StringComparison.OrdinalIgnoreCase) ? w with { Target = to } : w)]);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<MaintenanceResult> InTurnAsync(AuditDraft draft, Func<AuditDraft, Task<MaintenanceResult>> change, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_isInDoubt)
            {
                _standing.Publish(await store.StandingAsync(time.GetUtcNow(), stop));
                _isInDoubt = false;
            }

            MaintenanceResult result = draft.Actor.Rights.HasFlag(Rights.Operate) ? await change(draft) : new MaintenanceResult.Forbidden("That needs the right to operate.");
            if (result is not MaintenanceResult.Done)
            {
                await store.RefuseAsync(draft with { Outcome = $"refused: {WhyOf(result)}" }, stop);
            }

            return result;
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            _isInDoubt = true;
            return new MaintenanceResult.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
        finally
        {
            _turn.Release();
        }
    }

    private static string WhyOf(MaintenanceResult refusal) => refusal switch
    {
        MaintenanceResult.Invalid invalid => string.Join(' ', invalid.Problems.Select(p => $"{p.Key}: {p.Value}")),
        MaintenanceResult.NotFound notFound => notFound.What,
        MaintenanceResult.TooLate late => late.Why,
        MaintenanceResult.Forbidden forbidden => forbidden.Why,
        _ => "",
    };

    // So that the audit of a pair or a node has it too.
    private static string TargetOf(MaintenanceWindow window) => window.Scope switch
    {
        MaintenanceScope.Pair => AuditTarget.Pair(window.Target),
        MaintenanceScope.Node => AuditTarget.Node(window.Target),
        _ => window.About,
    };

    private static MaintenanceResult.NotFound NoSuch(string id) => new($"There is no maintenance window with the id '{id}'.");

    private static string Words(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
