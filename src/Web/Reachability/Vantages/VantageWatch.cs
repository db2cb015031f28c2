using System.Collections.Immutable;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>What the board knows of one node that is asked for something, or may be.</summary>
/// <param name="Id">Of the node.</param>
/// <param name="Targets">Ids of what it asks, in order.</param>
/// <param name="ToldAt">When it last told of a probe, monotonic; null: not since its stream was opened.</param>
/// <param name="Expected">Of so many targets something should be known by now.</param>
/// <param name="Current">Of so many of those it is.</param>
/// <param name="Problem">Why it cannot ask any; null: it can ask one at least.</param>
internal sealed record VantageSeat(string Id, ImmutableArray<string> Targets, TimeSpan? ToldAt, int Expected, int Current, string? Problem);

/// <summary>How a node stands in the fleet.</summary>
internal enum VantagePresence
{
    /// <summary>It is no node of the fleet any more, or may not connect: nobody waits for it.</summary>
    Gone,

    /// <summary>It is silent.</summary>
    Silent,

    /// <summary>It reports.</summary>
    Reporting,
}

/// <summary>A vantage point was lost for some time, or is there again.</summary>
/// <param name="Standing">As it stands now.</param>
/// <param name="LostFor">How long it was lost; null: it is.</param>
internal sealed record VantageChange(VantageStanding Standing, TimeSpan? LostFor);

/// <summary>
/// Which nodes are lost as vantage points, pure: what the board and the fleet know in, standings and changes out. A node's silence says nothing about its targets, so it is a fact of its own. Only who asked
/// something can be lost. `Wall` is only passed through.
/// </summary>
internal sealed class VantageWatch
{
    /// <summary>What lasts that long is told; a node that was only restarted is back before.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(10);

    /// <summary>Whoever is back is given so long for its first word.</summary>
    public static readonly TimeSpan Begins = TimeSpan.FromSeconds(5);

    /// <summary>A node that does not offer itself for so long is not meant to.</summary>
    public static readonly TimeSpan Forgotten = TimeSpan.FromHours(24);

    private readonly SortedDictionary<string, Watched> _nodes = new(StringComparer.Ordinal);

    /// <summary>How every node stands, by its id.</summary>
    public ImmutableArray<VantageStanding> Standings { get; private set; } = [];

    /// <summary>Looks at all of them.</summary>
    /// <param name="seats">Nodes whose stream is open and that offer themselves.</param>
    /// <param name="alone">Whether a target is asked by nobody but the hub and that node.</param>
    /// <param name="of">What a node is called, and how it stands in the fleet.</param>
    /// <param name="now">The moment.</param>
    /// <returns>What has changed for long enough to be told.</returns>
    public ImmutableArray<VantageChange> Look(IEnumerable<VantageSeat> seats, Func<string, string, bool> alone, Func<string, (string Name, VantagePresence Presence)> of, Moment now)
    {
        Dictionary<string, VantageSeat> open = seats.ToDictionary(s => s.Id, StringComparer.Ordinal);
        foreach (VantageSeat seat in open.Values.Where(s => !s.Targets.IsEmpty && !_nodes.ContainsKey(s.Id)))
        {
            _nodes.Add(seat.Id, new Watched());
        }

        var changes = ImmutableArray.CreateBuilder<VantageChange>();
        var standings = ImmutableArray.CreateBuilder<VantageStanding>();
        foreach ((string id, Watched node) in _nodes.ToArray())
        {
            (string name, VantagePresence presence) = of(id);
            VantageSeat? seat = open.GetValueOrDefault(id);
            (TimeSpan LostSince, DateTimeOffset Wall)? before = node.Lost;
            node.See(seat, presence, now);
            bool isForgotten = presence == VantagePresence.Gone || (node is { Trouble: VantageTrouble.NotOffered, Lost: { } off } && now.Uptime - off.Since >= Forgotten);

            // Asked for nothing any more, and nothing is wrong: it is no vantage point.
            if (isForgotten || (node.Trouble is null && seat is { Targets.IsEmpty: true } && !node.IsTold))
            {
                _nodes.Remove(id);
                continue;
            }

            var standing = new VantageStanding
            {
                Id = id,
                Name = name,
                Targets = node.Targets,
                OnlyTheHub = node.Trouble is null ? 0 : node.Targets.Count(target => alone(target, id)),
                LastToldAt = node.ToldAt is { } told ? now.Wall - (now.Uptime - told) : null,
                Trouble = node.Trouble,
                Since = node.Lost?.Wall,
                Problem = node.Problem,
            };
            if (node is { Lost: { } lost, IsTold: false } && now.Uptime - lost.Since >= LostAfter)
            {
                node.IsTold = true;
                changes.Add(new VantageChange(standing, null));
            }
            else if (node is { Lost: null, IsTold: true })
            {
                node.IsTold = false;
                changes.Add(new VantageChange(standing, before is { } since ? now.Uptime - since.LostSince : TimeSpan.Zero));
            }

            standings.Add(standing);
        }

        Standings = standings.ToImmutable();
        return changes.ToImmutable();
    }

    private sealed class Watched
    {
        private TimeSpan? _backAt;
        private TimeSpan? _goneAt;

        public VantageTrouble? Trouble { get; private set; }

        public (TimeSpan Since, DateTimeOffset Wall)? Lost { get; private set; }

        public ImmutableArray<string> Targets { get; private set; } = [];

        public TimeSpan? ToldAt { get; private set; }

        public string? Problem { get; private set; }

        /// <summary>That it is lost has been told.</summary>
        public bool IsTold { get; set; }

        public void See(VantageSeat? seat, VantagePresence presence, Moment now)
        {
            // Its stream ends a moment before the fleet says so: who reports on is connected otherwise.
            _goneAt = seat is not null || presence != VantagePresence.Reporting ? null : _goneAt ?? now.Uptime;
            VantageTrouble? trouble = seat is null ? _goneAt is { } gone && now.Uptime - gone >= Begins ? VantageTrouble.NotOffered : VantageTrouble.LinkDown
                : seat.Problem is not null ? VantageTrouble.CannotAsk
                : seat.Current * 2 < seat.Expected ? VantageTrouble.Behind
                : null;
            ToldAt = seat?.ToldAt ?? ToldAt;
            Problem = seat?.Problem;
            if (trouble is null && Trouble is not null && seat?.ToldAt is null)
            {
                // It is there, and has said nothing yet. Without a target it has nothing to say.
                _backAt ??= now.Uptime;
                if (seat is { Targets.IsEmpty: false } || now.Uptime - _backAt < Begins)
                {
                    return;
                }
            }

            _backAt = null;
            if (trouble is null || Trouble is null)
            {
                Lost = trouble is null ? null : (now.Uptime, now.Wall);
            }

            Trouble = trouble;
            if (seat is not null && (trouble is null || !seat.Targets.IsEmpty))
            {
                // Of one that is lost what it asked last is kept, when others ask that now.
                Targets = seat.Targets;
            }
        }
    }
}
