using System.Collections.Immutable;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>Alerts as a test published them; remembers what was asked for.</summary>
internal class FakeAlerts : IAlerts
{
    public Broadcast<AlertsNow> Changes { get; } = new();

    public AlertsNow Current { get; private set; } = AlertsNow.None;

    public List<Alert> Over { get; } = [];

    public List<(string Id, AlertChangeRequest Change, Actor Actor)> Asked { get; } = [];

    public Func<string, AlertChangeRequest, AlertResult>? OnChange { get; set; }

    public static Alert Make(string id = "a1", EventSeverity severity = EventSeverity.Critical) => new()
    {
        Id = id,
        Key = new AlertKey("no-announcer", $"pair:{id}"),
        Kind = AlertKind.PairState,
        RuleName = "No announcer",
        Severity = severity,
        About = "pair web",
        Pair = "web",
        Text = "Nobody announces 203.0.113.10/32.",
        RaisedAt = Fakes.Make.At,
    };

    public void Publish(params ImmutableArray<Alert> active)
    {
        Current = new AlertsNow(Current.Version + 1, active);
        Changes.Send(Current);
    }

    public IAsyncEnumerable<AlertsNow> WatchAsync(CancellationToken cancellationToken) => Changes.ListenAsync([Current], cancellationToken);

    public Task<Alert?> FindAsync(string id, CancellationToken cancellationToken) => Task.FromResult(Current.Active.Concat(Over).FirstOrDefault(a => a.Id == id));

    public Task<ImmutableArray<Alert>> ListAsync(AlertFilter filter, string? before, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<ImmutableArray<Alert>>([.. Over.Where(a => (filter.Pair is null || a.Pair == filter.Pair) && (before is null || string.CompareOrdinal(a.Id, before) < 0)).OrderByDescending(a => a.Id, StringComparer.Ordinal).Take(limit)]);

    public Task<ImmutableArray<DeliveryRecord>> DeliveriesAsync(string alert, CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<DeliveryRecord>>([]);

    public Task<AlertResult> ChangeAsync(string id, AlertChangeRequest change, Actor actor, CancellationToken cancellationToken)
    {
        Asked.Add((id, change, actor));
        return Task.FromResult(OnChange?.Invoke(id, change) ?? new AlertResult.Done(Current.Active.First(a => a.Id == id)));
    }
}
