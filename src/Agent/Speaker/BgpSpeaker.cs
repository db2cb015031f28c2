using System.Collections.Immutable;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker.Sockets;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// All sessions of the node on one thread of their own, which waits for sockets and deadlines together: a keepalive waits for nobody,
/// neither for the thread pool nor for a disk.
/// </summary>
/// <remarks>What it is told (<see cref="SetAdvertisements"/>, <see cref="Configure"/>, <see cref="Stop"/>) replaces what it was told before, so nothing queues.</remarks>
internal sealed partial class BgpSpeaker : ISpeaker, IDisposable
{
    // How soon news that the node had no room for are offered again.
    private static readonly TimeSpan _newsRetry = TimeSpan.FromMilliseconds(20);

    private readonly PeerRoster _roster;
    private readonly Func<NodeEvent, bool> _tryPost;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _origin;
    private readonly WakeUp _wakeUp = new();
    private readonly Queue<NodeEvent> _news = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DiagnosticsDesk _desk;
    private ConnectionSeats _seats;
    private ImmutableArray<PeerConnection> _connections;
    private readonly UrgencyBudget _budget = new();
    private Wanted? _advertised;

    // All without a lock: whoever held it could be off the processor just when a keepalive is due.
    private Wanted? _wanted;
    private string? _stopText;
    private PeerList? _configured;
    private ImmutableDictionary<NeighborEndpoint, string> _resets = ImmutableDictionary<NeighborEndpoint, string>.Empty;
    private long _turns;

    /// <param name="peers">The neighbors.</param>
    /// <param name="tryPost">Takes news; false: has no room, is asked again.</param>
    /// <param name="time">Monotonic clock of all sessions.</param>
    /// <param name="logger">Its log.</param>
    public BgpSpeaker(IEnumerable<PeerOptions> peers, Func<NodeEvent, bool> tryPost, TimeProvider time, ILogger<BgpSpeaker> logger)
    {
        _tryPost = tryPost;
        _time = time;
        _logger = logger;
        _origin = time.GetTimestamp();
        _desk = new DiagnosticsDesk(_wakeUp.Ring);
        _roster = new PeerRoster(peers, peer => new PeerConnection(peer, new BgpSession(peer.Session, new Random()), Now, _news.Enqueue));
        _connections = _roster.All;
        _seats = new ConnectionSeats(_connections, _wakeUp);
    }

    /// <summary>Whether its thread asks to be run before others. Default: as far as it is permitted.</summary>
    public bool IsUrgent { get; init; } = true;

    /// <summary>Completes when the thread has ended, after <see cref="Stop"/>: every goodbye is said or its time is over.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Dials every neighbor as soon as it is known what they are to be told: at the first <see cref="SetAdvertisements"/>.</summary>
    public void Start() => new Thread(Run) { Name = "bgp", IsBackground = true }.Start();

    /// <summary>Figures of a neighbor, from any thread.</summary>
    public PeerMetrics Metrics(NeighborEndpoint neighbor) =>
        _roster.Members.FirstOrDefault(connection => connection.Neighbor == neighbor)?.Metrics ?? PeerMetrics.None;

    /// <summary>It has a connection of ours, or one that still says goodbye; false when it was never given, or is gone. From any thread.</summary>
    public bool Has(NeighborEndpoint neighbor) => _roster.Has(neighbor);

    /// <summary>
    /// How every neighbor stands, read on the speaker's thread between two of its inputs, from any thread; also after the end. Waits for
    /// <see cref="Start"/>.
    /// </summary>
    public Task<ImmutableArray<PeerDiagnostics>> ReadAsync(CancellationToken cancellationToken) => _desk.AskAsync(cancellationToken);

    /// <summary>How one neighbor stands; null: it is none of ours.</summary>
    public async Task<PeerDiagnostics?> ReadAsync(NeighborEndpoint neighbor, CancellationToken cancellationToken) =>
        (await ReadAsync(cancellationToken)).FirstOrDefault(peer => peer.Neighbor == neighbor);

