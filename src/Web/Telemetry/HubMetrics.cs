using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using FailoverHub.Web.Api.Live;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Telemetry;

/// <summary>Whose figures are shown.</summary>
internal sealed record MeteredRooms(IFleetView View, FleetStore Fleet, HubWriter Writer, HistoryChanges History, LiveClients Live, DataFolder Folder);

/// <summary>
/// The hub's own figures. What is a state is read from its owner when somebody asks; what is an event is counted when it happens. No label is a node, a pair or a person: however large
/// the fleet, the number of series stays the same.
/// </summary>
internal sealed partial class HubMetrics : IDisposable
{
    public const string MeterName = "FailoverHub";

    private readonly Meter _meter;
    private readonly HistoryChanges _history;
    private readonly FleetStore _fleet;
    private readonly Counter<long> _audited;
    private readonly Counter<long> _refusals;
    private readonly Histogram<double> _journalLag;
    private readonly Histogram<double> _publishing;

    public HubMetrics(IMeterFactory meters, MeteredRooms rooms, TimeProvider time)
    {
        _meter = meters.Create(new MeterOptions(MeterName) { Version = HubVersion.Text });
        (_history, _fleet) = (rooms.History, rooms.Fleet);
        ObserveFleet(rooms.View, time);
        ObserveQueues(rooms);
        ObserveDatabase(rooms.Folder);
        _meter.CreateObservableGauge("failoverhub.build.info", () => new Measurement<int>(1, KeyValuePair.Create<string, object?>("version", HubVersion.Text)), null, "Always 1; the label says which version runs.");
        _audited = _meter.CreateCounter<long>("failoverhub.audit.entries", null, "Audit entries written, by outcome: accepted, refused or other.");
        _refusals = _meter.CreateCounter<long>("failoverhub.rule.refusals", null, "Requests that a safety rule refused, by rule. A request that two rules refuse counts for both.");
        _journalLag = _meter.CreateHistogram(
            "failoverhub.journal.lag", "s", "From an entry in a node's journal, by the node's clock, to the hub's disk.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600] });
        _publishing = _meter.CreateHistogram(
            "failoverhub.fleet.publish.duration", "s", "To compute and publish one snapshot of the fleet.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5] });

        // A series that appears with its first refusal has no rate for that one: the known ones begin at zero.
        foreach (string rule in Operations.Rules.SafetyRules.Ids)
        {
            _refusals.Add(0, KeyValuePair.Create<string, object?>("rule", rule));
        }

        foreach (string outcome in (string[])["accepted", "refused", "other"])
        {
            _audited.Add(0, KeyValuePair.Create<string, object?>("outcome", outcome));
        }

        _history.Audited += CountAudit;
        _history.JournalStored += CountJournal;
        _fleet.Published += CountPublishing;
    }

    public void Dispose()
    {
        _history.Audited -= CountAudit;
        _history.JournalStored -= CountJournal;
        _fleet.Published -= CountPublishing;
        _meter.Dispose();
    }

    private void ObserveFleet(IFleetView fleet, TimeProvider time)
    {
        _meter.CreateObservableGauge("failoverhub.pairs", () => ByWord(fleet.Current.Pairs, p => p.State, "state"), null, "Failover pairs by state.");
        _meter.CreateObservableGauge("failoverhub.nodes", () => ByWord(fleet.Current.Nodes, n => n.Link, "link"), null, "Nodes by how much is known of them now.");
        _meter.CreateObservableGauge(
            "failoverhub.bgp.sessions", () => ByWord(fleet.Current.Nodes.Where(n => n.IsFresh).SelectMany(n => n.Sessions), s => s.State, "state"), null, "BGP sessions of the nodes whose reports are current, by state.");
        _meter.CreateObservableGauge("failoverhub.nodes.drained", () => fleet.Current.Nodes.Count(n => n is { IsFresh: true, Drained: true }), null, "Nodes that report themselves drained.");
        _meter.CreateObservableGauge("failoverhub.operations.in_flight", () => fleet.Current.Pairs.Count(p => p.OperationId is not null), null, "Pairs with an operation under way.");
        _meter.CreateObservableGauge(
            "failoverhub.fleet.snapshot.age", () => Math.Max(0, (time.GetUtcNow() - fleet.Current.At).TotalSeconds), "s", "Age of what the hub shows as the present; it is computed anew each second.");
    }

    private void ObserveQueues(MeteredRooms rooms)
    {
        (FleetStore fleet, HubWriter writer, LiveClients live) = (rooms.Fleet, rooms.Writer, rooms.Live);
        _meter.CreateObservableGauge("failoverhub.agent.streams", () => fleet.Streams, null, "Open streams of agents.");
        _meter.CreateObservableCounter("failoverhub.fleet.messages", () => fleet.Taken, null, "Messages of agents and operations taken in.");
        _meter.CreateObservableGauge("failoverhub.fleet.queue", () => fleet.Waiting, null, "Messages that wait to be taken in.");
        _meter.CreateObservableGauge("failoverhub.fleet.queue.capacity", () => FleetStore.Capacity, null, "Most messages that can wait; agents are then slowed down.");
        _meter.CreateObservableGauge("failoverhub.writer.queue", () => writer.Waiting, null, "History that waits for the disk.");
        _meter.CreateObservableGauge("failoverhub.writer.queue.capacity", () => HubWriter.Capacity, null, "Most that can wait; more is lost and counted.");
        _meter.CreateObservableCounter("failoverhub.writer.writes", () => writer.Written, null, "Writes of history that are on the disk.");
        _meter.CreateObservableCounter("failoverhub.writer.lost", () => writer.Lost, null, "Writes of history that were lost because the queue was full.");
        _meter.CreateObservableGauge("failoverhub.writer.failing", () => writer.IsFailing ? 1 : 0, null, "1 while history cannot be written and waits in memory.");
        _meter.CreateObservableGauge("failoverhub.live.clients", () => live.Open, null, "Programs connected to /hubs/fleet.");
        _meter.CreateObservableCounter("failoverhub.live.snapshots", () => live.Snapshots, null, "Whole snapshots sent to them: at the beginning of each stream, and to who had fallen behind.");
        _meter.CreateObservableCounter("failoverhub.live.changes", () => live.Changes, null, "Changes sent to them.");
    }

    private void ObserveDatabase(DataFolder folder)
    {
        _meter.CreateObservableGauge("failoverhub.database.size", () => SizeOf(folder.DatabaseFile), "By", "Size of the database's file; 0: none.");
        _meter.CreateObservableGauge("failoverhub.database.wal.size", () => SizeOf($"{folder.DatabaseFile}-wal"), "By", "Size of the write-ahead log; it is taken over into the database's file from time to time.");
    }

    private void CountAudit(AuditDraft draft)
    {
        bool refused = draft.Outcome.StartsWith("refused", StringComparison.Ordinal);
        string outcome = refused ? "refused" : draft.Outcome.StartsWith("accepted", StringComparison.Ordinal) ? "accepted" : "other";
        _audited.Add(1, KeyValuePair.Create<string, object?>("outcome", outcome));
        if (refused)
        {
            foreach (string rule in RuleId().Matches(draft.Outcome).Select(m => m.Groups[1].Value).Distinct())
            {
                _refusals.Add(1, KeyValuePair.Create<string, object?>("rule", rule));
            }
        }
    }

    private void CountJournal(TimeSpan lag) => _journalLag.Record(lag.TotalSeconds);

    private void CountPublishing(TimeSpan took) => _publishing.Record(took.TotalSeconds);

    /// <summary>How many have which word; every word is there, also with none.</summary>
    private static IEnumerable<Measurement<int>> ByWord<T, TWord>(IEnumerable<T> all, Func<T, TWord> wordOf, string label)
        where TWord : struct, Enum
    {
        var counts = Enum.GetValues<TWord>().ToDictionary(w => w, _ => 0);
        foreach (T one in all)
        {
            counts[wordOf(one)]++;
        }

        return counts.Select(c => new Measurement<int>(c.Value, KeyValuePair.Create<string, object?>(label, c.Key.ToString())));
    }

    private static long SizeOf(string file) => new FileInfo(file) is { Exists: true } found ? found.Length : 0;

    [GeneratedRegex(@"\b(SR-[0-9]{2}) [A-Z]\w+:")]
    private static partial Regex RuleId();
}
