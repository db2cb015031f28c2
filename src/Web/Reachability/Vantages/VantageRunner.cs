using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Storage;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>What the runner works with.</summary>
/// <param name="Fleet">Who shares what.</param>
/// <param name="Hub">What the hub itself probes.</param>
/// <param name="Streams">The nodes that offer themselves.</param>
/// <param name="View">Where what they know is shown.</param>
/// <param name="Store">Where it is kept.</param>
/// <param name="Events">Where it is told that one is lost, and back.</param>
internal sealed record VantageTools(IFleetView Fleet, ReachabilityView Hub, VantageStreams Streams, VantageView View, ProbeSampleStore Store, EventLog Events);

/// <summary>
/// The loop "vantages": owns the <see cref="VantageBoard"/>, tells nodes what they are to ask, keeps and shows what they tell. It decides nothing itself.
/// <code>
///   fleet, hub's targets ──▶ board ──plans──▶ streams of the nodes
///                              ▲                    │
///                              └───── channel ◀─────┘         view, store ◀── board
/// </code>
/// </summary>
internal sealed class VantageRunner : BackgroundService
{
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AssignEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PublishEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan WatchEvery = TimeSpan.FromSeconds(1);

    private readonly VantageTools _tools;
    private readonly VantageNames _names;
    private readonly TimeProvider _time;
    private readonly VantageBoard _board;
    private readonly VantageWatch _watch = new();
    private FleetSnapshot? _fleetSeen;
    private ImmutableArray<KnownTarget> _knownSeen = [];
    private ImmutableArray<KnownTarget> _knownAssigned = [];
    private ImmutableDictionary<string, VantageStream>? _streamsSeen;
    private TimeSpan? _assignedAt;
    private TimeSpan? _publishedAt;
    private TimeSpan? _plannedAt;
    private TimeSpan? _watchedAt;
    private bool _dirty;
    private int _tasks;
    private int _asked;

    public VantageRunner(VantageTools tools, VantageNames names, IProbe probe, HubOptions options, TimeProvider time)
    {
        _tools = tools;
        _names = names;
        _time = time;
        _board = new VantageBoard(options.VantagePoints, target => WayOf(target, probe), ProbePace.Default);
    }

    /// <summary>Tasks of all nodes.</summary>
    public int Tasks => Volatile.Read(ref _tasks);

    /// <summary>Nodes that are asked for something.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>One turn: takes what has come, sends what is new, shows what is known.</summary>
    internal void Turn()
    {
        var moment = Moment.Of(_time);
        TimeSpan now = moment.Uptime;
        Take(now);

        // A stream that has ended takes what its node knew with it, at once.
        ImmutableDictionary<string, VantageStream> open = _tools.Streams.Current;
        bool others = !ReferenceEquals(open, _streamsSeen) && _board.SetStreams(open);
        _streamsSeen = open;
        Assign(now, others);
        if (others || _plannedAt is not { } planned || now - planned >= LongestTurn)
        {
            _plannedAt = now;
            foreach ((VantageStream to, VantagePlan plan) in _board.TakePlans(now))
            {
                to.Ask(plan);
            }

            Volatile.Write(ref _tasks, _board.Tasks);
            Volatile.Write(ref _asked, _board.Asked);
        }

        if (others || _watchedAt is not { } watched || now - watched >= WatchEvery)
        {
            (_watchedAt, _dirty) = (now, true);
            Watch(moment);
        }

        if (others || (_dirty && (_publishedAt is not { } published || now - published >= PublishEvery)))
        {
            (_dirty, _publishedAt) = (false, now);
            _tools.View.Publish(_board.Snapshot() with { Standings = _watch.Standings });
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Turn();
            await WaitAsync(stoppingToken);
        }
    }

    /// <summary>Pure: the sentence that history keeps.</summary>
    internal static EventDraft ToDraft(VantageChange change, DateTimeOffset at) => new()
    {
        At = change.LostFor is null ? change.Standing.Since ?? at : at,
        Kind = change.LostFor is null ? EventKinds.VantageLost : EventKinds.VantageBack,
        Severity = change.LostFor is null ? EventSeverity.Warning : EventSeverity.Info,
        Node = change.Standing.Name,
        Text = change.LostFor is { } lostFor
            ? string.Create(CultureInfo.InvariantCulture, $"{change.Standing.Name} is there again as a vantage point, {lostFor.TotalSeconds:0} s after it was lost. What it would have seen meanwhile is not known.")
            : change.Standing.LostSentence,
    };

    private void Watch(Moment now)
    {
        FleetSnapshot fleet = _tools.Fleet.Current;
        foreach (VantageChange change in _watch.Look(_board.Seats(now.Uptime), _board.IsAskedByNoOther, Of, now))
        {
            _tools.Events.Append(ToDraft(change, now.Wall));
        }

        (string, VantagePresence) Of(string id)
        {
            string name = _names.Of(id).Name;
            return (name, fleet.FindNode(name) switch
            {
                null or { Link: NodeLink.Revoked } => VantagePresence.Gone,
                { IsFresh: true } => VantagePresence.Reporting,
                _ => VantagePresence.Silent,
            });
        }
    }

    private void Take(TimeSpan now)
    {
        while (_tools.Streams.News.TryRead(out VantageNews? news))
        {
            if (news.Batch is { } batch)
            {
                _dirty = true;
                foreach ((KnownTarget of, ProbeSample sample) in _board.Record(news.Stream, batch, now))
                {
                    _tools.Store.Add(new ProbeSeries(of.Target.Id, news.Stream.Id), of.Target.Interval, sample);
                }
            }
        }
    }

    private void Assign(TimeSpan now, bool others)
    {
        FleetSnapshot fleet = _tools.Fleet.Current;
        ImmutableArray<KnownTarget> known = _tools.Hub.Known;
        if (known != _knownSeen)
        {
            _knownSeen = known;
            _board.SetKnown(known);
        }

        bool anew = known != _knownAssigned || !ReferenceEquals(fleet, _fleetSeen);
        if (others || (anew && (_assignedAt is not { } assigned || now - assigned >= AssignEvery)))
        {
            (_fleetSeen, _knownAssigned, _assignedAt) = (fleet, known, now);
            _dirty |= _board.Assign(VantageCandidates.Of(fleet, known, _tools.Streams.Current.Keys.Select(_names.Of)), now);
        }
    }

    /// <summary>Until something has come, or a plan may be another.</summary>
    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        using var time = new CancellationTokenSource(LongestTurn, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stoppingToken);
        try
        {
            await _tools.Streams.News.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // The turn is over, or the hub stops.
        }
    }

    private static VantageWay WayOf(ProbeTarget target, IProbe probe) => target.Named is { } named
        ? named.Draft.Kind switch
        {
            Targets.NamedTargetKind.Tcp => new VantageWay.Tcp(named.Draft.Port!.Value),
            Targets.NamedTargetKind.Http => new VantageWay.Http(named),
            _ => new VantageWay.Icmp(),
        }
        : probe is { Method: ProbeMethod.Tcp, Port: { } port } ? new VantageWay.Tcp(port) : new VantageWay.Icmp();
}
