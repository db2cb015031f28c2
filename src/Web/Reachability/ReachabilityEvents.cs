using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Storage;

namespace FailoverHub.Web.Reachability;

/// <summary>Findings of the prober on their way into history: samples to the store, changes to the events.</summary>
internal sealed class ReachabilityEvents(ProbeSampleStore store, EventLog events) : IProbeRecord
{
    public const string Lost = "reachability-lost";
    public const string Restored = "reachability-restored";
    public const string CutOff = "hub-cut-off";
    public const string HubConnected = "hub-connected";

    public void Sample(ProbeTarget target, ProbeSample sample) => store.Add(new ProbeSeries(target.Id, ProbeSeries.Hub), target.Interval, sample);

    public void Change(ReachabilityChange change) => events.Append(ToDraft(change));

    public void HubCutOff(string? problem, DateTimeOffset at) => events.Append(new EventDraft
    {
        At = at,
        Kind = problem is null ? HubConnected : CutOff,
        Severity = problem is null ? EventSeverity.Info : EventSeverity.Warning,
        Text = problem ?? "The hub is connected again: its gateway, or an address behind it, answers.",
    });

    /// <summary>Pure: the sentence that history keeps.</summary>
    public static EventDraft ToDraft(ReachabilityChange change) => new()
    {
        At = change.At,
        Kind = change.Lost ? Lost : Restored,
        Severity = !change.Lost ? EventSeverity.Info : change.Target.IsShared ? EventSeverity.Critical : EventSeverity.Warning,
        Pair = change.Target.IsShared ? change.Target.Pair : null,
        Node = change.Target.Node,
        Prefix = change.Target.IsShared ? change.Target.Prefix.ToString() : null,
        Text = change switch
        {
            { Lost: true } => $"{change.Target.Label} does not answer the hub: {change.Error}.",
            { Silence: { } silence } => string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"{change.Target.Label} answers the hub again, {silence.TotalSeconds:0.0} s after its last answer."),
            _ => $"{change.Target.Label} answers the hub.",
        },
    };
}