    public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements)
    {
        Volatile.Write(ref _wanted, new Wanted(version, advertisements));
        _wakeUp.Ring();
    }

    public void Configure(ImmutableArray<PeerOptions> peers)
    {
        Volatile.Write(ref _configured, new PeerList(peers));
        _wakeUp.Ring();
    }

    public void Reset(NeighborEndpoint neighbor, string text)
    {
        ImmutableInterlocked.Update(ref _resets, resets => resets.SetItem(neighbor, text));
        _wakeUp.Ring();
    }

    public void Stop(string text)
    {
        Interlocked.CompareExchange(ref _stopText, text, null);
        _wakeUp.Ring();
    }

    /// <summary>How often its thread has looked at everything: it grows with each <see cref="Wake"/> as long as the thread is alive. From any thread.</summary>
    public long Turns => Volatile.Read(ref _turns);

    /// <summary>Looks at the clock again.</summary>
    public void Wake() => _wakeUp.Ring();

    public void Dispose()
    {
        if (!_ended.Task.IsCompleted)
        {
            // The thread still says goodbye to somebody slow: the sockets are its own, and end with the process.
            return;
        }

        _roster.Dispose();
        _wakeUp.Dispose();
    }

    private void Run()
    {
        try
        {
            Runs(_logger, IsUrgent ? ThreadUrgency.Raise() : "ordinary priority");
            RunLoop();
            _desk.Close(Task.FromResult(ReadAll()));
            _ended.SetResult();
        }
        catch (Exception exception)
        {
            // A bug. Whoever awaits the end sees it, and the agent ends with it.
            Broken(_logger, exception);
            _desk.Close(Task.FromException<ImmutableArray<PeerDiagnostics>>(exception));
            _ended.SetException(exception);
        }
    }

    private void RunLoop()
    {
        var dialled = false;
        var stopping = false;
        while (true)
        {
            Volatile.Write(ref _turns, _turns + 1);
            var now = Now();
            if (dialled && !stopping && Interlocked.Exchange(ref _configured, null) is { } list)
            {
                _roster.Configure(list.Peers);
            }

            if (TakeAdvertisements(now) && !dialled && !stopping)
            {
                dialled = true;
                foreach (var connection in _connections)
                {
                    Guarded(connection, now, static (connection, now) => connection.Start(now));
                }
            }

            if (dialled && !stopping && Volatile.Read(ref _resets) is { IsEmpty: false })
            {
                var resets = Interlocked.Exchange(ref _resets, ImmutableDictionary<NeighborEndpoint, string>.Empty);
                foreach (var connection in _connections.Where(connection => resets.ContainsKey(connection.Neighbor)))
                {
                    Guarded(connection, now, (connection, now) => connection.Reset(resets[connection.Neighbor], now));
                }
            }

            if (dialled && !stopping && _roster.HasWork)
            {
                ChangePeers(now);
            }

            if (!stopping && Volatile.Read(ref _stopText) is { } text)
            {
                stopping = true;
                foreach (var connection in _connections)
                {
                    Guarded(connection, now, (connection, now) => connection.Stop(text, now));
                }
            }

            if (NextDeadline() <= now)
            {
                // After a stall of this thread or of the whole machine, what the neighbors said meanwhile waits in the sockets. It is heard
                // first: otherwise a hold time would be over only because nobody looked. A bell that rings meanwhile goes on ringing, because what it rings for
                // may have been written behind our back since the top of this turn.
                Look(TimeSpan.Zero, now);
                TickDue(now);
            }

            foreach (var connection in _connections)
            {
                Guarded(connection, now, static (connection, now) => connection.TakeOccasion(now));
            }

            _desk.Answer(ReadAll);
            PostNews();
            if (stopping && _connections.All(connection => connection.IsQuiet))
            {
                return;
            }

            Look(Patience(), null);
            if (_seats.BellRings)
            {
                // Here and nowhere else: everything that it may ring for is read after this, at the top.
                _wakeUp.Silence();
            }
        }
    }

    private ImmutableArray<PeerDiagnostics> ReadAll()
    {
        var (now, readAt) = (Now(), _time.GetUtcNow());
        return [.. _roster.Members.Select(connection => connection.Read(now, readAt))];
    }

    // What the roster wants done, guarded as everything is; the waiting has a place for each connection, of which there may be others now.
    private void ChangePeers(TimeSpan now)
    {
        // Until there is nothing more to be done now: one that had no session is quiet as soon as it is stopped, and nothing would wake the thread to dial anew.
        for (var changes = _roster.Next(now); !changes.IsEmpty; changes = _roster.Next(now))
        {
            Change(changes, now);
        }

        if (_roster.TakeHeldUp(now) is var (neighbor, waiting))
        {
            OthersWait(_logger, neighbor, PeerRoster.Patience.TotalSeconds, waiting);
        }

        if (!_connections.SequenceEqual(_roster.All))
        {
            _connections = _roster.All;
            _seats = new ConnectionSeats(_connections, _wakeUp);
        }
    }

    private void Change(ImmutableArray<PeerChange> changes, TimeSpan now)
    {
        foreach (var change in changes)
        {
            Guarded(change.Connection, now, (connection, now) =>
            {
                if (change.Goodbye is { } reason)
                {
                    connection.Stop(PeerRoster.Words(reason), now, reason);
                    return;
                }

                if (_advertised is { } wanted)
                {
                    connection.SetAdvertisements(wanted.Version, wanted.Advertisements, now);
                }

                connection.Start(now);
            });
        }
    }

    private void TickDue(TimeSpan now)
    {
        foreach (var connection in _connections)
        {
            if (connection.NextDeadline <= now)
            {
                Guarded(connection, now, static (connection, now) => connection.Tick(now));
            }
        }
    }

    // What the kernel refuses one connection is no business of the others, and neither is a bug in one session.
    private void Guarded(PeerConnection connection, TimeSpan now, Action<PeerConnection, TimeSpan> act)
    {
        try
        {
            act(connection, now);
        }
        catch (SocketException exception)
        {
            connection.Break(exception, now);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Contain(connection, exception, now);
        }
    }

    // The blast radius is the session. It is told loudly and begins anew, and the others, which announce the same addresses, go on.
    private void Contain(PeerConnection connection, Exception exception, TimeSpan now)
    {
        connection.Abandon();
        var (times, pause) = _roster.Replace(connection, now);
        SessionBroken(_logger, exception, connection.Neighbor, times, pause.TotalSeconds);
    }

    // Waits so long for the sockets and serves those that are ready; at: the time that it is done by, null: that of the end of the wait.
    private void Look(TimeSpan? patience, TimeSpan? at)
    {
        var before = Now();
        _seats.Wait(patience);
        var after = Now();
        var now = at ?? after;
        KeepInBudget(_budget.Waited(before, after));
        for (var place = 0; place < _seats.Count; place++)
        {
            if (_seats.TryGet(place, out var connection, out var socket, out var ready))
            {
                Serve(connection, socket, ready, now);
            }
        }
    }

    private void KeepInBudget(UrgencyBudget.Verdict verdict)
    {
        if (!IsUrgent || verdict == UrgencyBudget.Verdict.AsBefore)
        {
            return;
        }

        if (verdict == UrgencyBudget.Verdict.Renewed)
        {
            var priority = ThreadUrgency.Raise();
            Runs(_logger, priority);
            return;
        }

        ThreadUrgency.Lower();
        TooBusy(_logger, UrgencyBudget.Longest);
    }

    private void Serve(PeerConnection connection, PeerSocket socket, SocketReadiness ready, TimeSpan now)
    {
        try
        {
            // Read first: behind a write that fails, the NOTIFICATION that says why would be lost with the socket.
            if (ready.CanRead)
            {
                connection.OnReadable(socket, now);
            }

            if (ready.CanWrite)
            {
                connection.OnWritable(socket, now);
            }
        }
        catch (SocketException exception)
        {
            connection.Break(exception, now);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Contain(connection, exception, now);
        }
    }

    private TimeSpan? NextDeadline()
    {
        // On the way to the end no connection takes the place of another.
        var next = Volatile.Read(ref _stopText) is null ? _roster.NextDeadline : null;
        foreach (var connection in _connections)
        {
            if (connection.NextDeadline is { } deadline && (next is null || deadline < next))
            {
                next = deadline;
            }
        }

        return next;
    }

    // Until the next deadline; null: until something happens.
    private TimeSpan? Patience()
    {
        var left = NextDeadline() - Now();
        if (_news.Count > 0 && (left is null || left > _newsRetry))
        {
            return _newsRetry;
        }

        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    private bool TakeAdvertisements(TimeSpan now)
    {
        if (Interlocked.Exchange(ref _wanted, null) is not { } wanted)
        {
            return false;
        }

        _advertised = wanted;
        foreach (var connection in _connections)
        {
            Guarded(connection, now, (connection, now) => connection.SetAdvertisements(wanted.Version, wanted.Advertisements, now));
        }

        return true;
    }

    // In order; what the node has no room for now waits here. It grows no faster than sessions can change, a few entries a second.
    private void PostNews()
    {
        while (_news.TryPeek(out var occurred) && _tryPost(occurred))
        {
            _news.Dequeue();
        }
    }

    private sealed record PeerList(ImmutableArray<PeerOptions> Peers);

    private sealed record Wanted(long Version, ImmutableArray<Advertisement> Advertisements);

    private TimeSpan Now() => _time.GetElapsedTime(_origin);

    [LoggerMessage(EventId = 1, Level = LogLevel.Critical, Message = "The BGP speaker is broken; the agent ends")]
    private static partial void Broken(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "The session with {Neighbor} broke on an internal error, the {Times}. time since the start; the other sessions are not touched, it begins anew in {Pause:0} s. Please report this")]
    private static partial void SessionBroken(ILogger logger, Exception exception, NeighborEndpoint neighbor, int times, double pause);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "{Neighbor} has no session {After:0} s after it was restarted with its new options; {Waiting} others keep theirs with the old ones until it has one, or until they lose theirs. Are the new options right? If they are and it is gone, take it out of the neighbors")]
    private static partial void OthersWait(ILogger logger, NeighborEndpoint neighbor, double after, int waiting);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "The thread of the BGP sessions runs with {Priority}")]
    private static partial void Runs(ILogger logger, string priority);

    [LoggerMessage(EventId = 3, Level = LogLevel.Debug, Message = "The thread of the BGP sessions was busy for {Time} without a pause and runs as an ordinary one until that is over: is a neighbor sending without end?")]
    private static partial void TooBusy(ILogger logger, TimeSpan time);
}
