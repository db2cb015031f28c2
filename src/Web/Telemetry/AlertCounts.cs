using System.Diagnostics.Metrics;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Api;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Telemetry;

/// <summary>Figures of alerts: what is active, what waits to be sent, and what became of what was.</summary>
internal sealed class AlertCounts : IDisposable
{
    private readonly Meter _meter;
    private readonly AlertDeliverer _deliverer;
    private readonly Counter<long> _tried;

    public AlertCounts(IMeterFactory meters, IAlerts alerts, AlertDeliverer deliverer, MaintenanceDesk maintenance, TimeProvider time)
    {
        _deliverer = deliverer;
        _meter = meters.Create(HubMetrics.MeterName);
        _meter.CreateObservableGauge("failoverhub.alerts.active", () => BySeverity(alerts.Current.Active), null, "Active alerts by severity.");
        _meter.CreateObservableGauge("failoverhub.alerts.unattended", () => alerts.Current.NeedSomebody, null, "Active alerts that nobody has taken on and nothing keeps quiet.");
        _meter.CreateObservableGauge("failoverhub.alert.queue", () => deliverer.Waiting, null, "Messages that wait to be sent.");
        _meter.CreateObservableGauge("failoverhub.alert.channels.failing", () => deliverer.Failing?.Count ?? 0, null, "Channels that did not take their newest message.");
        _meter.CreateObservableGauge("failoverhub.maintenance.windows", () => maintenance.Standing.Count(w => w.StateAt(time.GetUtcNow()) == MaintenanceState.InForce), null, "Maintenance windows in force.");
        _tried = _meter.CreateCounter<long>("failoverhub.alert.deliveries", null, "Attempts to deliver a message, by the channel's type and outcome: delivered or failed.");
        foreach (AlertChannelType type in Enum.GetValues<AlertChannelType>())
        {
            _tried.Add(0, Labels(type, true));
            _tried.Add(0, Labels(type, false));
        }

        deliverer.Tried += Count;
    }

    public void Dispose()
    {
        _deliverer.Tried -= Count;
        _meter.Dispose();
    }

    private void Count(AlertChannelType type, bool taken) => _tried.Add(1, Labels(type, taken));

    private static IEnumerable<Measurement<int>> BySeverity(IReadOnlyCollection<Alert> active) =>
        Enum.GetValues<EventSeverity>().Select(severity => new Measurement<int>(active.Count(a => a.Severity == severity), KeyValuePair.Create<string, object?>("severity", ApiWords.Kebab(severity))));

    private static ReadOnlySpan<KeyValuePair<string, object?>> Labels(AlertChannelType type, bool taken) =>
        new KeyValuePair<string, object?>[] { new("type", ApiWords.Kebab(type)), new("outcome", taken ? "delivered" : "failed") };
}
