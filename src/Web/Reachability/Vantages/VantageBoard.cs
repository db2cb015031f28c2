using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Reachability.Probing;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>What a node knows of one target, without a verdict: that depends on when it is asked for.</summary>
/// <param name="Id">Of the node.</param>
/// <param name="Known">Its probes, or why there are none.</param>
internal sealed record KnownVantage(string Id, KnownTarget Known);

/// <summary>What every node knows.</summary>
/// <param name="ByTarget">By the id of the target; what no node asks is absent.</param>
/// <param name="Short">Why no node asks a target.</param>
internal sealed record VantageSnapshot(IReadOnlyDictionary<string, ImmutableArray<KnownVantage>> ByTarget, ImmutableDictionary<string, VantageShortage> Short)
{
    /// <summary>How every node stands that asks something, or did until it was lost.</summary>
    public ImmutableArray<VantageStanding> Standings { get; init; } = [];

    public static VantageSnapshot Empty { get; } = new(ImmutableDictionary<string, ImmutableArray<KnownVantage>>.Empty, ImmutableDictionary<string, VantageShortage>.Empty);
}

/// <summary>
/// What nodes are asked and what they have told, pure: nodes, targets and probes in, plans and what is known out. A node's knowledge is gone with its stream, and with the target that it is asked no
/// more. Owned by one loop. `now` is monotonic.
/// </summary>
/// <param name="perTarget">Nodes that ask one target, 0 to <see cref="VantageAssignment.MostPerTarget"/>.</param>
/// <param name="wayOf">How a target is asked.</param>
/// <param name="pace">How often.</param>
internal sealed class VantageBoard(int perTarget, Func<ProbeTarget, VantageWay> wayOf, ProbePace pace)
{
    /// <summary>A node gets no more than one plan in that time.</summary>
    public static readonly TimeSpan PlanEvery = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<string, Seat> _seats = new(StringComparer.Ordinal);
    private Dictionary<string, KnownTarget> _known = [];
    private VantageCandidates _candidates = VantageCandidates.None;
    private ImmutableDictionary<string, VantageShortage> _short = ImmutableDictionary<string, VantageShortage>.Empty;

    /// <summary>Tasks of all nodes in the plans that they were sent.</summary>
    public int Tasks => _seats.Values.Sum(s => s.Plan.Tasks.Length);

    /// <summary>Nodes that are asked for something.</summary>
    public int Asked => _seats.Values.Count(s => !s.Plan.Tasks.IsEmpty);

    /// <summary>Takes over which streams are open. True: others than before.</summary>
    public bool SetStreams(IReadOnlyDictionary<string, VantageStream> open)
    {
        bool changed = false;
        foreach (string gone in _seats.Where(s => !open.TryGetValue(s.Key, out VantageStream? stream) || !ReferenceEquals(stream, s.Value.Stream)).Select(s => s.Key).ToArray())
        {
            changed |= _seats.Remove(gone);
        }

        foreach ((string id, VantageStream stream) in open)
        {
            changed |= _seats.TryAdd(id, new Seat(stream));
        }

        if (changed)
        {
            // Also a node that has come back is asked by its new stream.
            _candidates = VantageCandidates.None;
        }

        return changed;
    }

    /// <summary>Takes over what the hub probes, and how closely it looks.</summary>
    public void SetKnown(ImmutableArray<KnownTarget> known) => _known = known.ToDictionary(k => k.Target.Id, StringComparer.Ordinal);

    /// <summary>Decides anew who asks what, when there is something new. True: it was decided.</summary>
    /// <param name="candidates">What there is to assign, and to whom.</param>
    /// <param name="now">From then on something should be known of what is new to a node.</param>
    public bool Assign(VantageCandidates candidates, TimeSpan now)
    {
        if (candidates.IsTheSameAs(_candidates))
        {
            return false;
        }

        _candidates = candidates;
        AssignedVantages assigned = VantageAssignment.Assign(candidates.Targets, candidates.Nodes, perTarget);
        _short = assigned.Short.AddRange(candidates.OnlyHere.Select(id => KeyValuePair.Create(id, VantageShortage.NotElsewhere)));
        foreach ((string id, Seat seat) in _seats)
        {
            seat.Sit(assigned.ByNode.GetValueOrDefault(id, []), _known, now);
        }

        return true;
    }

    /// <summary>Takes in what a node told. Returns what is to be kept of it, each with what its target is.</summary>
    public ImmutableArray<(KnownTarget Of, ProbeSample Sample)> Record(VantageStream stream, TakenBatch batch, TimeSpan now)
    {
        if (!_seats.TryGetValue(stream.Id, out Seat? seat) || !ReferenceEquals(seat.Stream, stream))
        {
            return [];
        }

        var kept = ImmutableArray.CreateBuilder<(KnownTarget, ProbeSample)>();
        seat.Problems = batch.Problems;
        seat.ToldAt = now;
        foreach (TakenProbe probe in batch.Probes)
        {
            // It may have left the hub's own list since it was asked.
            if (_known.TryGetValue(probe.Target, out KnownTarget? known))
            {
                seat.Entries.GetValueOrDefault(probe.Target)?.Record(probe.Sample, probe.SentAt, static _ => true);
                kept.Add((known, probe.Sample));
            }
        }

        return kept.ToImmutable();
    }

