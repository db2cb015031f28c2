using System.Diagnostics.Metrics;
using FailoverHub.Web.Api;
using FailoverHub.Web.Reachability.Vantages;

namespace FailoverHub.Web.Telemetry;

/// <summary>Figures of the nodes that ask beside the hub: what they are asked, what they tell, and what of it is not taken.</summary>
internal sealed class VantageCounts : IDisposable
{
    private readonly Meter _meter;

    public VantageCounts(IMeterFactory meters, VantageRunner runner, VantageStreams streams)
    {
        _meter = meters.Create(HubMetrics.MeterName);
        _meter.CreateObservableGauge("failoverhub.vantage.nodes", () => runner.Asked, null, "Nodes that ask targets for the hub.");
        _meter.CreateObservableGauge("failoverhub.vantage.tasks", () => runner.Tasks, null, "Targets that nodes ask for the hub, each as often as nodes ask it.");
        _meter.CreateObservableCounter("failoverhub.vantage.results", () => streams.Taken, null, "Probes of nodes that were taken.");
        _meter.CreateObservableCounter("failoverhub.vantage.lost", () => streams.Lost, null, "Probes of nodes that are lost, because a stream was stuck or the hub had too much to do.");
        _meter.CreateObservableCounter("failoverhub.vantage.refused", () => Refused(streams), null, "Probes of nodes that were not taken, by reason: of no task that the node has (task), too old (age), more than were asked (pace), or impossible (nonsense).");
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Refused(VantageStreams streams) =>
        Enum.GetValues<VantageRefusal>().Select(why => new Measurement<long>(streams.Refused(why), KeyValuePair.Create<string, object?>("reason", ApiWords.Kebab(why))));
}
