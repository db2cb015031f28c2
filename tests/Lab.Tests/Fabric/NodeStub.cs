using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Lab.Tests.Fabric;

/// <summary>The TCP side of a node, driven by the test.</summary>
internal sealed class NodeStub : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public NodeStub(int port)
    {
        Address = TestAddresses.Next();
        _listener.Bind(new IPEndPoint(Address, port));
        _listener.Listen();
    }

    public IPAddress Address { get; }

    public async Task<Socket> AcceptAsync() => await _listener.AcceptAsync(Patience.Token);

    public void Dispose() => _listener.Dispose();
}
