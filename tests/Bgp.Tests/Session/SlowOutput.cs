using System.Buffers.Binary;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

// The output of one end where the kernels take only so much: what the other end does not read fills them, the rest waits here, and the session is told what a connection
// would tell it.
internal sealed class SlowOutput(SessionPair pair, SessionEnd from, int room)
{
    private readonly int _connection = from.Connection;
    private readonly Queue<byte> _waiting = new();
    private readonly Queue<byte[]> _unread = new();

    // Of the messages that wait or have begun to go: their lengths, and how much of the first has gone.
    private readonly Queue<int> _messages = new();
    private int _gone;
    private int _inKernels;
    private bool _told;

    // The most octets that ever waited.
    public int MostWaiting { get; private set; }

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        foreach (var octet in bytes.ToArray())
        {
            _waiting.Enqueue(octet);
        }

        while (!bytes.IsEmpty)
        {
            _messages.Enqueue(BinaryPrimitives.ReadUInt16BigEndian(bytes.Span[16..]));
            bytes = bytes[_messages.Last()..];
        }

        Pump();
        MostWaiting = Math.Max(MostWaiting, _waiting.Count);
    }

    // The other end may read again, or there is something new.
    public void Pump()
    {
        var whole = MoveToKernels();
        while (!from.Other.IsDeaf && _unread.TryDequeue(out var part))
        {
            pair.Carry(from, part, () =>
            {
                _inKernels -= part.Length;
                Pump();
            });
        }

        if (!_told && _waiting.Count > 0)
        {
            _told = true;
            Tell(SessionInput.OutputBlocked.Instance);
        }
        else if (_told && whole)
        {
            _told = _waiting.Count > 0;
            Tell(_told ? SessionInput.OutputProgress.Some : SessionInput.OutputProgress.All);
        }
    }

    // True: the end of a message has gone.
    private bool MoveToKernels()
    {
        var count = Math.Min(_waiting.Count, room - _inKernels);
        if (count == 0)
        {
            return false;
        }

        var part = new byte[count];
        for (var i = 0; i < count; i++)
        {
            part[i] = _waiting.Dequeue();
        }

        _unread.Enqueue(part);
        _inKernels += count;
        var before = _messages.Count;
        for (_gone += count; _messages.TryPeek(out var length) && length <= _gone; _gone -= length)
        {
            _messages.Dequeue();
        }

        return _messages.Count < before;
    }

    // Not in the middle of the session's effects.
    private void Tell(SessionInput input) => pair.Soon(() =>
    {
        if (from.Connection == _connection)
        {
            from.Give(input);
        }
    });
}
