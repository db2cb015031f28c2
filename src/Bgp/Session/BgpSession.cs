using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session.Diagnostics;
using FailoverHub.Bgp.Session.Timing;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session;

/// <summary>
/// One BGP session (RFC 4271 8), without sockets, tasks or a clock: inputs and time go in, effects come out. Has one owner and is not thread-safe.
/// It comes up again by itself after every failure until <see cref="SessionInput.Stop"/>. One connection at a time: the owner gives
/// <see cref="SessionInput.Disconnected"/> for the one it had before it gives another <see cref="SessionInput.Connected"/>.
/// </summary>
/// <remarks>
/// <code>
///             Start                Connected            OPEN                KEEPALIVE
///   Idle ------------> Connect ------------> OpenSent ------> OpenConfirm ------------> Established
///    ^                  |   ^                                                                |
///    |      ConnectFailed   | wait is over                                                   |
///    |                  v   |                                                                |
///    |                 Active                 any error, from any state                      |
///    +---------------------------------------------------------------------------------------+
///      wait is over: Connect (a passive session: Active at once, and from there by Connected to OpenSent)
/// </code>
/// </remarks>
public sealed partial class BgpSession
{
    // RFC 4271 8.2.2 suggests 4 minutes for a neighbor that has not told its hold time yet.
    private static readonly TimeSpan LargeHoldTime = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan LeastKeepaliveInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LeastSendHoldMargin = TimeSpan.FromSeconds(1);

    private static readonly SessionEffect SendKeepaliveEffect = new SessionEffect.Send(MessageCodec.Keepalive, BgpMessageType.Keepalive);

    private readonly List<SessionEffect> _effects = [];
    private readonly MessageFramer _framer = new();
    private readonly SessionTimers _timers = new();
    private readonly ReconnectBackoff _backoff;
    private readonly AdjRibOut _ribOut = new();
    private readonly RefreshRequests _refreshes = new();
    private readonly SessionRecorder _recorder = new();

    // False for one attempt after the neighbor refused the parameter (RFC 5492 3).
    private bool _offerCapabilities = true;

    // Of the connection that is open, if any.
    private IPAddress? _local;
    private OpenMessage? _ourOpen;
    private NegotiatedParameters? _negotiated;
    private UpdateContext _wire;
    private TimeSpan _establishedAt;
    private TimeSpan? _outputBlockedSince;
    private bool _owesRoutes;
    private bool _owesEndOfRib;

    // When nothing waited, before what waits now was written.
    private int _announcedBefore;

    /// <summary>Makes a session in <see cref="SessionState.Idle"/>.</summary>
    /// <param name="options">What it is to be.</param>
    /// <param name="random">For the jitter of its timers (RFC 4271 10).</param>
    public BgpSession(SessionOptions options, Random random)
    {
        Options = options;
        _backoff = new ReconnectBackoff(options.ConnectRetry, random);
    }

    /// <summary>What it was made with.</summary>
    public SessionOptions Options { get; }

    /// <summary>Where it stands, for display. The owner of the connection does not decide by it.</summary>
    public SessionState State { get; private set; }

    /// <summary>When it next wants <see cref="SessionInput.Tick"/>, on the clock of <c>now</c>; null: never.</summary>
    public TimeSpan? NextDeadline => _timers.Next;

    /// <summary>
    /// From when on a <see cref="SessionInput.Tick"/> sends the next KEEPALIVE early: an owner that is awake for something else anyway saves the wake-up of its own
    /// that <see cref="NextDeadline"/> would ask for. Null: there is none to send.
    /// </summary>
    public TimeSpan? KeepaliveFrom => _timers.KeepaliveFrom;

    /// <summary>
    /// What an operator asks about the session, as it is now. Made at each reading; call it where the session's owner calls <see cref="Handle"/>. What it gives is
    /// immutable and may be read anywhere.
    /// </summary>
    public SessionDiagnostics Diagnostics => _recorder.Read(State) with
    {
        EstablishedAt = State == SessionState.Established ? _establishedAt : null,
        NextDialAt = State is SessionState.Idle or SessionState.Active ? _timers.Retry : null,
        Negotiated = _negotiated,
        Announced = _outputBlockedSince is null ? _ribOut.Count : _announcedBefore,
        OutputBlockedSince = _outputBlockedSince,
    };

    /// <summary>
    /// The last 200 messages in both directions, oldest first, over all connections of the session; a run of keepalives is one row for each direction. Call it
    /// where the session's owner calls <see cref="Handle"/>: it is not thread-safe. It only copies the rows; the rows may be read anywhere, and the text of each is
    /// found when it is asked for. A session keeps at most 256 KiB of messages, and 4096 octets of one.
    /// </summary>
    public ImmutableArray<TraceEntry> ReadTrace() => _recorder.ReadTrace();

