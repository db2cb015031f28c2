namespace FailoverHub.Agent.Speaker.Sockets;

/// <summary>The last socket of a connection while its goodbye goes out, which it may do for so long and no longer. Belongs to the speaker's thread.</summary>
internal sealed class ClosingSocket : IDisposable
{
    private TimeSpan _deadline;

    /// <summary>Null: none closes.</summary>
    public PeerSocket? Socket { get; private set; }

    /// <summary>When <see cref="Tick"/> is wanted; null: not at all.</summary>
    public TimeSpan? Deadline => Socket is null ? null : _deadline;

    /// <summary>This one closes from now on, at the latest at the deadline; one that did before is given up.</summary>
    public void Begin(PeerSocket socket, TimeSpan deadline)
    {
        Socket?.Dispose();
        (Socket, _deadline) = (socket, deadline);
        socket.CloseAfterOutput();
        Continue(null);
    }

    /// <summary>Something came of it; a problem ends it.</summary>
    public void Continue(string? problem)
    {
        if (problem is not null || Socket!.IsClosed)
        {
            Dispose();
        }
    }

    public void Tick(TimeSpan now)
    {
        if (now >= _deadline)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        Socket?.Dispose();
        Socket = null;
    }
}
