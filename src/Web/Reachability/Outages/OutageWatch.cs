using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>A move whose cost is to be measured.</summary>
/// <param name="Pair">Name of the pair.</param>
/// <param name="Prefixes">What moved.</param>
/// <param name="Kind">Why.</param>
/// <param name="OperationId">The operation that moved it; null: none.</param>
/// <param name="From">The node that was active before; null: not known.</param>
/// <param name="To">The node that is active now; null: not known.</param>
/// <param name="At">When it was asked for, or seen.</param>
/// <param name="Since">Probes from then on count.</param>
/// <param name="Until">Probes before that count.</param>
internal sealed record Move(string Pair, ImmutableArray<IPNetwork> Prefixes, MoveKind Kind, string? OperationId, string? From, string? To, DateTimeOffset At, DateTimeOffset Since, DateTimeOffset Until)
{
    /// <summary>Id of the pair.</summary>
    public required string PairId { get; init; }

    /// <summary>By then it had moved, as far as the hub knows; what was seen later was the settling.</summary>
    public required DateTimeOffset SettledAt { get; init; }

    /// <summary>The hub was away when it began: what it probed last before that moment counts, and what came after. Null: it was there.</summary>
    public DateTimeOffset? HubBegan { get; init; }

    /// <summary>It could not be read before; by then it is tried again. Null: it is due when it is over.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>What of it was taken back so much later that it is measured by itself, oldest first; it is kept with it.</summary>
    public ImmutableArray<Move> TakenBack { get; init; } = [];

    /// <summary>Until there what was lost is the doing of the move before it. Null: none was near.</summary>
    public DateTimeOffset? BorderBefore { get; init; }

    /// <summary>From there on what is lost is the doing of the next move. Null: none is near.</summary>
    public DateTimeOffset? BorderAfter { get; init; }

    /// <summary>The move itself, and each taking back.</summary>
    public ImmutableArray<Move> Parts => [this with { TakenBack = [] }, .. TakenBack];

    /// <summary>All of its parts are over then.</summary>
    public DateTimeOffset OverAt => TakenBack.IsEmpty ? Until : TakenBack[^1].Until;
}

/// <summary>
/// Which moves there are, pure: snapshots of the fleet and operations in, moves out when they are over for long enough to be measured. A move that an operation
/// makes is measured as that operation's; one that nobody asked for is known by another node being active, also when none was for a while.
/// </summary>
internal sealed class OutageWatch
{
    /// <summary>Probes of before count: a route server holds a dead route for nine seconds, and the fleet notices a silent node later than the probes do.</summary>
    private static readonly TimeSpan BeforeUnplanned = TimeSpan.FromSeconds(40);
    internal static readonly TimeSpan BeforePlanned = TimeSpan.FromSeconds(5);

    /// <summary>So long after the end the address has settled, and the last answers have come in.</summary>
    internal static readonly TimeSpan After = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestOutage = TimeSpan.FromMinutes(10);

    /// <summary>The hub has seen it move; the network may need a moment more.</summary>
    internal static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, string> _active = [];

    // By what never changes, where that is known: a node that gets another name has moved nothing.
    private readonly Dictionary<string, string> _activeIds = [];

    // Which node is active by the newest snapshot, where that is known; which one was before the last change; and where the addresses were when an operation began to move them.
    private readonly Dictionary<string, string?> _now = [];
    private readonly Dictionary<string, (string From, DateTimeOffset At)> _changed = [];
    private readonly Dictionary<string, (string MoveId, string? From)> _moving = [];
    private readonly Dictionary<string, (string Pair, DateTimeOffset At)> _planned = [];
    private readonly Dictionary<string, string> _stored = [];
    private readonly HashSet<string> _unheard = [];
    private readonly List<Move> _waiting = [];
    private readonly MoveBorders _borders = new();
    private DateTimeOffset _began;

    /// <summary>Moves that are waited for.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>What an earlier life of the hub knew: another node that is active now moved there while nobody looked, or shortly before.</summary>
    /// <param name="active">The active node by the pair's id.</param>
    /// <param name="planned">Pairs with an operation of that time, which is measured as that.</param>
    /// <param name="now">When this life began.</param>
    public void Resume(IReadOnlyDictionary<string, string> active, IReadOnlySet<string> planned, DateTimeOffset now)
    {
        _began = now;
        foreach ((string pair, string node) in active)
        {
            _stored[pair] = node;
            if (!planned.Contains(pair))
            {
                _active[pair] = node;
                _unheard.Add(pair);
            }
        }
    }