    /// <summary>Takes one input. Inputs that no longer fit (bytes of a connection that was closed, a dial that was given up) change nothing.</summary>
    /// <param name="input">What happened.</param>
    /// <param name="now">Monotonic time since any fixed origin; never goes back.</param>
    /// <returns>What to do, in order. Valid until the next call: the list is used again.</returns>
    /// <exception cref="ArgumentException">An advertisement has more than 255 communities or more than 128 large ones.</exception>
    public IReadOnlyList<SessionEffect> Handle(SessionInput input, TimeSpan now)
    {
        _effects.Clear();
        _recorder.Now = now;
        if (_outputBlockedSince is null && input is not SessionInput.OutputBlocked)
        {
            // What was written before this input was taken, or the owner would have said otherwise.
            _announcedBefore = _ribOut.Count;
        }

        switch (input)
        {
            case SessionInput.Received received:
                OnReceived(received.Bytes.Span, now);
                break;
            case SessionInput.Tick:
                OnTick(now);
                break;
            case SessionInput.SetAdvertisements set:
                OnSetAdvertisements(set, now);
                break;
            case SessionInput.Start:
                OnStart(now);
                break;
            case SessionInput.Stop stop:
                OnStop(stop);
                break;
            case SessionInput.Reset reset:
                OnReset(reset, now);
                break;
            case SessionInput.Connected connected:
                OnConnected(connected.Local, now);
                break;
            case SessionInput.ConnectFailed failed:
                OnConnectFailed(failed, now);
                break;
            case SessionInput.Disconnected disconnected:
                OnDisconnected(disconnected, now);
                break;
            case SessionInput.OutputBlocked:
                OnOutputBlocked(now);
                break;
            case SessionInput.OutputProgress progress:
                OnOutputProgress(progress.Drained, now);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(input), input, "The family of inputs is closed.");
        }

