using System.Net;
using System.Net.Sockets;
using FailoverHub.Lab.Fabric;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Lab.Tests.Fabric;

public sealed class TcpRelayTests : IAsyncDisposable
{
    private const int Port = 8080;
    private readonly IPEndPoint _shared = new(TestAddresses.Next(), Port);
    private readonly NodeStub _nodeA = new(Port);
    private readonly NodeStub _nodeB = new(Port);
    private readonly TcpRelay _relay;

    public TcpRelayTests() => _relay = new TcpRelay(_shared, TimeProvider.System, NullLogger.Instance);

    private static CancellationToken Cancelled => Patience.Token;

    [Fact]
    public async Task NoHolder_Connecting_IsRefused() =>
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(DialAsync)).SocketErrorCode);

    [Fact]
    public async Task Holder_BytesGoBothWays()
    {
        await _relay.SetHolderAsync(_nodeA.Address);
        using var client = await DialAsync();
        using var node = await _nodeA.AcceptAsync();

        await client.SendAsync("question"u8.ToArray(), Cancelled);
        Assert.Equal("question", await ReadAsync(node, 8));
        await node.SendAsync("answer"u8.ToArray(), Cancelled);
        Assert.Equal("answer", await ReadAsync(client, 6));
    }

    [Fact]
    public async Task ClientHasSaidAll_NodeSeesTheEndAndStillAnswers()
    {
        await _relay.SetHolderAsync(_nodeA.Address);
        using var client = await DialAsync();
        using var node = await _nodeA.AcceptAsync();

        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await node.ReceiveAsync(new byte[1], Cancelled));
        await node.SendAsync("late"u8.ToArray(), Cancelled);
        node.Shutdown(SocketShutdown.Send);

        Assert.Equal("late", await ReadAsync(client, 4));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1], Cancelled));
    }

    [Fact]
    public async Task HolderMoves_OpenConnectionsAreResetAndNewOnesReachTheOtherNode()
    {
        await _relay.SetHolderAsync(_nodeA.Address);
        using var old = await DialAsync();
        using var oldAtNode = await _nodeA.AcceptAsync();

        Assert.Equal(1, await _relay.SetHolderAsync(_nodeB.Address));

        await AssertResetAsync(old);
        await AssertResetAsync(oldAtNode);
        using var young = await DialAsync();
        using var youngAtNode = await _nodeB.AcceptAsync();
        await youngAtNode.SendAsync("b"u8.ToArray(), Cancelled);
        Assert.Equal("b", await ReadAsync(young, 1));
    }

    [Fact]
    public async Task HolderLost_OpenConnectionsAreResetAndNewOnesRefused()
    {
        await _relay.SetHolderAsync(_nodeA.Address);
        using var client = await DialAsync();
        using var node = await _nodeA.AcceptAsync();

        await _relay.SetHolderAsync(null);

        await AssertResetAsync(client);
        await Assert.ThrowsAsync<SocketException>(DialAsync);
    }

    [Fact]
    public async Task HolderReturns_ConnectionsAreTakenAgain()
    {
        await _relay.SetHolderAsync(_nodeA.Address);
        await _relay.SetHolderAsync(null);
        await _relay.SetHolderAsync(_nodeA.Address);

        using var client = await DialAsync();
        using var node = await _nodeA.AcceptAsync();
        Assert.True(client.Connected);
    }

    [Fact]
    public async Task NodeDoesNotListen_ClientIsReset()
    {
        _nodeA.Dispose();
        await _relay.SetHolderAsync(_nodeA.Address);

        // The reset may come so early that already the dial sees it.
        await AssertResetAsync(async () =>
        {
            using var client = await DialAsync();
            await client.ReceiveAsync(new byte[1], Cancelled);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        _nodeA.Dispose();
        _nodeB.Dispose();
    }

    private static Task AssertResetAsync(Socket socket) => AssertResetAsync(() => socket.ReceiveAsync(new byte[1], Cancelled).AsTask());

    private static async Task AssertResetAsync(Func<Task> use)
    {
        var error = await Assert.ThrowsAsync<SocketException>(use);
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    private static async Task<string> ReadAsync(Socket socket, int count)
    {
        var buffer = new byte[count];
        for (var read = 0; read < count;)
        {
            var more = await socket.ReceiveAsync(buffer.AsMemory(read), Cancelled);
            Assert.NotEqual(0, more);
            read += more;
        }

        return System.Text.Encoding.ASCII.GetString(buffer);
    }

    private async Task<Socket> DialAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(_shared, Cancelled);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
