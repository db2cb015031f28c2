using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Bench.InProcess;

/// <summary>Neighbors that say what keeps a session up and no more, on loopback, all of them on one thread.</summary>
internal sealed class KeepaliveEcho : IDisposable
{
    private static readonly byte[] _keepalive = [.. Enumerable.Repeat((byte)0xff, 16), 0, 19, 4];

    // AS 65000, hold time 3 s, no capabilities.
    private static readonly byte[] _open = [.. Enumerable.Repeat((byte)0xff, 16), 0, 29, 1, 4, 0xfd, 0xe8, 0, 3, 192, 0, 2, 1, 0];

    private readonly List<Socket> _listeners = [];
    private readonly List<Socket> _connections = [];
    private readonly Thread _thread;
    private volatile bool _over;

    public KeepaliveEcho(int count)
    {
        for (var index = 0; index < count; index++)
        {
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            _listeners.Add(listener);
        }

        Endpoints = [.. _listeners.Select(listener => new NeighborEndpoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port))];
        _thread = new Thread(Run) { Name = "neighbors" };
        _thread.Start();
    }

    public IReadOnlyList<NeighborEndpoint> Endpoints { get; }

    public int Accepted { get; private set; }

    public void Dispose()
    {
        _over = true;
        _thread.Join();
    }

    private void Run()
    {
        var buffer = new byte[4096];
        var next = Environment.TickCount64;
        while (!_over)
        {
            List<Socket> ready = [.. _listeners, .. _connections];
            Socket.Select(ready, null, null, 100_000);
            foreach (var socket in ready)
            {
                if (_listeners.Contains(socket))
                {
                    var accepted = socket.Accept();
                    Accepted++;
                    accepted.Send([.. _open, .. _keepalive]);
                    _connections.Add(accepted);
                }
                else if (socket.Receive(buffer, SocketFlags.None, out _) == 0)
                {
                    socket.Dispose();
                    _connections.Remove(socket);
                }
            }

            if (Environment.TickCount64 >= next)
            {
                next = Environment.TickCount64 + 700;
                foreach (var socket in _connections)
                {
                    socket.Send(_keepalive, SocketFlags.None, out _);
                }
            }
        }

        foreach (var socket in _listeners.Concat(_connections))
        {
            socket.Dispose();
        }
    }
}
