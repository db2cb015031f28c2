using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Speaker;

/// <summary>Something to be done with a connection.</summary>
/// <param name="Connection">Which.</param>
/// <param name="Goodbye">It is to be stopped, for this reason; null: it is new and is to be started.</param>
internal readonly record struct PeerChange(PeerConnection Connection, StopReason? Goodbye);

/// <summary>
/// Which neighbors there are, and how one list of them becomes another without touching those that are the same. Neighbors whose options have changed are
/// restarted one after the other, each when the one before has its session again: what is announced stays announced somewhere, also when nobody accepts the
/// new options (a wrong key). Who loses his session meanwhile gets them at once. Belongs to the speaker's thread but for <see cref="Members"/>. Time in, time out.
/// </summary>
internal sealed class PeerRoster : IDisposable
{
    /// <summary>When the session of the one before is not back after this, the others that wait for it are told of, see <see cref="TakeHeldUp"/>.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>After the first internal error of a session; doubled with each further one.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>However often a session has broken.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    private readonly Func<PeerOptions, PeerConnection> _connect;
    private readonly List<Seat> _seats;
    private readonly List<Seat> _leaving = [];
    private IReadOnlyList<PeerConnection> _members;
    private IReadOnlyList<PeerConnection> _ending = [];
    private (Seat Seat, TimeSpan Since)? _restarting;
    private bool _heldUpIsTold;

    /// <param name="peers">The first neighbors. They are started by whoever owns this.</param>
    /// <param name="connect">Makes a connection that is not started yet.</param>
    public PeerRoster(IEnumerable<PeerOptions> peers, Func<PeerOptions, PeerConnection> connect)
    {
        _connect = connect;
        _seats = [.. peers.Select(peer => new Seat(connect(peer)))];
        _members = [.. _seats.Select(seat => seat.Connection)];
    }

    /// <summary>A connection for each neighbor, in the order of the configuration. From any thread.</summary>
    public IReadOnlyList<PeerConnection> Members => Volatile.Read(ref _members);

    /// <summary>Its connection is there, or still says goodbye. From any thread.</summary>
    public bool Has(NeighborEndpoint neighbor) => Volatile.Read(ref _members).Concat(Volatile.Read(ref _ending)).Any(connection => connection.Neighbor == neighbor);

    /// <summary>Those, and the ones that still say goodbye.</summary>
    public ImmutableArray<PeerConnection> All => [.. _seats.Concat(_leaving).Select(seat => seat.Connection)];

    /// <summary><see cref="Next"/> has something to look at.</summary>
    public bool HasWork => _leaving.Count > 0 || _restarting is not null || _seats.Any(seat => seat.Wanted is not null || seat.IsNew);

    /// <summary>When <see cref="Next"/> is wanted even if nothing happens.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            TimeSpan? next = _restarting is { Since: var since } && !_heldUpIsTold && _seats.Any(Waits) ? since + Patience : null;
            foreach (var seat in _seats)
            {
                next = seat.PausesUntil is { } until && !(next < until) ? until : next;
            }

