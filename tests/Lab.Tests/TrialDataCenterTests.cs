using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FailoverHub.Bgp.Messages;
using FailoverHub.Lab.Fabric;
using FailoverHub.Lab.Nodes;
using FailoverHub.Lab.Routes;
using FailoverHub.Lab.RouteServers;
using FailoverHub.Lab.Tests.RouteServers;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Lab.Tests;

/// <summary>Route servers, fabric and nodes together: real sockets, a scripted node on the other end.</summary>
public sealed class TrialDataCenterTests : IAsyncLifetime
{
    private readonly IPAddress _nodeA = TestAddresses.Next();
    private readonly IPAddress _nodeB = TestAddresses.Next();
    private readonly IPEndPoint[] _servers = [new(TestAddresses.Next(), 1790), new(TestAddresses.Next(), 1790)];
    private readonly IPAddress _shared = TestAddresses.Next();
    private readonly StateWatch _watch = new();
    private readonly string _statePath = Path.GetTempFileName();
    private readonly TrialDataCenter _dataCenter;
    private bool _stopped;

    public TrialDataCenterTests() => _dataCenter = new TrialDataCenter(
        new LabOptions
        {
            RouteServers = [.. _servers],
            Bgp = new RouteServerSettings(65000, 65001, new HoldTime(9)),
            Nodes = [new TrialNode("node-a", _nodeA), new TrialNode("node-b", _nodeB)],
            Ports = new FabricPorts(8080, 7777),
            StatePath = _statePath,
        },
        [_watch],
        TimeProvider.System,
        NullLogger.Instance);

    private string Prefix => $"{_shared}/32";

    private static CancellationToken Cancelled => Patience.Token;

    public async ValueTask InitializeAsync() => await _dataCenter.StartAsync(Cancelled);

    [Fact]
    public async Task NodeAddress_AnswersWithItsNameOverHttpAndUdp()
    {
        Assert.Equal("node-a", await GetAsync(_nodeA));
        Assert.Equal("node-b", await GetAsync(_nodeB));
        Assert.Equal("node-b hello", await EchoAsync(_nodeB, "hello"));
    }

    [Fact]
    public async Task PrimaryAndSecondary_ThePrimaryAnswersAtTheSharedAddress()
    {
        await using var b = await AnnouncedAsync(_nodeB, PlatformPolicy.Secondary);
        await _watch.WhenHolderAsync(Prefix, _nodeB);
        await using var a = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);
        await _watch.WhenHolderAsync(Prefix, _nodeA);

