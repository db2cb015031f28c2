using System.Collections.Immutable;
using System.Net.Sockets;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker.Metering;
using FailoverHub.Agent.Speaker.Sockets;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// Carries what the session of one neighbor wants out to a socket, and what the socket says back in. It never asks where the session
/// stands. Belongs to the speaker's thread; <see cref="Metrics"/> may be read from anywhere.
/// </summary>
/// <param name="options">Its neighbor.</param>
/// <param name="session">Its session, owned from now on.</param>
/// <param name="clock">The clock of the session: for what takes time between an input's <c>now</c> and the socket.</param>
/// <param name="post">Takes news for the node; returns at once.</param>
internal sealed class PeerConnection(PeerOptions options, BgpSession session, Func<TimeSpan> clock, Action<NodeEvent> post) : IDisposable
{
    private const string Abandoned = "an internal error of this agent; the session begins anew";

    // One read must be able to end any message: after a stall it is what decides whether the neighbor was heard. Below what goes to the large object heap.
    private readonly byte[] _input = new byte[options.Session.ExtendedMessages ? 68 * 1024 : 16 * 1024];
    private readonly Queue<SessionInput> _inputs = new();
    private readonly OutputWatch _output = new();
    private readonly PeerMeter _meter = new();
    private readonly MalformedUpdates _malformed = new();
    private readonly PeerDial _dial = new(options);
    private PeerSocket? _socket;
    private readonly ClosingSocket _closing = new();
    private long _version;
    private bool _isAbandoned;

    public Configuration.NeighborEndpoint Neighbor => options.Neighbor;

    public PeerMetrics Metrics => _meter.Metrics;

    public PeerOptions Options => options;

    public bool IsEstablished => !_isAbandoned && session.State == SessionState.Established;

    /// <summary>No socket is left.</summary>
    public bool IsQuiet => _socket is null && _closing.Socket is null;

    /// <summary>When <see cref="Tick"/> is wanted; null: not at all.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            if (_isAbandoned)
            {
                return null;
            }

