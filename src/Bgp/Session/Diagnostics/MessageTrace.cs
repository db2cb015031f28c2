using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session.Diagnostics;

// The last messages of a session, both directions, over all its connections. A fixed ring of rows; of each message the body, as long as all bodies together
// stay within their bound: then the oldest rows keep only type, length and times. A run of keepalives takes one row for each direction, so that an idle
// session neither pushes out what happened before nor allocates.
internal sealed class MessageTrace
{
    public const int Rows = 200;

    // Of one message. All of it, but for messages of RFC 8654.
    public const int MostOfABody = 4096;

    // Of all together, for one neighbor. Beside it there are the rows, about 20 KiB.
    public const int MostOfAll = 256 * 1024;

    private const long None = -1;

    private readonly Row[] _rows = new Row[Rows];

    // Rows are numbered from the first ever written; row n is at n modulo the size of the ring.
    private long _next;
    private long _oldestBody;
    private int _bytes;

    // The open run of keepalives in each direction.
    private long _receivedRun = None;
    private long _sentRun = None;

    public int Connection { get; set; }

    public void Keepalive(MessageDirection direction, TimeSpan now)
    {
        ref var run = ref direction == MessageDirection.Received ? ref _receivedRun : ref _sentRun;
        if (run == None)
        {
            run = _next;
            Add(new Row { Direction = direction, Type = BgpMessageType.Keepalive, Length = WireWriter.HeaderLength, Connection = Connection, At = now }, []);
        }

        ref var row = ref _rows[run % Rows];
        row.Count++;
        row.LastAt = now;
    }

    public void Message(MessageDirection direction, BgpMessageType type, ReadOnlySpan<byte> body, UpdateContext context, TimeSpan now)
    {
        _receivedRun = _sentRun = None;
        Add(
            new Row
            {
                Direction = direction,
                Type = type,
                Length = WireWriter.HeaderLength + body.Length,
                Connection = Connection,
                At = now,
                LastAt = now,
                Count = 1,
                Context = context,
            },
            body);
    }

    // What came instead of one: the header that was refused stands as the body.
    public void NoMessage(ReadOnlySpan<byte> header, TimeSpan now)
    {
        _receivedRun = _sentRun = None;
        Add(new Row { Direction = MessageDirection.Received, Length = WireWriter.HeaderLength, Connection = Connection, At = now, LastAt = now, Count = 1 }, header);
    }

    // Oldest first.
    public ImmutableArray<TraceEntry> Read()
    {
        var first = Math.Max(0, _next - Rows);
        var entries = ImmutableArray.CreateBuilder<TraceEntry>((int)(_next - first));
        for (var number = first; number < _next; number++)
        {
            ref var row = ref _rows[number % Rows];
            entries.Add(new TraceEntry(row.Direction, row.Type, row.Length, row.Body, row.Context)
            {
                Connection = row.Connection,
                At = row.At,
                LastAt = row.LastAt,
                Count = row.Count,
            });
        }

        return entries.MoveToImmutable();
    }

    private void Add(Row row, ReadOnlySpan<byte> body)
    {
        Forget(ref _rows[_next % Rows]);
        _oldestBody = Math.Max(_oldestBody, _next - Rows + 1);
        row.Body = body[..Math.Min(body.Length, MostOfABody)].ToArray();
        _bytes += row.Body.Length;
        _rows[_next % Rows] = row;
        _next++;
        while (_bytes > MostOfAll)
        {
            Forget(ref _rows[_oldestBody++ % Rows]);
        }
    }

    private void Forget(ref Row row)
    {
        // Nothing is saved by forgetting that there is nothing.
        if (row.Body is { Length: > 0 } body)
        {
            _bytes -= body.Length;
            row.Body = null;
        }
    }

    private struct Row
    {
        public MessageDirection Direction { get; init; }

        public BgpMessageType Type { get; init; }

        public int Length { get; init; }

        public int Connection { get; init; }

        public UpdateContext Context { get; init; }

        public TimeSpan At { get; init; }

        public TimeSpan LastAt { get; set; }

        public long Count { get; set; }

        public byte[]? Body { get; set; }
    }
}
