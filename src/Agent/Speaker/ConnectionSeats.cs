using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using FailoverHub.Agent.Speaker.Sockets;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// Where the sockets of all connections are waited for together: the bell first, then two places for each connection, its session's socket and the one that
/// still closes. Made anew when there are other connections. Belongs to the speaker's thread.
/// </summary>
internal sealed class ConnectionSeats
{
    private readonly ImmutableArray<PeerConnection> _connections;
    private readonly PeerSocket?[] _registered;
    private readonly SocketPoll _poll;

    /// <param name="connections">All there are.</param>
    /// <param name="bell">Owned by whoever made it.</param>
    public ConnectionSeats(ImmutableArray<PeerConnection> connections, WakeUp bell)
    {
        _connections = connections;
        _registered = new PeerSocket?[(2 * connections.Length) + 1];
        _poll = new SocketPoll(_registered.Length);
        _poll.Set(0, bell.Socket, read: true, write: false);
    }

    /// <summary>After a <see cref="Wait"/>.</summary>
    public bool BellRings => _poll.CanRead(0);

    /// <summary>Waits so long for the sockets as they are now; null: until something happens.</summary>
    public void Wait(TimeSpan? patience)
    {
        for (var index = 0; index < _connections.Length; index++)
        {
            var (session, closing) = _connections[index].Sockets;
            Register((2 * index) + 1, session);
            Register((2 * index) + 2, closing);
        }

        _poll.Wait(patience);
    }

    /// <summary>How many sockets there may be.</summary>
    public int Count => _registered.Length - 1;

    /// <summary>After a <see cref="Wait"/>: the socket of one place as it was waited for, and what can be done with it; false: there was none.</summary>
    /// <remarks>What one socket leads to may close another; its connection then knows it no more.</remarks>
    public bool TryGet(int place, [NotNullWhen(true)] out PeerConnection? connection, [NotNullWhen(true)] out PeerSocket? socket, out SocketReadiness ready)
    {
        socket = _registered[place + 1];
        connection = socket is null ? null : _connections[place / 2];
        ready = new SocketReadiness(_poll.CanRead(place + 1), _poll.CanWrite(place + 1));
        return connection is not null && socket is not null;
    }

    private void Register(int slot, PeerSocket? socket)
    {
        _registered[slot] = socket;
        if (socket is null || socket.IsClosed)
        {
            _poll.Clear(slot);
        }
        else
        {
            _poll.Set(slot, socket.Socket, socket.WantsRead, socket.WantsWrite);
        }
    }
}

/// <summary>What can be done with a socket without blocking.</summary>
internal readonly record struct SocketReadiness(bool CanRead, bool CanWrite);
