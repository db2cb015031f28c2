using System.Buffers.Binary;
using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session.Diagnostics;

// Writes down what a session does, for the operator. It decides nothing, and allocates nothing for a keepalive.
internal sealed class SessionRecorder
{
    private const int LengthOffset = 16;
    private const int TypeOffset = 18;
    private const int SubtypeOffset = 2;

    private readonly MessageTrace _trace = new();
    private MessageCounts _received;
    private MessageCounts _sent;
    private SessionFailure? _lastFailure;
    private NotificationRecord? _lastSent;
    private NotificationRecord? _lastReceived;
    private TimeSpan? _since;
    private string _reason = "";
    private int _failuresInARow;
    private int _timesEstablished;
    private int _flaps;
    private long _malformedUpdates;
    private UpdateProblem? _lastUpdateProblem;

    // Of the input that is being handled.
    public TimeSpan Now { get; set; }

    public void Connected() => _trace.Connection++;

    public void Received(BgpMessageType type, ReadOnlySpan<byte> body, UpdateContext context)
    {
        _received = _received.With(type, IsMark(type, body, context));
        Trace(MessageDirection.Received, type, body, context);
    }

    public void ReceivedNoMessage(ReadOnlySpan<byte> header) => _trace.NoMessage(header, Now);

    // Whole messages, one behind the other.
    public void Sent(ReadOnlySpan<byte> bytes, UpdateContext context)
    {
        while (!bytes.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[LengthOffset..]);
            var type = (BgpMessageType)bytes[TypeOffset];
            var body = bytes[WireWriter.HeaderLength..length];
            _sent = _sent.With(type, IsMark(type, body, context));
            Trace(MessageDirection.Sent, type, body, context);
            bytes = bytes[length..];
        }
    }

    public void NotificationSent(NotificationMessage notification) => _lastSent = Record(notification);

    public void NotificationReceived(NotificationMessage notification) => _lastReceived = Record(notification);

    public void MovedTo(SessionState from, SessionState to, string reason, bool asked)
    {
        _since = Now;
        _reason = reason;
        if (to == SessionState.Established)
        {
            _timesEstablished++;
            _failuresInARow = 0;
        }
        else if (from == SessionState.Established && !asked)
        {
            _flaps++;
        }
    }

    public void Failed(SessionError error)
    {
        _lastFailure = new SessionFailure(error, Now);
        _failuresInARow++;
    }

    public void MalformedUpdate(string problem)
    {
        _malformedUpdates++;
        _lastUpdateProblem = new UpdateProblem(Now, problem);
    }

    public ImmutableArray<TraceEntry> ReadTrace() => _trace.Read();

    // The rest is the session's own to add.
    public SessionDiagnostics Read(SessionState state) => new()
    {
        State = state,
        Since = _since,
        Reason = _reason,
        LastFailure = _lastFailure,
        FailuresInARow = _failuresInARow,
        TimesEstablished = _timesEstablished,
        Flaps = _flaps,
        LastNotificationSent = _lastSent,
        LastNotificationReceived = _lastReceived,
        Received = _received,
        Sent = _sent,
        MalformedUpdates = _malformedUpdates,
        LastUpdateProblem = _lastUpdateProblem,
    };

    private NotificationRecord Record(NotificationMessage notification) =>
        new(Now, notification.Code.Code, notification.Code.Subcode, NotificationWords.Of(notification));

    private void Trace(MessageDirection direction, BgpMessageType type, ReadOnlySpan<byte> body, UpdateContext context)
    {
        if (type == BgpMessageType.Keepalive)
        {
            _trace.Keepalive(direction, Now);
        }
        else
        {
            _trace.Message(direction, type, body, context, Now);
        }
    }

    // RFC 7313 3.2: a subtype other than 0, where that was agreed on.
    private static bool IsMark(BgpMessageType type, ReadOnlySpan<byte> body, UpdateContext context) =>
        context.EnhancedRouteRefresh && type == BgpMessageType.RouteRefresh && body.Length > SubtypeOffset && body[SubtypeOffset] != 0;
}
