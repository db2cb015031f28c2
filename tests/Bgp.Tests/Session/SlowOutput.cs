using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

// The output of one end where the kernels take only so much: what the other end does not read fills them, the rest waits here, and the session is told what a connection
// would tell it.
internal sealed class SlowOutput(SessionPair pair, SessionEnd from, int room)
{
    private readonly int _connection = from.Connection;
    private readonly Queue<byte> _waiting = new();
    private readonly Queue<byte[]> _unread = new();
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

        Pump();
        MostWaiting = Math.Max(MostWaiting, _waiting.Count);
    }

    // The other end may read again, or there is something new.
    public void Pump()
    {
        var moved = MoveToKernels();
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
        else if (_told && moved > 0)
        {
            _told = _waiting.Count > 0;
            Tell(_told ? SessionInput.OutputProgress.Some : SessionInput.OutputProgress.All);
        }
    }

    private int MoveToKernels()
    {
        var count = Math.Min(_waiting.Count, room - _inKernels);
        if (count == 0)
        {
            return 0;
        }

        var part = new byte[count];
        for (var i = 0; i < count; i++)
        {
            part[i] = _waiting.Dequeue();
        }

        _unread.Enqueue(part);
        _inKernels += count;
        return count;
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