    /// <summary>Where pairs are that the disk does not say yet, some at a time; not those whose move is still to be measured, for a hub that is killed before that measures it when it is back.</summary>
    public ImmutableArray<(string PairId, string Node)> TakeUnstored(int most)
    {
        ImmutableArray<(string PairId, string Node)> changed =
            [.. _active.Where(a => _stored.GetValueOrDefault(a.Key) != a.Value && !_unheard.Contains(a.Key) && !_waiting.Exists(m => m.PairId == a.Key && m.OperationId is null)).Take(most).Select(a => (a.Key, a.Value))];
        foreach ((string pair, string node) in changed)
        {
            _stored[pair] = node;
        }

        return changed;
    }

    /// <summary>The fleet as it is now.</summary>
    public void See(FleetSnapshot fleet)
    {
        foreach (PairView pair in fleet.Pairs)
        {
            // Only an operation that moves addresses makes a move a planned one: not one that resets a session, nor a drill between its moves.
            if (pair.MoveId is { } moving)
            {
                _planned[pair.Id] = (pair.Name, fleet.At);
                _borders.Moving(pair.Id, moving, fleet.At);
                if (!_moving.TryGetValue(pair.Id, out var begun) || begun.MoveId != moving)
                {
                    _moving[pair.Id] = (moving, _active.GetValueOrDefault(pair.Id) ?? pair.ActiveNode);
                }
            }

            _now[pair.Id] = pair.ActiveNode;
            if (pair.ActiveNode is not { } active)
            {
                continue;
            }

            string? id = pair.Members.FirstOrDefault(m => m.Node.Name == active)?.Node.Identity?.NodeId;
            if (id is not null && _activeIds.GetValueOrDefault(pair.Id) == id)
            {
                _active[pair.Id] = active;
            }

            if (_active.TryGetValue(pair.Id, out string? before) && before != active && !IsPlanned(pair.Id, fleet.At))
            {
                bool away = _unheard.Contains(pair.Id);
                MoveKind kind = active == pair.PreferredNode ? MoveKind.FailbackByItself : MoveKind.Failover;
                Add(new Move(pair.Name, pair.Prefixes, kind, null, before, active, fleet.At, (away ? _began : fleet.At) - BeforeUnplanned, fleet.At + After)
                {
                    PairId = pair.Id,
                    SettledAt = fleet.At,
                    HubBegan = away ? _began : null,
                });
            }

            if (before is not null && before != active)
            {
                _changed[pair.Id] = (before, fleet.At);
            }

            _active[pair.Id] = active;
            _activeIds[pair.Id] = id ?? "";
            _unheard.Remove(pair.Id);
        }

        foreach (string gone in _now.Keys.Except(fleet.Pairs.Select(p => p.Id)).ToArray())
        {
            _now.Remove(gone);
            _moving.Remove(gone);
            _borders.Forget(gone);
        }

        foreach (string gone in _active.Keys.Except(fleet.Pairs.Select(p => p.Id)).ToArray())
        {
            _active.Remove(gone);
            _activeIds.Remove(gone);
            _planned.Remove(gone);
            _changed.Remove(gone);
            _stored.Remove(gone);
            _unheard.Remove(gone);
        }
    }

    /// <summary>An operation has ended; null: it moves nothing.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="prefixes">What it was about.</param>
    public void See(OperationView operation, ImmutableArray<IPNetwork> prefixes)
    {
        if (MoveOf(operation, prefixes) is not { } move || _waiting.Exists(m => m.OperationId == operation.Id))
        {
            return;
        }

        _planned[operation.PairId] = (operation.PairName, operation.FinishedAt!.Value);
        Add(move with { From = FromOf(operation, move.At) });
    }

    /// <summary>An operation as the move that it is, with the times whose probes count; null: it moves nothing, or has not ended.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="prefixes">What it is about.</param>
    /// <param name="now">One that has not ended goes on until then; null: it is no move yet.</param>
    public static Move? MoveOf(OperationView operation, ImmutableArray<IPNetwork> prefixes, DateTimeOffset? now = null)
    {
        if ((operation.FinishedAt ?? now) is not { } finished || KindOf(operation.Type) is not { } kind || prefixes.IsEmpty)
        {
            return null;
        }

        ImmutableArray<Move> parts = [.. MoveTimes.Of(operation, finished, BeforePlanned + After).Select((time, i) => Part(time.Began, time.Ended, i == 0 ? kind : MoveKind.TakeBack))];
        return parts[0] with { TakenBack = parts[1..] };

        Move Part(DateTimeOffset began, DateTimeOffset ended, MoveKind what) =>
            new(operation.PairName, prefixes, what, operation.Id, null, null, began, began - BeforePlanned, ended + After) { PairId = operation.PairId, SettledAt = ended + Settling };
    }

