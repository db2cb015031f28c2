using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Components.Pages.Operations;
using FailoverHub.Web.Components.Pages.Operations.Confirm;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.Overview;

/// <summary>All pairs as they are now, problems first.</summary>
public sealed partial class OverviewPage
{
    /// <summary>So many cards are drawn at once, the worst first: each is drawn anew whenever the fleet changes.</summary>
    private const int PageSize = 60;

    private const int MostPages = 100;

    /// <summary>So many that wait, and so many of the newest, are read when the page is opened; the list of operations has all.</summary>
    private const int MostRead = 100;

    private readonly OperationNews _news = new();
    private ILookup<string, OperationView> _operations = Array.Empty<OperationView>().ToLookup(operation => operation.PairId);
    private FleetSnapshot _fleet = FleetSnapshot.Empty;
    private ImmutableArray<PairView> _shown = [];
    private Dictionary<IPNetwork, TargetReachability> _targets = [];
    private ImmutableArray<MaintenanceWindow> _windows = [];
    private ILookup<string, Alert> _alerts = Array.Empty<Alert>().ToLookup(a => a.Pair!);

    [Inject]
    private IFleetView Fleet { get; set; } = null!;

    [Inject]
    private IReachability Reachability { get; set; } = null!;

    [Inject]
    private IOperations Operations { get; set; } = null!;

    [Inject]
    private IMaintenance Maintenance { get; set; } = null!;

    [Inject]
    private IAlerts Alerts { get; set; } = null!;

    [Inject]
    private IDialogService Dialogs { get; set; } = null!;

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    /// <summary>Words that a pair must contain.</summary>
    [SupplyParameterFromQuery(Name = "q")]
    public string? Search { get; set; }

    /// <summary>Name of the state that is shown alone.</summary>
    [SupplyParameterFromQuery(Name = "state")]
    public string? StateName { get; set; }

    /// <summary>How often more cards were asked for; what is no number asks for none.</summary>
    [SupplyParameterFromQuery(Name = "more")]
    public string? MoreText { get; set; }

    private int More => int.TryParse(MoreText, NumberStyles.None, CultureInfo.InvariantCulture, out int more) ? Math.Min(more, MostPages) : 0;

    private int Drawn => PageSize * (1 + More);

    private PairState? State => Enum.TryParse(StateName, ignoreCase: true, out PairState state) ? state : null;

    private string Title
    {
        get
        {
            int urgent = _fleet.Pairs.Count(pair => pair.State is PairState.NoAnnouncer or PairState.DualPrimary);
            return urgent == 0 ? "Pairs · FailoverHub" : string.Create(CultureInfo.InvariantCulture, $"({urgent}!) Pairs · FailoverHub");
        }
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        _fleet = Fleet.Current;
        _targets = PairAddresses.ByPrefix(Reachability.Current);
        _windows = Maintenance.Standing;
        Take(Alerts.Current);
        Follow(Fleet.WatchAsync, snapshot =>
        {
            _fleet = snapshot;
            Select();
        });
        Follow(Reachability.WatchAsync, targets => _targets = PairAddresses.ByPrefix(targets));
        Follow(Operations.WatchAsync, operation =>
        {
            _news.Take(operation);
            Sort();
        });
        Follow(Maintenance.WatchAsync, windows => _windows = windows);
        Follow(Alerts.WatchAsync, Take);
        await ReadOrRetryAsync(ReadAsync);
    }

    /// <inheritdoc/>
    protected override void OnParametersSet() => Select();

    /// <inheritdoc/>
    protected override void BeforeRepaint()
    {
        // Judged anew: if the prober hangs nothing is published any more, and what it found last is not known to be so.
        _targets = PairAddresses.ByPrefix(Reachability.Current);
        Sort();
    }

    private async Task ReadAsync()
    {
        foreach (PairView pair in _fleet.Pairs.Where(pair => pair.OperationId is not null))
        {
            if (await Operations.FindAsync(pair.OperationId!, Leaving) is { } running)
            {
                _news.TakeRead(running);
            }
        }

        foreach (OperationView waits in await Operations.RecentAsync(new OperationFilter { Statuses = [OperationStatus.PendingApproval, OperationStatus.Queued] }, MostRead, Leaving))
        {
            _news.TakeRead(waits);
        }

        foreach (OperationView newest in await Operations.RecentAsync(OperationFilter.All, MostRead, Leaving))
        {
            _news.TakeRead(newest);
        }

        Sort();
    }

    private void Sort()
    {
        _news.Forget(Now);
        _operations = _news.ByPair();
    }

    private void Select() => _shown = PairList.Select(_fleet.Pairs, Search, State);

    private void Take(AlertsNow now) => _alerts = now.Active.Where(a => a.Pair is not null).ToLookup(a => a.Pair!, StringComparer.Ordinal);

    private ImmutableArray<Alert> AlertsOf(PairView pair) => [.. _alerts[pair.Name]];

    private static bool IsHeld(PairView pair) => pair.Members.Any(member => member.Node.IsFresh && member.Prefixes.Any(prefix => prefix.Hold is not null));

    // What becomes of it is told by the card, live.
    private async Task ConfirmAsync(PairCommand command, PairView? pair) => await Dialogs.ConfirmAsync(command.Request, pair);

    private string Pressed(PairState? state) => State == state ? "true" : "false";

    private void FilterState(PairState? state) => GoTo("state", state?.ToString());

    private void SearchFor(ChangeEventArgs change) => GoTo("q", change.Value as string);

    private void GoTo(string parameter, object? value) => Navigation.NavigateTo(
        Navigation.GetUriWithQueryParameters(new Dictionary<string, object?>
        {
            // Another filter begins at its top.
            ["more"] = null,
            [parameter] = value is string text && string.IsNullOrWhiteSpace(text) ? null : value,
        }),
        replace: true);
}
