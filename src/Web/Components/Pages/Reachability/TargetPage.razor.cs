using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using FailoverHub.Web.Components.Shared.Clock;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.Reachability;

/// <summary>One target: how it answers now, and how it did over a time, which stands in the URL.</summary>
public sealed partial class TargetPage
{
    private const int MostChips = 6;
    private static readonly TimeSpan ReadAtMost = TimeSpan.FromSeconds(10);

    private ProbedTarget? _target;
    private ImmutableArray<VantageName> _vantages = [];
    private ChartRange _range = ChartRange.All[0];
    private ReachabilityChart? _chart;
    private (string Id, string? Range, string? From)? _shown;
    private DateTimeOffset _readAt;
    private string? _said;
    private bool _removing;

    /// <summary>Id of the target.</summary>
    [Parameter]
    public string Id { get; set; } = "";

    /// <summary>The time that is shown.</summary>
    [SupplyParameterFromQuery(Name = "range")]
    public string? Range { get; set; }

    /// <summary>From where.</summary>
    [SupplyParameterFromQuery(Name = "vantage")]
    public string? From { get; set; }

    /// <summary>Who looks at it.</summary>
    [CascadingParameter]
    public Actor Actor { get; set; } = new("unknown", null, null);

    [Inject]
    private IProbedTargets Targets { get; set; } = null!;

    [Inject]
    private IReachabilityHistory History { get; set; } = null!;

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    [Inject]
    private IDialogService Dialogs { get; set; } = null!;

    [Inject]
    private TargetDesk Desk { get; set; } = null!;

    /// <summary>Where the chart is seen from: the URL has the name of the node, or its id.</summary>
    private VantageName Chosen => string.IsNullOrEmpty(From) ? new VantageName(VantagePoint.HubId, VantagePoint.HubId)
        : _vantages.Cast<VantageName?>().FirstOrDefault(v => v!.Value.Id == From || string.Equals(v.Value.Name, From, StringComparison.OrdinalIgnoreCase)) ?? new VantageName(From, From);

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        base.OnInitialized();
        Follow(Targets.WatchAsync, all => _target = Find(all));
        Follow(TicksAsync, _ => ReadAsync());
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        _target = Find(Targets.Current);
        (string Id, string? Range, string? From) asked = (Id, Range, From);
        if (asked != _shown)
        {
            // What another target, time or vantage point did must not stand below this one's name while its own chart is read.
            (_vantages, _chart) = (_shown?.Id == Id ? _vantages : [], null);
            (_shown, _range) = (asked, ChartRange.Of(Range));
        }

        (_removing, _said) = (false, null);
        ImmutableArray<VantageName> vantages = await History.VantagesAsync(_target?.Id ?? Id, Leaving);
        if (asked == _shown)
        {
            _vantages = vantages;
            await ReadAsync();
        }
    }

    // A prober that hangs publishes nothing: that its answers have grown old is seen only by asking.
    /// <inheritdoc/>
    protected override void BeforeRepaint() => _target = Find(Targets.Current);

    private string UrlFrom(VantageName vantage) => ReachabilityQuery.UrlOf(Id, _range.Name, vantage.Id is null or VantagePoint.HubId ? null : vantage.Name);

    private ProbedTarget? Find(ImmutableArray<ProbedTarget> all) => all.FirstOrDefault(t => string.Equals(t.Id, Id, StringComparison.OrdinalIgnoreCase));

    private async Task ReadAsync()
    {
        DateTimeOffset now = Clock.GetUtcNow();
        DateTimeOffset from = now - _range.Length;
        (string Id, string? Range, string? From)? asked = _shown;
        string vantage = Chosen.Id;
        ReachabilityChart chart = await History.ReadAsync(_target?.Id ?? Id, vantage, from, now, ChartSteps.For(from, now) ?? ChartSteps.All[^1], Leaving);

        // A slow reading that comes after somebody went on to another one is of no use: that one is read for itself.
        if (asked == _shown && vantage == Chosen.Id)
        {
            (_chart, _readAt) = (chart, now);
        }
    }

    /// <summary>As often as there is something new to see: a point or so, and ten seconds at least.</summary>
    private async IAsyncEnumerable<bool> TicksAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(ReadAtMost, Clock);
        while (!cancellationToken.IsCancellationRequested && await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (_chart is null || Clock.GetUtcNow() - _readAt >= _chart.Step || Clock.GetUtcNow() - _readAt >= TimeSpan.FromMinutes(5))
            {
                yield return true;
            }
        }
    }

    private async Task ChangeAsync()
    {
        if (Desk.Find(Id) is { } known)
        {
            var parameters = new DialogParameters<TargetDialog> { { d => d.Before, known.Draft } };
            IDialogReference dialog = await Dialogs.ShowAsync<TargetDialog>($"Change {known.Name}", parameters, new DialogOptions { MaxWidth = MaxWidth.Small, FullWidth = true, CloseOnEscapeKey = true });
            await dialog.Result;
        }
    }

    private async Task RemoveAsync()
    {
        _removing = false;
        _said = await Desk.RemoveAsync(Id, Actor, Leaving);
        if (_said is null)
        {
            Navigation.NavigateTo(ReachabilityQuery.Path);
        }
    }

    private static string Text(TimeSpan? time) => time is { } known ? AgeText.RoundTrip(known) : "–";
}