            return next;
        }
    }

    /// <summary>Why a session is stopped, for the operator.</summary>
    public static string Words(StopReason reason) => reason == StopReason.PeerDeconfigured ? "it is no longer in the configuration" : "its options were changed";

    /// <summary>The list is another one. <see cref="Next"/> says what follows from it.</summary>
    public void Configure(ImmutableArray<PeerOptions> peers)
    {
        var before = _seats.ToDictionary(seat => seat.Connection.Neighbor);
        _heldUpIsTold = false;
        _seats.Clear();
        foreach (var peer in peers)
        {
            if (!before.Remove(peer.Neighbor, out var seat))
            {
                _seats.Add(new Seat(_connect(peer)) { IsNew = true });
            }
            else if (seat.IsNew)
            {
                // It still waits for the goodbye of the one before: there is nothing to stop, and it is started once, with the newest options.
                if (seat.Connection.Options != peer)
                {
                    seat.Connection.Dispose();
                    seat.Connection = _connect(peer);
                }

                _seats.Add(seat);
            }
            else
            {
                // One that is stopped already comes back with the newest options.
                seat.Wanted = seat.Connection.Options == peer && !seat.IsStopped ? null : peer;
                _seats.Add(seat);
            }
        }

        _leaving.AddRange(before.Values);
        Publish();
    }

    /// <summary>
    /// A connection was abandoned because of an internal error: another one takes its place after a while, so that an error that comes back each time does not
    /// keep the thread busy.
    /// </summary>
    /// <returns>How often that has happened to this neighbor, and how long the pause is; none: it was about to go anyway.</returns>
    public (int Times, TimeSpan Pause) Replace(PeerConnection abandoned, TimeSpan now)
    {
        if (_seats.Find(seat => seat.Connection == abandoned) is not { } seat)
        {
            return (1, TimeSpan.Zero);
        }

        seat.Breaks++;
        var pause = FirstPause * Math.Pow(2, Math.Min(seat.Breaks - 1, 20));
        pause = pause < LongestPause ? pause : LongestPause;
        seat.Wanted ??= abandoned.Options;
        (seat.IsStopped, seat.PausesUntil) = (true, now + pause);
        return (seat.Breaks, pause);
    }

    /// <summary>What is to be done now. To be asked again after everything that happens.</summary>
    public ImmutableArray<PeerChange> Next(TimeSpan now)
    {
        var changes = ImmutableArray.CreateBuilder<PeerChange>();
        Leave(changes);
        foreach (var seat in _seats)
        {
            if (seat.IsNew && !_leaving.Any(gone => gone.Connection.Neighbor == seat.Connection.Neighbor))
            {
                // Otherwise the neighbor was taken away and given back before its old connection had ended.
                seat.IsNew = false;
                changes.Add(new PeerChange(seat.Connection, null));
            }
            else if (seat is { IsStopped: true, Wanted: { } wanted, Connection.IsQuiet: true } && !(seat.PausesUntil > now))
            {
                seat.Connection.Dispose();
                seat.Connection = _connect(wanted);
                (seat.Wanted, seat.IsStopped, seat.PausesUntil) = (null, false, null);
                changes.Add(new PeerChange(seat.Connection, null));
            }
        }

        Restart(changes, now);
        Publish();
        return changes.ToImmutable();
    }

    /// <summary>A neighbor that was restarted with new options has no session with them, and how many others keep theirs with the old ones meanwhile. Told once for each configuration.</summary>
    public (NeighborEndpoint Neighbor, int Waiting)? TakeHeldUp(TimeSpan now)
    {
        var waiting = _seats.Count(Waits);
        if (_heldUpIsTold || waiting < 1 || _restarting is not { } current || now - current.Since < Patience)
        {
            return null;
        }

        _heldUpIsTold = true;
        return (current.Seat.Connection.Neighbor, waiting);
    }

    public void Dispose()
    {
        foreach (var connection in All)
        {
            connection.Dispose();
        }
    }

    private void Leave(ImmutableArray<PeerChange>.Builder changes)
    {
        foreach (var seat in _leaving.ToList())
        {
            if (!seat.IsStopped)
            {
                seat.IsStopped = true;
                changes.Add(new PeerChange(seat.Connection, StopReason.PeerDeconfigured));
            }
            else if (seat.Connection.IsQuiet)
            {
                seat.Connection.Dispose();
                _leaving.Remove(seat);
            }
        }
    }

    private void Restart(ImmutableArray<PeerChange>.Builder changes, TimeSpan now)
    {
        if (_restarting is { } current
            && (!_seats.Contains(current.Seat) || (!current.Seat.IsStopped && current.Seat.Connection.IsEstablished)))
        {
            _restarting = null;
        }

        foreach (var seat in _seats.Where(Waits))
        {
            // A neighbor without a session has nothing to lose.
            var isEstablished = seat.Connection.IsEstablished;
            if (isEstablished && _restarting is not null)
            {
                continue;
            }

            seat.IsStopped = true;
            changes.Add(new PeerChange(seat.Connection, StopReason.ConfigurationChange));
            if (isEstablished || seat == _restarting?.Seat)
            {
                // Also once more, with options that were changed again: its time begins anew.
                _restarting = (seat, now);
            }
        }
    }

    private static bool Waits(Seat seat) => seat is { Wanted: not null, IsStopped: false };

    // In this order: what goes from the one to the other is in both for a moment, and never in none.
    private void Publish()
    {
        Volatile.Write(ref _ending, [.. _leaving.Select(seat => seat.Connection)]);
        Volatile.Write(ref _members, [.. _seats.Select(seat => seat.Connection)]);
    }

    // The place of one neighbor.
    private sealed class Seat(PeerConnection connection)
    {
        public PeerConnection Connection { get; set; } = connection;

        /// <summary>Its next options; null: it has them.</summary>
        public PeerOptions? Wanted { get; set; }

        /// <summary>Not started yet.</summary>
        public bool IsNew { get; set; }

        /// <summary>Its connection was told to stop.</summary>
        public bool IsStopped { get; set; }

        /// <summary>Nothing takes its place before; null: no pause.</summary>
        public TimeSpan? PausesUntil { get; set; }

        /// <summary>Internal errors of its sessions so far.</summary>
        public int Breaks { get; set; }
    }
}
