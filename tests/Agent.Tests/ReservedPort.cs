using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Agent.Tests;

/// <summary>
/// A port on loopback that nobody else is given: a socket is bound to it and never listens. Whoever dials it is refused. A listener that asks for this very
/// port gets it beside us, as often as it likes, because both permit the address to be used again, which .NET does for every TCP socket that it binds.
/// </summary>
internal sealed class ReservedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ReservedPort() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public int Number => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Dispose() => _socket.Dispose();
}