        Assert.Equal("node-a", await GetAsync(_shared));
        Assert.Equal("node-a 1", await EchoAsync(_shared, "1"));
    }

    [Fact]
    public async Task PrimaryVanishes_TheSecondaryAnswers()
    {
        await using var a = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);
        await using var b = await AnnouncedAsync(_nodeB, PlatformPolicy.Secondary);
        await _watch.WhenHolderAsync(Prefix, _nodeA);

        a.Vanish();

        await _watch.WhenHolderAsync(Prefix, _nodeB);
        Assert.Equal("node-b", await GetAsync(_shared));
        Assert.Equal("node-b 2", await EchoAsync(_shared, "2"));
    }

    [Fact]
    public async Task RolesSwapped_TheAddressMovesAndTheSessionsStay()
    {
        await using var a = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);
        await using var b = await AnnouncedAsync(_nodeB, PlatformPolicy.Secondary);
        var before = await _watch.WhenAsync(state => state.Servers[0].Neighbors.Values.Count(neighbor => neighbor.Routes.Count == 1) == 2);

        await b.AnnounceAsync(Prefix, PlatformPolicy.Primary);
        await a.AnnounceAsync(Prefix, PlatformPolicy.Secondary);

        var after = await _watch.WhenHolderAsync(Prefix, _nodeB);
        Assert.Equal(before.Servers[0].Neighbors.Keys, after.Servers[0].Neighbors.Keys);
        Assert.Equal("node-b", await GetAsync(_shared));
    }

    [Fact]
    public async Task AllWithdrawn_TheSharedAddressRefuses()
    {
        await using var a = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);
        await _watch.WhenHolderAsync(Prefix, _nodeA);

        await a.WithdrawAsync();

        await _watch.WhenHolderAsync(Prefix, null);
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(_shared));
    }

    [Fact]
    public async Task NodeStopsWithCease_ItsRoutesAreGone()
    {
        await using var a = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);
        await _watch.WhenHolderAsync(Prefix, _nodeA);

        await a.StopAsync("maintenance");

        await _watch.WhenHolderAsync(Prefix, null);
        await _watch.WhenAsync(state => state.Servers[0].Neighbors.IsEmpty);
    }

    [Fact]
    public async Task TheSameNodeConnectsAgain_TheNewerConnectionReplacesTheOlder()
    {
        await using var dead = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);
        await _watch.WhenHolderAsync(Prefix, _nodeA);

        await using var restarted = await AnnouncedAsync(_nodeA, PlatformPolicy.Secondary);

        await dead.Ended.WaitAsync(Cancelled);
        var state = await _watch.WhenAsync(state => state.Servers[0].Best.Values.Any(route => route.Offer.Preference == RoutePreference.Secondary));
        Assert.Single((await _watch.WhenAsync(state => state.Servers[0].Neighbors.Count == 1)).Servers[0].Best);
        Assert.Equal(_nodeA, Assert.Single(state.Holders).Value.Offer.NextHop);
    }

    [Fact]
    public async Task WrongAs_IsTurnedAwayWithANotification()
    {
        await using var stranger = await FakeNode.DialAsync(_nodeA, _servers[0], localAs: 64999);

        var error = await stranger.Failed.WaitAsync(Cancelled);

        Assert.True(error.FromPeer);
        Assert.Equal((2, 2), (error.Code, error.Subcode));
    }

    [Fact]
    public async Task DataCenterStops_NodesAreToldWhy()
    {
        await using var a = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);

        await StopAsync();

        var error = await a.Failed.WaitAsync(Cancelled);
        Assert.Equal(6, error.Code);
        Assert.Contains("the trial data center stops", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StateFile_SaysWhoHoldsTheAddress()
    {
        await using var a = await AnnouncedAsync(_nodeA, PlatformPolicy.Primary);
        await _watch.WhenHolderAsync(Prefix, _nodeA);
        await StopAsync();

        // The last version is written when everything has stopped, and says so; what it said before is in the address's history.
        using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(_statePath, Cancelled));
        var address = Assert.Single(file.RootElement.GetProperty("addresses").EnumerateArray());
        Assert.Equal(Prefix, address.GetProperty("prefix").GetString());
        Assert.Equal(JsonValueKind.Null, address.GetProperty("holder").ValueKind);
        Assert.Equal(2, file.RootElement.GetProperty("routeServers").GetArrayLength());
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        File.Delete(_statePath);
    }

    private async Task StopAsync()
    {
        if (!_stopped)
        {
            _stopped = true;
            await _dataCenter.DisposeAsync();
        }
    }

    private async Task<FakeNode> AnnouncedAsync(IPAddress from, Community community)
    {
        var node = await FakeNode.EstablishAsync(from, _servers[0]);
        await node.AnnounceAsync(Prefix, community);
        return node;
    }

    private static async Task<string> GetAsync(IPAddress address)
    {
        using var http = new HttpClient();
        return (await http.GetStringAsync(new Uri($"http://{address}:8080/any/path"), Cancelled)).Trim();
    }

    private static async Task<string> EchoAsync(IPAddress address, string text)
    {
        using var client = new UdpClient();
        client.Connect(address, 7777);
        await client.SendAsync(Encoding.UTF8.GetBytes(text), Cancelled);
        return Encoding.UTF8.GetString((await client.ReceiveAsync(Cancelled)).Buffer);
    }
}
