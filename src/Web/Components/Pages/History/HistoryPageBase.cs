using System.Collections.Immutable;
using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.History;

/// <summary>What the events page and the audit page have in common: filters in the URL, a live or paused list, older entries on demand.</summary>
/// <typeparam name="T">An entry.</typeparam>
public abstract class HistoryPageBase<T> : LiveComponentBase
{
    private HistoryFeed<T>? _feed;
    private TimeZoneInfo _zone = TimeZoneInfo.Utc;

    /// <summary>Words that the text contains.</summary>
    [SupplyParameterFromQuery(Name = "q")]
    public string? TextParameter { get; set; }

    /// <summary>Name of a pair.</summary>
    [SupplyParameterFromQuery(Name = "pair")]
    public string? PairParameter { get; set; }

    /// <summary>Name of a node.</summary>
    [SupplyParameterFromQuery(Name = "node")]
    public string? NodeParameter { get; set; }

    /// <summary>Kind of event, or action.</summary>
    [SupplyParameterFromQuery(Name = "kind")]
    public string? KindParameter { get; set; }

    /// <summary>Who.</summary>
    [SupplyParameterFromQuery(Name = "actor")]
    public string? ActorParameter { get; set; }

    /// <summary>At least this severe.</summary>
    [SupplyParameterFromQuery(Name = "severity")]
    public string? SeverityParameter { get; set; }

    /// <summary>Name of a range.</summary>
    [SupplyParameterFromQuery(Name = "range")]
    public string? RangeParameter { get; set; }

    /// <summary>Start of a custom range.</summary>
    [SupplyParameterFromQuery(Name = "from")]
    public string? FromParameter { get; set; }

    /// <summary>End of a custom range.</summary>
    [SupplyParameterFromQuery(Name = "to")]
    public string? ToParameter { get; set; }

    /// <summary>One operation's entries.</summary>
    [SupplyParameterFromQuery(Name = "operation")]
    public string? OperationParameter { get; set; }

    [Inject]
    private protected IHistory History { get; set; } = null!;

    [Inject]
    private protected IFleetView Fleet { get; set; } = null!;

    [Inject]
    private protected IDialogService Dialogs { get; set; } = null!;

    [Inject]
    private protected NavigationManager Navigation { get; set; } = null!;

    /// <summary>What the URL asks for.</summary>
    protected HistoryQuery Query { get; private set; } = new();

    /// <summary>Read so far, newest first.</summary>
    protected ImmutableArray<T> Items => _feed?.Items ?? [];

    /// <summary>The first page has been read.</summary>
    protected bool IsRead => _feed?.IsRead ?? false;

    /// <summary>There are older entries.</summary>
    protected bool HasOlder => _feed is { HasOlder: true, IsFull: false };

    /// <summary>There are older entries, and as many are shown as one page shows.</summary>
    protected bool IsFull => _feed is { HasOlder: true, IsFull: true };

    /// <summary>Newer entries do not come in by themselves.</summary>
    protected bool Paused { get; private set; }

    /// <summary>Something was appended while paused.</summary>
    protected bool Waiting { get; private set; }

    // Nobody has pressed it: it ends with the list that was read backwards.
    private bool _pausedByReading;

    /// <summary>Path of the page.</summary>
    protected abstract string Path { get; }

    /// <summary>The growing number of an entry.</summary>
    protected abstract long IdOf(T item);

    /// <summary>Reads one page.</summary>
    protected abstract Task<HistoryPage<T>> ReadAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken);

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        base.OnInitialized();
        FollowCalmly(History.WatchAsync, async () =>
        {
            Waiting = Paused;
            if (!Paused && _feed is { } feed)
            {
                await feed.RefreshAsync(Leaving);
            }
        });
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        var query = new HistoryQuery
        {
            Text = TextParameter,
            Pair = PairParameter,
            Node = NodeParameter,
            Kind = KindParameter,
            Actor = ActorParameter,
            Severity = SeverityParameter,
            Range = RangeParameter,
            From = FromParameter,
            To = ToParameter,
            OperationId = OperationParameter,
        };
        TimeZoneInfo zone = Display.Zone;
        DateTimeOffset now = Clock.GetUtcNow();
        if (_feed is null || query != Query || query.ToFilter(now, zone) != query.ToFilter(now, _zone))
        {
            (Query, _zone) = (query, zone);
            (Paused, _pausedByReading, Waiting) = (Paused && !_pausedByReading, false, false);

            // The filter's end is open: a range that ends now keeps ending now while the page is live.
            var feed = new HistoryFeed<T>(IdOf, (cursor, limit, stop) => ReadAsync(query.ToFilter(Clock.GetUtcNow(), zone), cursor, limit, stop));
            _feed = feed;
            await feed.RefreshAsync(Leaving);
        }
    }

    /// <summary>Puts the filters into the URL.</summary>
    protected void GoTo(HistoryQuery query) => Navigation.NavigateTo(query.ToUrl(Path), replace: true);

    /// <summary>Reads one page of older entries, and pauses: whoever reads backwards would lose his place if the list moved, or began anew because much has come.</summary>
    protected Task LoadOlderAsync()
    {
        (Paused, _pausedByReading) = (true, _pausedByReading || !Paused);
        return _feed?.LoadOlderAsync(Leaving) ?? Task.CompletedTask;
    }

    /// <summary>Switches between live and paused.</summary>
    protected async Task PauseAsync(bool paused)
    {
        (Paused, _pausedByReading) = (paused, false);
        if (!paused && _feed is { } feed)
        {
            Waiting = false;
            await feed.RefreshAsync(Leaving);
        }
    }
}
