using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Components.Pages.Operations;
using FailoverHub.Web.Components.Pages.Operations.Confirm;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.Pairs;

/// <summary>One pair: where its traffic goes, its two nodes side by side, what can be done, and what is being done.</summary>
public sealed partial class PairPage
{
    /// <summary>An operation that ended a moment ago is still news to somebody who opens the page.</summary>
    private static readonly TimeSpan News = TimeSpan.FromMinutes(1);

    /// <summary>So many that wait are shown; the list of operations has all.</summary>
    private const int Most = 5;

    private FleetSnapshot _fleet = FleetSnapshot.Empty;
    private PairView? _pair;
    private string? _readOf;
    private OperationView? _operation;
    private ImmutableArray<OperationView> _waiting = [];
    private ImmutableArray<PairCommand> _commands = [];
    private PairCommand? _failback;
    private PairCommand? _setFailback;
    private PairCommand? _hold;
    private PairCommand? _freeze;
    private PairCommand? _unfreeze;
    private ImmutableArray<TargetReachability> _targets = [];
    private ImmutableArray<MaintenanceWindow> _windows = [];

    /// <summary>Name of the pair, or its id.</summary>
    [Parameter]
    public string Name { get; set; } = "";

    [Inject]
    private IFleetView Fleet { get; set; } = null!;

    [Inject]
    private IReachability Reachability { get; set; } = null!;

    [Inject]
    private IOperations Operations { get; set; } = null!;

    [Inject]
    private IMaintenance Maintenance { get; set; } = null!;

    [Inject]
    private IDialogService Dialogs { get; set; } = null!;

    /// <summary>The note about it has the button then.</summary>
    private bool IsHeld => _failback is { Gate.Enabled: true } && !FleetAge.IsOld(_fleet, Now)
        && _pair?.Members.Any(member => member.Node.IsFresh && member.Node.Name == _pair.PreferredNode && member.Prefixes.Any(prefix => prefix.Hold is not null)) == true;

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        base.OnInitialized();
        _targets = Reachability.Current;
        _windows = Maintenance.Standing;
        Follow(Fleet.WatchAsync, Take);
        Follow(Reachability.WatchAsync, targets => _targets = targets);
        Follow(Operations.WatchAsync, Take);
        Follow(Maintenance.WatchAsync, windows => _windows = windows);
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        Take(Fleet.Current);
        if (_pair is { } pair && pair.Id != _readOf)
        {
            (_readOf, _operation, _waiting) = (pair.Id, null, []);
            await ReadOrRetryAsync(() => ReadAsync(pair));
        }
    }

    /// <inheritdoc/>
    protected override void BeforeRepaint()
    {
        // Judged anew: if the prober hangs nothing is published any more, and what it found last is not known to be so.
        _targets = Reachability.Current;
    }

    private async Task ReadAsync(PairView pair)
    {
        IReadOnlyList<OperationView> waiting = await Operations.RecentAsync(OperationFilter.OfPair(pair.Id) with { Statuses = [OperationStatus.PendingApproval, OperationStatus.Queued] }, Most, Leaving);
        if (_readOf != pair.Id)
        {
            // The page is of another pair by now.
            return;
        }

        foreach (OperationView waits in waiting)
        {
            Keep(waits);
        }

        // What is under way is not always the newest: a drill is older than its moves.
        OperationView? shown = pair.OperationId is { } id ? await Operations.FindAsync(id, Leaving) : null;
        if (shown is null && await Operations.RecentAsync(OperationFilter.OfPair(pair.Id), 1, Leaving) is [var newest, ..] && (newest.FinishedAt is not { } ended || Clock.GetUtcNow() - ended < News))
        {
            shown = newest;
        }

        if (_readOf == pair.Id)
        {
            _operation ??= shown;
        }
    }

    private void Take(FleetSnapshot fleet)
    {
        _fleet = fleet;
        _pair = fleet.FindPair(Name);
        Ask();
    }

    // What waits for a person or for its time stands on the page whatever else is done meanwhile.
    private void Keep(OperationView operation)
    {
        _waiting = _waiting.RemoveAll(known => known.Id == operation.Id);
        if (operation.IsWaiting && operation.PairId == _pair?.Id)
        {
            _waiting = _waiting.Add(operation);
        }
    }

    private void Take(OperationView operation)
    {
        Keep(operation);

        // A newer one replaces what is shown; late news of an older one does not, and neither does what is a part of a drill that is shown.
        bool ofDrill = _operation is { Type: OperationType.Drill, IsFinished: false } && _operation.Id != operation.Id;
        if (!ofDrill && operation.PairId == _pair?.Id && (_operation is null || _operation.Id == operation.Id || operation.RequestedAt >= _operation.RequestedAt))
        {
            _operation = operation;
        }

        Ask();
    }

    private void Ask()
    {
        _commands = _pair is { } pair ? PairCommand.For(pair, Operations) : [];
        PairView? held = _pair is { } back && back.Members.Any(member => member.Prefixes.Any(prefix => prefix.Hold is not null)) ? back : null;
        _failback = held is null ? null : PairCommand.FailbackOf(held, Operations);
        _hold = held is null ? null : PairCommand.HoldOf(held, Operations);
        _setFailback = _pair is { } known ? PairCommand.SetFailbackOf(known, Operations) : null;
        _freeze = _pair is { Freeze: null or { OfAll: true } } present ? PairCommand.FreezeOf(present, Operations) : null;
        _unfreeze = PairCommand.UnfreezeOf(_pair?.Freeze, _pair, Operations);
    }

    private async Task ConfirmAsync(PairCommand command)
    {
        if (_pair is not { } pair)
        {
            return;
        }

        // What is about all pairs, of which this is one, is not this pair's operation.
        bool ofAll = command.Request.Pair == FreezeFacts.All;
        if (await Dialogs.ConfirmAsync(command.Request, ofAll ? null : pair) is { } id && _operation?.Id != id && await Operations.FindAsync(id, Leaving) is { } started)
        {
            Take(started);
        }
    }
}
