using System.Net;
using System.Net.Sockets;
using System.Text;
using FailoverHub.Lab.Fabric;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Lab.Tests.Fabric;

public sealed class UdpRelayTests : IAsyncDisposable
{
    private const int Port = 7777;
    private readonly FakeTimeProvider _time = new();
    private readonly IPEndPoint _shared = new(TestAddresses.Next(), Port);
    private readonly UdpClient _client = new(new IPEndPoint(TestAddresses.Next(), 0));
    private readonly UdpClient _nodeA = new(new IPEndPoint(TestAddresses.Next(), Port));
    private readonly UdpClient _nodeB = new(new IPEndPoint(TestAddresses.Next(), Port));
    private readonly UdpRelay _relay;

    public UdpRelayTests() => _relay = new UdpRelay(_shared, _time);

    private static CancellationToken Cancelled => Patience.Token;

    [Fact]
    public async Task Holder_DatagramsGoBothWays()
    {
        _relay.SetHolder(AddressOf(_nodeA));

        await SendAsync("ping");
        var asked = await _nodeA.ReceiveAsync(Cancelled);
        Assert.Equal("ping", Encoding.ASCII.GetString(asked.Buffer));
        await _nodeA.SendAsync("pong"u8.ToArray(), asked.RemoteEndPoint, Cancelled);

        var answer = await _client.ReceiveAsync(Cancelled);
        Assert.Equal("pong", Encoding.ASCII.GetString(answer.Buffer));
        Assert.Equal(_shared, answer.RemoteEndPoint);
    }

    [Fact]
    public async Task OneClient_KeepsItsFlow()
    {
        _relay.SetHolder(AddressOf(_nodeA));

        Assert.Equal(await AskAsync(_nodeA), await AskAsync(_nodeA));
    }

    [Fact]
    public async Task HolderMoves_NextDatagramReachesTheOtherNode()
    {
        _relay.SetHolder(AddressOf(_nodeA));
        await AskAsync(_nodeA);

        Assert.Equal(1, _relay.SetHolder(AddressOf(_nodeB)));

        await AskAsync(_nodeB);
        Assert.Equal(0, _nodeA.Available);
    }

    [Fact]
    public async Task HolderMoves_AnswersUnderWayStillArrive()
    {
        _relay.SetHolder(AddressOf(_nodeA));
        await SendAsync("before the move");
        var asked = await _nodeA.ReceiveAsync(Cancelled);

        _relay.SetHolder(AddressOf(_nodeB));
        await _nodeA.SendAsync("late"u8.ToArray(), asked.RemoteEndPoint, Cancelled);

        Assert.Equal("late", Encoding.ASCII.GetString((await _client.ReceiveAsync(Cancelled)).Buffer));
    }

    [Fact]
    public async Task HolderMoved_AnswersThatComeTooLateAreDropped()
    {
        _relay.SetHolder(AddressOf(_nodeA));
        await SendAsync("before the move");
        var asked = await _nodeA.ReceiveAsync(Cancelled);
        _relay.SetHolder(AddressOf(_nodeB));

        _time.Advance(UdpRelay.Linger);
        await _nodeA.SendAsync("too late"u8.ToArray(), asked.RemoteEndPoint, Cancelled);

        await AskAsync(_nodeB);
        Assert.Equal(0, _client.Available);
    }

    [Fact]
    public async Task NoHolder_DatagramsAreDropped()
    {
        await SendAsync("lost");
        while (_relay.Dropped == 0)
        {
            Cancelled.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        _relay.SetHolder(AddressOf(_nodeA));
        await SendAsync("found");

        Assert.Equal("found", Encoding.ASCII.GetString((await _nodeA.ReceiveAsync(Cancelled)).Buffer));
    }

    [Fact]
    public async Task IdleFlow_EndsAndTheNextDatagramOpensAnother()
    {
        _relay.SetHolder(AddressOf(_nodeA));
        var before = await AskAsync(_nodeA);

        _time.Advance(UdpRelay.IdleTime);

        Assert.NotEqual(before, await AskAsync(_nodeA));
    }

    [Fact]
    public async Task FlowInUse_OutlivesTheIdleTime()
    {
        _relay.SetHolder(AddressOf(_nodeA));
        var before = await AskAsync(_nodeA);
        for (var half = 0; half < 4; half++)
        {
            _time.Advance(UdpRelay.IdleTime / 2);
            Assert.Equal(before, await AskAsync(_nodeA));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        _client.Dispose();
        _nodeA.Dispose();
        _nodeB.Dispose();
    }

    private static IPAddress AddressOf(UdpClient node) => ((IPEndPoint)node.Client.LocalEndPoint!).Address;

    private async Task SendAsync(string text) => await _client.SendAsync(Encoding.ASCII.GetBytes(text), _shared, Cancelled);

    /// <summary>Asks, answers as the node, and waits for the answer: then nothing is under way. Returns the flow's address.</summary>
    private async Task<IPEndPoint> AskAsync(UdpClient node)
    {
        await SendAsync("ask");
        var asked = await node.ReceiveAsync(Cancelled);
        await node.SendAsync("answer"u8.ToArray(), asked.RemoteEndPoint, Cancelled);
        await _client.ReceiveAsync(Cancelled);
        return asked.RemoteEndPoint;
    }
}
