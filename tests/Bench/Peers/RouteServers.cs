using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Bench.Lab;

namespace FailoverHub.Bench.Peers;

/// <summary>The four route servers: the same for every subject, in the bench itself, so that an arrival is a time stamp and not a poll.</summary>
internal sealed class RouteServers : IDisposable
{
    // A second, for hold times from 3 up.
    private static readonly TimeSpan _keepalivePeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<IPAddress, Board> _boards = new();
    private readonly ConcurrentDictionary<PeerSession, bool> _sessions = new();
    private readonly List<Socket> _listeners = [];
    private readonly Timer _keepalives;

    public RouteServers()
    {
        for (var number = 1; number <= Board.Servers; number++)
        {
            Listen(number);
        }

        _keepalives = new Timer(_ => KeepAlive(), null, _keepalivePeriod, _keepalivePeriod);
    }

    /// <summary>Whoever dials from this address is this subject.</summary>
    public Board BoardOf(IPAddress subject, string name) => _boards.GetOrAdd(subject, _ => new Board(name));

    public void Dispose()
    {
        _keepalives.Dispose();
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }
    }

    private void Listen(int number)
    {
        var listener = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(Networks.RouteServer(number), 179));
        listener.Listen(64);
        _listeners.Add(listener);
        new Thread(() => Accept(listener, number)) { IsBackground = true, Name = $"server {number}" }.Start();
    }

    // Ends when the listener is disposed of.
    private void Accept(Socket listener, int number)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = listener.Accept();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }

            socket.NoDelay = true;
            if (!_boards.TryGetValue(((IPEndPoint)socket.RemoteEndPoint!).Address, out var board))
            {
                socket.Dispose();
                continue;
            }

            var session = new PeerSession(number, socket, board);
            board.Accepted(session);
            _sessions[session] = true;
            new Thread(() => Run(session)) { IsBackground = true, Name = $"session {number}" }.Start();
        }
    }

    private void Run(PeerSession session)
    {
        session.Run();
        _sessions.TryRemove(session, out _);
    }

    private void KeepAlive()
    {
        foreach (var session in _sessions.Keys)
        {
            session.KeepAlive();
        }
    }
}