    // One that began and ended from one look to the next is known by the change that came with it.
    private string? FromOf(OperationView operation, DateTimeOffset began) =>
        _moving.TryGetValue(operation.PairId, out var moving) && moving.MoveId == operation.Id ? moving.From
        : _changed.TryGetValue(operation.PairId, out var changed) && changed.At >= began ? changed.From
        : _active.GetValueOrDefault(operation.PairId);

    /// <summary>Moves that are over for long enough, oldest first; each once. Where an operation has left the addresses is what is so now: it may have been a drain, or have been taken back.</summary>
    public ImmutableArray<Move> TakeDue(DateTimeOffset now)
    {
        ImmutableArray<Move> due = [.. _waiting.Where(IsDue).OrderBy(m => m.At).Select(_borders.Set).Select(m => m.OperationId is null ? m : WhereItIs(m) with { TakenBack = [.. m.TakenBack.Select(WhereItIs)] })];
        _waiting.RemoveAll(IsDue);
        return due;

        bool IsDue(Move move) => (move.NotBefore ?? move.OverAt) <= now;

        Move WhereItIs(Move move) => move with { To = move.To ?? _now.GetValueOrDefault(move.PairId) };
    }

    /// <summary>It could not be read or kept: it is tried again somewhat later, as it is, for as long as that takes.</summary>
    public void Retry(Move move, DateTimeOffset now) => _waiting.Add(move with { NotBefore = now + RetryAfter });

    /// <summary>It had not ended: it is looked at again with somewhat more of the time after it, ten minutes at most. What goes on until something else of it begins is one with that.</summary>
    /// <param name="move">The move.</param>
    /// <param name="goesOn">Whether a part of it had not ended.</param>
    /// <returns>False: all of it had ended, or that is long enough; it is kept as it is.</returns>
    public bool Again(Move move, Func<Move, bool> goesOn)
    {
        if (!move.Parts.Any(MayEnd))
        {
            return false;
        }

        var parts = new List<Move>();
        foreach (Move part in move.Parts.Select(p => MayEnd(p) ? p with { Until = p.Until + RetryAfter } : p))
        {
            if (parts is [.., var before] && before.Until >= part.Since)
            {
                parts[^1] = before with { Until = part.Until, SettledAt = part.SettledAt };
            }
            else
            {
                parts.Add(part);
            }
        }

        _waiting.Add(parts[0] with { TakenBack = [.. parts.Skip(1)], NotBefore = null });
        return true;

        // By the time that was looked at and not by now: it may be hours ago.
        bool MayEnd(Move part) => goesOn(part) && part.Until - part.At < LongestOutage;
    }

    /// <summary>What an operation of that type is as a move; null: it is none.</summary>
    public static MoveKind? KindOf(OperationType type) => type switch
    {
        OperationType.Switchover => MoveKind.Switchover,
        OperationType.Failback => MoveKind.Failback,
        OperationType.ForcePromote => MoveKind.ForcePromote,
        OperationType.Drain or OperationType.Undrain or OperationType.SetRole => MoveKind.Change,
        _ => null,
    };

    // What an operation has set going may be seen a little after it has ended.
    private bool IsPlanned(string pairId, DateTimeOffset at) => _planned.TryGetValue(pairId, out var planned) && at - planned.At < TimeSpan.FromSeconds(15);

    private void Add(Move move)
    {
        // Bound: a fleet whose addresses all come and go is measured by its newest moves.
        if (_waiting.Count >= 5_000)
        {
            _waiting.RemoveAt(0);
        }

        // One that comes while the one before is not measured yet is part of it: there and back within seconds is one outage.
        int before = move.OperationId is null ? _waiting.FindIndex(m => m.OperationId is null && m.Pair == move.Pair) : -1;
        if (before >= 0)
        {
            move = _waiting[before] = _waiting[before] with { To = move.To, Until = move.Until, SettledAt = move.SettledAt };
        }
        else
        {
            _waiting.Add(move);
        }

        _borders.Add(move);
    }
}