        return _effects;
    }

    private bool HasConnection => State >= SessionState.OpenSent;

    private void OnStart(TimeSpan now)
    {
        if (State != SessionState.Idle)
        {
            return;
        }

        // Also "try again now" while a wait is running.
        _backoff.Reset();
        Begin(now, "started");
    }

    // From Idle or Active to where a connection can come from.
    private void Begin(TimeSpan now, string reason)
    {
        _timers.StopAll();
        if (Options.Passive)
        {
            MoveTo(SessionState.Active, reason + "; waits to be dialled");
            return;
        }

        _effects.Add(new SessionEffect.Dial());
        _timers.Retry = now + _backoff.Jittered(Options.ConnectRetry);
        MoveTo(SessionState.Connect, reason + "; dials");
    }

    private void OnStop(SessionInput.Stop stop)
    {
        var text = stop.Text;
        _offerCapabilities = true;
        switch (State)
        {
            case SessionState.Idle:
                if (_timers.Retry is not null)
                {
                    // The state is the same and what it means is not: it no longer waits to try again.
                    _timers.StopAll();
                    _recorder.MovedTo(SessionState.Idle, SessionState.Idle, "stopped: " + text, asked: true);
                }

                return;
            case SessionState.Connect:
                _effects.Add(new SessionEffect.AbandonDial());
                break;
            case SessionState.Active:
                break;
            default:
                // First the routes, so that the neighbor moves on even if it keeps routes of a session that ended (graceful restart), then the goodbye.
                Send(_ribOut.WriteWithdrawAll(), BgpMessageType.Update);
                Send(Goodbye(stop));
                _effects.Add(new SessionEffect.Close());
                break;
        }

        ForgetConnection();
        MoveTo(SessionState.Idle, "stopped: " + text, asked: true);
    }

    // Unlike a stop it comes back by itself, and unlike a refusal by the neighbor soon.
    private void OnReset(SessionInput.Reset reset, TimeSpan now)
    {
        if (!HasConnection)
        {
            return;
        }

        var notification = new NotificationMessage(NotificationCode.AdministrativeReset, ShutdownText.Write(reset.Text));
        Send(_negotiated is { GracefulNotification: true } ? notification.AsHardReset() : notification);
        _effects.Add(new SessionEffect.Close());
        EndSession(new SessionError("reset by an operator: " + reset.Text, FromPeer: false, 0, 0), now);
    }

    // Where the neighbor would otherwise take the end for a graceful restart, it is told that it is none (RFC 8538 3.1 and 5.1).
    private NotificationMessage Goodbye(SessionInput.Stop stop)
    {
        var shutdown = stop.Reason switch
        {
            StopReason.PeerDeconfigured => new NotificationMessage(NotificationCode.PeerDeconfigured, default),
            StopReason.ConfigurationChange => new NotificationMessage(NotificationCode.OtherConfigurationChange, default),
            _ => new NotificationMessage(NotificationCode.AdministrativeShutdown, ShutdownText.Write(stop.Text)),
        };
        return _negotiated is { GracefulNotification: true } ? shutdown.AsHardReset() : shutdown;
    }

    private void OnConnected(IPAddress local, TimeSpan now)
    {
        if (HasConnection)
        {
            return;
        }

        if (State != (Options.Passive ? SessionState.Active : SessionState.Connect))
        {
            // Stopped or given up in the meantime.
            _effects.Add(new SessionEffect.Close());
            return;
        }

        _local = local;
        _framer.Reset();
        _wire = default;
        _recorder.Connected();
        _timers.StopAll();
        _timers.Hold = now + LargeHoldTime;
        _ourOpen = OpenNegotiation.OurOpen(Options, _offerCapabilities);
        _offerCapabilities = true;
        Send(MessageCodec.Write(_ourOpen), BgpMessageType.Open);
        MoveTo(SessionState.OpenSent, "connected");
    }

    private void OnConnectFailed(SessionInput.ConnectFailed failed, TimeSpan now)
    {
        if (State != SessionState.Connect)
        {
            return;
        }

        var error = new SessionError(failed.Reason, FromPeer: false, 0, 0);
        if (failed.Unanswered)
        {
            Report(error);
            DialAgain(now);
        }
        else
        {
            WaitInActive(error, now);
        }
    }

    // RFC 4271 8.2.2, Connect, ConnectRetryTimer_Expires: a new attempt at once, the wait was long enough.
    private void DialAgain(TimeSpan now)
    {
        _effects.Add(new SessionEffect.Dial());
        _timers.Retry = now + _backoff.Jittered(Options.ConnectRetry);
    }

    private void OnDisconnected(SessionInput.Disconnected disconnected, TimeSpan now)
    {
        if (!HasConnection)
        {
            return;
        }

        var error = new SessionError(disconnected.Reason, disconnected.ByNeighbor, 0, 0);
        if (State == SessionState.OpenSent)
        {
            // RFC 4271 8.2.2, OpenSent, TcpConnectionFails: not Idle but Active. This is what route servers do that do not know us (yet).
            WaitInActive(disconnected.ByNeighbor ? error with { Advice = NotificationWords.ClosedWithoutAWord } : error, now);
        }
        else
        {
            EndSession(error, now);
        }
    }

    private void WaitInActive(SessionError error, TimeSpan now)
    {
        ForgetConnection();
        Report(error);
        if (!Options.Passive)
        {
            _timers.Retry = now + _backoff.Next();
        }

        MoveTo(SessionState.Active, error.Text);
    }

    // We end the session and say why.
    private void Fail(SessionFaultException fault, TimeSpan now)
    {
        Send(fault.ToNotification());
        _effects.Add(new SessionEffect.Close());
        var error = new SessionError($"{fault.Message} ({fault.Code})", FromPeer: false, fault.Code.Code, fault.Code.Subcode)
        {
            Advice = NotificationWords.Advice(fault.Code, fromPeer: false),
        };
        EndSession(error, now);
    }

    // The connection is gone or on its way out; the next attempt is planned.
    private void EndSession(SessionError error, TimeSpan now)
    {
        if (State == SessionState.Established && now - _establishedAt >= ReconnectBackoff.StableAfter)
        {
            _backoff.Reset();
        }

        ForgetConnection();
        Report(error);
        MoveTo(SessionState.Idle, error.Text);
        if (Options.Passive)
        {
            Begin(now, error.Text);
        }
        else
        {
            _timers.Retry = now + (IsRefusal(error) ? _backoff.NextAfterRefusal() : _backoff.Next());
        }
    }

    // A NOTIFICATION about what was said, and not about silence: a timer that ran out (4, 8) speaks of the path or of load, and that may be over at any moment.
    private static bool IsRefusal(SessionError error) => error.Code is not 0 and not 4 and not 8;

    private void ForgetConnection()
    {
        _timers.StopAll();
        _refreshes.Forget();
        _ribOut.Close();
        _local = null;
        _ourOpen = null;
        _negotiated = null;
        _outputBlockedSince = null;
        _owesRoutes = _owesEndOfRib = false;
    }

    private void Report(SessionError error)
    {
        _recorder.Failed(error);
        _effects.Add(new SessionEffect.Failed(error));
    }

    private void MoveTo(SessionState state, string reason, bool asked = false)
    {
        if (State != state)
        {
            var from = State;
            State = state;
            _recorder.MovedTo(from, state, reason, asked);
            _effects.Add(new SessionEffect.StateChanged(from, state, reason) { Asked = asked });
        }
    }
}