    /// <summary>Plans that are to be sent now: others than the ones before. One that has to wait for <see cref="PlanEvery"/> is found when it is asked again.</summary>
    public ImmutableArray<(VantageStream To, VantagePlan Plan)> TakePlans(TimeSpan now)
    {
        var plans = ImmutableArray.CreateBuilder<(VantageStream, VantagePlan)>();
        int room = pace.MostClose;
        foreach (Seat seat in _seats.Values)
        {
            ImmutableArray<VantageTask> tasks = TasksOf(seat, now, ref room);
            if (!tasks.SequenceEqual(seat.Plan.Tasks) && (seat.PlannedAt is not { } before || now - before >= PlanEvery))
            {
                seat.PlannedAt = now;
                seat.Plan = new VantagePlan(seat.Plan.Revision + 1, tasks);
                plans.Add((seat.Stream, seat.Plan));
            }
        }

        return plans.ToImmutable();
    }

    /// <summary>Everything as it stands, to be shown with its age.</summary>
    public VantageSnapshot Snapshot()
    {
        var all = new Dictionary<string, ImmutableArray<KnownVantage>>(StringComparer.Ordinal);
        foreach ((string id, Seat seat) in _seats)
        {
            foreach ((string target, ProbedAddress entry) in seat.Entries)
            {
                var known = new KnownVantage(id, new KnownTarget(entry.Target, entry.Recent, entry.NewestSentAt, seat.Problems.GetValueOrDefault(target)));
                all[target] = all.TryGetValue(target, out ImmutableArray<KnownVantage> others) ? others.Add(known) : [known];
            }
        }

        return new VantageSnapshot(all, _short);
    }

    /// <summary>What each node is asked, and how much of it is known by now.</summary>
    public IEnumerable<VantageSeat> Seats(TimeSpan now)
    {
        foreach ((string id, Seat seat) in _seats)
        {
            ProbedAddress[] askable = [.. seat.Entries.Values.Where(e => !seat.Problems.ContainsKey(e.Target.Id))];
            ProbedAddress[] expected = [.. askable.Where(e => seat.AskedFor(e.Target.Id, now) > PlanEvery + VantageView.Gathering + KnownTarget.FreshFor(e.Target))];
            yield return new VantageSeat(
                id,
                [.. seat.Entries.Keys],
                seat.ToldAt,
                expected.Length,
                expected.Count(e => new KnownTarget(e.Target, e.Recent, e.NewestSentAt, null).StateAt(now, VantageView.Gathering) != ReachabilityState.Unknown),
                askable.Length == 0 && seat.Entries.Count > 0 ? seat.Problems.GetValueOrDefault(seat.Entries.Keys.First()) : null);
        }
    }

    /// <summary>Whether no other node than that one asks a target.</summary>
    public bool IsAskedByNoOther(string target, string node) => !_seats.Any(s => s.Key != node && s.Value.Entries.ContainsKey(target));

    private ImmutableArray<VantageTask> TasksOf(Seat seat, TimeSpan now, ref int room)
    {
        var tasks = ImmutableArray.CreateBuilder<VantageTask>(seat.Entries.Count);
        foreach ((string id, ProbedAddress entry) in seat.Entries)
        {
            if (!_known.TryGetValue(id, out KnownTarget? known))
            {
                continue;
            }

            ProbeTarget target = entry.Target = known.Target;

            // As closely as the hub looks, and where something happens that only this node sees, as far as there is room.
            bool close = known.Close;
            if (!close && room > 0 && entry.DeservesACloseLook(pace, now))
            {
                (close, room) = (true, room - 1);
            }

            IPAddress? address = target.Named is { Host: null } ? null : target.Address.IsIPv4MappedToIPv6 ? target.Address.MapToIPv4() : target.Address;
            VantageWay way = wayOf(target);
            tasks.Add(new VantageTask(seat.IdOf(id, address, way), id, address, way, close ? pace.ClosePeriod : target.Interval, target.Timeout));
        }

        return tasks.ToImmutable();
    }

    /// <summary>One node, for as long as its stream is open.</summary>
    private sealed class Seat(VantageStream stream)
    {
        private readonly Dictionary<string, (IPAddress? Address, VantageWay Way, uint Id)> _ids = new(StringComparer.Ordinal);
        private readonly Dictionary<string, TimeSpan> _since = new(StringComparer.Ordinal);
        private uint _lastId;

        public VantageStream Stream { get; } = stream;

        /// <summary>By the id of the target, in that order.</summary>
        public SortedDictionary<string, ProbedAddress> Entries { get; } = new(StringComparer.Ordinal);

        public ImmutableDictionary<string, string> Problems { get; set; } = ImmutableDictionary<string, string>.Empty;

        public VantagePlan Plan { get; set; } = VantagePlan.Empty;

        public TimeSpan? PlannedAt { get; set; }

        /// <summary>When something was last told; null: nothing yet.</summary>
        public TimeSpan? ToldAt { get; set; }

        public TimeSpan AskedFor(string target, TimeSpan now) => now - _since.GetValueOrDefault(target, now);

        public void Sit(ImmutableArray<string> targets, Dictionary<string, KnownTarget> known, TimeSpan now)
        {
            HashSet<string> wanted = [.. targets];
            foreach (string gone in Entries.Keys.Where(t => !wanted.Contains(t)).ToArray())
            {
                Entries.Remove(gone);
                _ids.Remove(gone);
                _since.Remove(gone);
            }

            foreach (string target in targets.Where(known.ContainsKey))
            {
                if (!Entries.ContainsKey(target))
                {
                    Entries.Add(target, new ProbedAddress(known[target].Target));
                    _since[target] = now;
                }
            }
        }

        /// <summary>Another number when the target is asked otherwise than before: what is told of the old one is of another thing.</summary>
        public uint IdOf(string target, IPAddress? address, VantageWay way)
        {
            if (!_ids.TryGetValue(target, out var known) || !Equals(known.Address, address) || known.Way != way)
            {
                _ids[target] = known = (address, way, ++_lastId);
            }

            return known.Id;
        }
    }
}
