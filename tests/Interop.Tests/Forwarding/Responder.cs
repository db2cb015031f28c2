using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>The service of a node at the shared addresses: it sends every datagram back with the node's letter before it. It does not end with the node's agent.</summary>
internal sealed class Responder : IDisposable
{
    private const int LookForTheEnd = 100_000; // microseconds

    private readonly Socket[] _sockets;
    private readonly Thread _thread;
    private readonly byte _letter;
    private volatile bool _stopping;

    private Responder(char letter, Socket[] sockets)
    {
        _letter = (byte)letter;
        _sockets = sockets;
        _thread = new Thread(Run) { IsBackground = true, Name = $"responder {letter}", Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    /// <summary>While it is set the service takes what comes and does not answer.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Starts it.</summary>
    /// <param name="node">a or b.</param>
    /// <param name="sockets">In the node's network, each bound to a shared address; the responder closes them.</param>
    public static Responder Start(string node, IEnumerable<Socket> sockets) => new(node[0], [.. sockets]);

    public void Dispose()
    {
        _stopping = true;
        _thread.Join();
    }

    private void Run()
    {
        Span<byte> datagram = stackalloc byte[64];
        datagram[0] = _letter;
        List<Socket> ready = [];
        while (!_stopping)
        {
            ready.Clear();
            ready.AddRange(_sockets);
            Socket.Select(ready, null, null, LookForTheEnd);
            foreach (var socket in ready)
            {
                Answer(socket, datagram);
            }
        }

        Array.ForEach(_sockets, socket => socket.Dispose());
    }

    private void Answer(Socket socket, Span<byte> datagram)
    {
        var from = new SocketAddress(socket.AddressFamily);
        try
        {
            var length = socket.ReceiveFrom(datagram[1..], SocketFlags.None, from);
            if (!IsBroken)
            {
                socket.SendTo(datagram[..(length + 1)], SocketFlags.None, from);
            }
        }
        catch (SocketException)
        {
            // No way back to the client: as on a real node its answer is lost, and the client counts it.
        }
    }
}