            var next = session.NextDeadline;
            next = _dial.NextDeadline is { } dial ? Earlier(next, dial) : next;
            return _closing.Deadline is { } close ? Earlier(next, close) : next;
        }
    }

    public void Start(TimeSpan now) => Give(new SessionInput.Start(), now);
    public void Reset(string text, TimeSpan now) => Give(new SessionInput.Reset(text), now);

    public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements, TimeSpan now)
    {
        _version = version;
        Give(new SessionInput.SetAdvertisements(advertisements), now);
    }

    public void Stop(string text, TimeSpan now, StopReason reason = StopReason.Shutdown) => Give(new SessionInput.Stop(text) { Reason = reason }, now);

    public void Tick(TimeSpan now)
    {
        _closing.Tick(now);
        if (_dial.IsOver(now))
        {
            var problem = _dial.Silence;
            DropSocket();
            Give(new SessionInput.ConnectFailed(problem) { Unanswered = true }, now);
        }
        else if (_dial.IsDue(now))
        {
            DialAgain(now);
        }

        if (session.NextDeadline is { } due && now >= due)
        {
            Give(new SessionInput.Tick(), now, due);
        }
    }

    /// <summary>The thread is awake for somebody: a keepalive that may go out by now goes, and needs no wake-up of its own.</summary>
    public void TakeOccasion(TimeSpan now)
    {
        if (session.KeepaliveFrom <= now)
        {
            // It is wanted now: late is only what the writing itself takes.
            Give(new SessionInput.Tick(), now, due: now);
        }
    }

    /// <summary>How it stands.</summary>
    /// <param name="now">On the clock of the sessions.</param>
    /// <param name="readAt">The same moment by the wall clock.</param>
    public PeerDiagnostics Read(TimeSpan now, DateTimeOffset readAt) => new()
    {
        Neighbor = Neighbor,
        ReadAt = readAt,
        Now = now,
        Session = _isAbandoned ? session.Diagnostics with { State = SessionState.Idle, EstablishedAt = null, Negotiated = null, Reason = Abandoned } : session.Diagnostics,
        Trace = session.ReadTrace(),
        Metrics = Metrics,
        KeepaliveLateness = _meter.KeepaliveLateness,
    };

    /// <summary>Its sockets: that of the session, and the last one while it closes.</summary>
    public (PeerSocket? Session, PeerSocket? Closing) Sockets => (_socket, _closing.Socket);

    public void OnWritable(PeerSocket socket, TimeSpan now)
    {
        if (socket == _closing.Socket)
        {
            _closing.Continue(socket.Flush());
        }
        else if (socket == _socket)
        {
            if (_socket.IsDialing)
            {
                FinishDial(_socket, now);
            }
            else if (_socket.Flush() is { } problem)
            {
                Lose(problem, now);
            }
            else
            {
                AfterWriting();
                ReportOutput(now);
            }
        }
    }

    public void OnReadable(PeerSocket socket, TimeSpan now)
    {
        if (socket == _closing.Socket)
        {
            // Whatever still comes is past its time.
            _closing.Continue(socket.Receive(_input).Problem);
            return;
        }

        if (socket != _socket)
        {
            return;
        }

        var (count, problem) = _socket.Receive(_input);
        if (problem is not null)
        {
            Lose(problem, now);
        }
        else if (count > 0)
        {
            _meter.Received(_input.AsSpan(0, count));
            Give(new SessionInput.Received(_input.AsMemory(0, count)), now);
        }
    }

    /// <summary>The kernel refused something that it never should: this connection is lost, and no other.</summary>
    public void Break(SocketException exception, TimeSpan now)
    {
        // It came in the middle of an input; whatever stood behind that belonged to the same connection.
        _inputs.Clear();
        DropSocket();
        var problem = PeerSocket.Words(exception.SocketErrorCode, options);
        Give(new SessionInput.ConnectFailed(problem), now);
        Give(new SessionInput.Disconnected(problem, ByNeighbor: false), now);
    }

    /// <summary>
    /// A bug in the middle of an input: nobody knows where the session stands, so it is not asked again. The neighbor sees the connection end. Another one has to be
    /// made in its place.
    /// </summary>
    public void Abandon()
    {
        _isAbandoned = true;
        _inputs.Clear();
        Dispose();
        post(new NodeEvent.SessionFailed(Neighbor, new SessionError(Abandoned, FromPeer: false, 0, 0)));
        post(new NodeEvent.SessionChanged(Neighbor, SessionState.Idle, Abandoned));
    }

    public void Dispose()
    {
        DropSocket();
        _closing.Dispose();
    }

    // The session's list of effects is its own until the next call, and an effect may lead to an input: so inputs queue.
    private void Give(SessionInput input, TimeSpan now, TimeSpan? due = null)
    {
        if (_isAbandoned)
        {
            return;
        }

        _inputs.Enqueue(input);
        if (_inputs.Count > 1)
        {
            return;
        }

        while (_inputs.TryPeek(out var next))
        {
            foreach (var effect in session.Handle(next, now))
            {
                CarryOut(effect, now, due);
            }

            due = null;
            _inputs.Dequeue();
        }
    }

    private void CarryOut(SessionEffect effect, TimeSpan now, TimeSpan? due)
    {
        switch (effect)
        {
            case SessionEffect.Dial:
                Dial(now);
                break;
            case SessionEffect.AbandonDial:
                DropSocket();
                break;
            case SessionEffect.Send send:
                Send(send, now, due);
                break;
            case SessionEffect.Close:
                CloseAfterOutput(now);
                break;
            case SessionEffect.StateChanged changed:
                post(new NodeEvent.SessionChanged(Neighbor, changed.To, changed.Reason) { Asked = changed.Asked });
                break;
            case SessionEffect.Established established:
                post(new NodeEvent.SessionEstablished(Neighbor, established.Parameters));
                break;
            case SessionEffect.Failed failed:
                post(new NodeEvent.SessionFailed(Neighbor, failed.Error));
                break;
            case SessionEffect.AdvertisementsSent sent:
                Mark(sent.Skipped);
                break;
            case SessionEffect.RoutesReceived received:
                // Nothing is imported: the platform's route servers have nothing to tell an end host. What was wrong with it is of interest (RFC 7606 8).
                if (_malformed.Report(received.Update, now) is { } problem)
                {
                    post(new NodeEvent.UpdateMalformed(Neighbor, problem));
                }

                break;
            default:
                throw new InvalidOperationException($"Nobody carries out {effect.GetType().Name}.");
        }
    }

    private void Dial(TimeSpan now)
    {
        DropSocket();
        _dial.Begin(now);
        if (OpenSocket(now) is { } refusal)
        {
            _inputs.Enqueue(new SessionInput.ConnectFailed(refusal));
        }
    }

    private void DialAgain(TimeSpan now)
    {
        _socket?.Dispose();
        _socket = null;
        if (OpenSocket(now) is { } refusal)
        {
            Give(new SessionInput.ConnectFailed(refusal), now);
        }
    }

    // Null: under way, or there is no path just now. Else why it is no use to go on.
    private string? OpenSocket(TimeSpan now)
    {
        (_socket, var refusal) = _dial.Open(now);
        if (refusal is not null)
        {
            DropSocket();
        }

        return refusal;
    }

    private void FinishDial(PeerSocket socket, TimeSpan now)
    {
        if (socket.FinishDial(options) is { } problem)
        {
            _socket = null;
            if (_dial.Judge(problem, now) is { } refusal)
            {
                DropSocket();
                Give(new SessionInput.ConnectFailed(refusal), now);
            }

            return;
        }

        _dial.Connected(now);
        _meter.StartOver();
        _output.StartOver();
        var (local, remote) = socket.Addresses(options);
        Give(new SessionInput.Connected(local, remote), now);
    }

    private void Send(SessionEffect.Send send, TimeSpan now, TimeSpan? due)
    {
        if (_socket is null)
        {
            return;
        }

        var problem = _socket.Send(send.Bytes, options.OutputLimit);
        if (send.Type == BgpMessageType.Keepalive && due is { } wanted && problem is null)
        {
            _meter.KeepaliveWas(clock() - wanted);
        }

        // Last: whoever sees that a KEEPALIVE was sent sees how late it was.
        _meter.Sent(send.Bytes.Span);
        if (problem is not null)
        {
            // Not in the middle of the session's effects: it hears of it next, after the neighbor's last words, which say why.
            var byNeighbor = _socket.IsEndedByNeighbor;
            if (_socket.Receive(_input) is { Count: > 0 } last)
            {
                _meter.Received(_input.AsSpan(0, last.Count));
                _inputs.Enqueue(new SessionInput.Received(_input.AsMemory(0, last.Count)));
            }

            DropSocket();
            _inputs.Enqueue(new SessionInput.Disconnected(problem, byNeighbor));
        }
        else
        {
            ReportOutput(now);
        }
    }

    private void Mark(ImmutableArray<SkippedPrefix> skipped)
    {
        if (_socket is not null)
        {
            _output.Mark(_socket, _version, skipped);
            AfterWriting();
        }
    }

    private void ReportOutput(TimeSpan now)
    {
        if (_output.Look(_socket!) is { } news)
        {
            Give(news, now);
        }
    }

    private void AfterWriting()
    {
        while (_output.TryTake(_socket!, out var version, out var skipped))
        {
            post(new NodeEvent.AdvertisementsWritten(Neighbor, version) { Skipped = skipped });
        }
    }

    private void Lose(string problem, TimeSpan now)
    {
        var byNeighbor = _socket!.IsEndedByNeighbor;
        DropSocket();
        Give(new SessionInput.Disconnected(problem, byNeighbor), now);
    }

    private void CloseAfterOutput(TimeSpan now)
    {
        if (_socket is null)
        {
            return;
        }

        var socket = _socket;
        _socket = null;
        _output.Forget();
        _closing.Begin(socket, now + options.Linger);
    }

    private void DropSocket()
    {
        _dial.End();
        _output.Forget();
        _socket?.Dispose();
        _socket = null;
    }

    private static TimeSpan Earlier(TimeSpan? left, TimeSpan right) => left is { } other && other < right ? other : right;
}
