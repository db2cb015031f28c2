using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Control.Claims;

namespace FailoverHub.Agent.Tests.Control;

public sealed class NodeClaimTests : IDisposable
{
    private readonly string _node = $"claimed-{Guid.NewGuid():N}";
    private readonly NeighborEndpoint _neighbor = new(IPAddress.Parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 65535);
    private readonly NeighborEndpoint _other = new(IPAddress.Parse("2001:db8::1"), 179);
    private readonly List<string> _warnings = [];
    private readonly List<NodeClaim> _claims = [];

    public void Dispose() => _claims.ForEach(claim => claim.Dispose());

    [Fact]
    public void Claimed_AnotherOneIsRefused_AndSaysWhoHasIt_UntilItIsGivenUp()
    {
        var first = Claim();
        Assert.Null(first.Extend([_neighbor]));

        var problem = Claim().Extend([_neighbor]);
        Assert.Contains($"process {Environment.ProcessId}", problem, StringComparison.Ordinal);
        Assert.Contains("--node", problem, StringComparison.Ordinal);

        first.Dispose();
        Assert.Null(Claim().Extend([_neighbor]));
    }

    [Fact]
    public void AnyOfTheNeighborsIsHeld_TheWholeIsRefused_AndNothingOfItIsKept()
    {
        Assert.Null(Claim().Extend([_neighbor]));
        Assert.NotNull(Claim().Extend([_other, _neighbor]));

        Assert.Null(Claim().Extend([_other]));
    }

    [Fact]
    public void NeighborsFoundLater_AreRefused_WhenSomebodyWasGivenThem()
    {
        var searching = Claim();
        Assert.Null(searching.Extend([]));
        Assert.Null(Claim().Extend([_neighbor]));

        Assert.NotNull(searching.Extend([_neighbor]));
        Assert.NotNull(Claim().Extend([]));
    }

    [Fact]
    public void NeighborsFoundLater_AreClaimed_BeforeSomebodyIsGivenThem()
    {
        var searching = Claim();
        Assert.Null(searching.Extend([]));
        Assert.Null(searching.Extend([_neighbor]));

        Assert.NotNull(Claim().Extend([_neighbor]));
    }

    [Fact]
    public void Reloaded_WhatIsNoLongerDialled_IsGivenUp_AndTheRestIsKept()
    {
        var first = Claim();
        Assert.Null(first.Extend([_neighbor, _other]));
        Assert.Null(first.Extend([_other]));
        first.Keep([_other]);

        Assert.NotNull(Claim().Extend([_other]));
        Assert.Null(Claim().Extend([_neighbor]));
    }

    [Fact]
    public void OtherNodeOrOtherNeighbor_IsNoneOfItsBusiness()
    {
        Assert.Null(Claim().Extend([_neighbor]));

        Assert.Null(Claim(_node + "2").Extend([_neighbor]));
        Assert.Null(Claim().Extend([_neighbor with { Port = 179 }]));
        Assert.Empty(_warnings);
    }

    [Fact]
    public void LongestNameOfANode_FitsIn()
    {
        Assert.Null(Claim(new string('n', 63)).Extend([_neighbor]));
        Assert.Empty(_warnings);
    }

    [Fact]
    public void AgentThatIsRefused_AgainAndAgain_IsRefusedEachTime()
    {
        Assert.Null(Claim().Extend([_neighbor]));

        for (var start = 0; start < 300; start++)
        {
            Assert.Contains("another agent", Claim().Extend([_neighbor]), StringComparison.Ordinal);
        }

        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task HolderWhoNeverAnswers_StillSaysWhoItIs_OrIsToldAbout()
    {
        // Not one of our agents, which take whoever asks from the queue.
        var name = new UnixDomainSocketEndPoint($"\0fohub/{_node}/{Convert.ToHexStringLower(_neighbor.Address.GetAddressBytes())}ffff");
        using var holder = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        holder.Bind(name);
        holder.Listen(1);
        Assert.Contains("another agent", Claim().Extend([_neighbor]), StringComparison.Ordinal);
        using var another = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await another.ConnectAsync(name, TestContext.Current.CancellationToken);

        // Its queue is full: who it is cannot be asked any more, and must not keep the node out of service.
        Assert.Null(Claim().Extend([_neighbor]));
        Assert.Contains("both announce", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void HeldByAUserWhoseAgentsDoNotCount_IsIgnored_WithAWarning()
    {
        Assert.Null(Claim().Extend([_neighbor]));
        uint? asked = null;

        Assert.Null(Claim(counts: user => (asked = user) is null).Extend([_neighbor]));
        Assert.Contains($"process {Environment.ProcessId} of user {asked} holds the name '{_node}'", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task HeldByAUserWhoseAgentsDoNotCount_ButWhoHasASessionWithTheNeighbor_IsRefused(string address)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        server.Listen();
        var neighbor = new NeighborEndpoint(IPAddress.Parse(address), ((IPEndPoint)server.LocalEndPoint!).Port);
        using var session = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await session.ConnectAsync(new IPEndPoint(neighbor.Address, neighbor.Port), TestContext.Current.CancellationToken);
        Assert.Null(Claim().Extend([neighbor]));

        var problem = Claim(counts: _ => false).Extend([neighbor]);

        Assert.Contains($"process {Environment.ProcessId} of user", problem, StringComparison.Ordinal);
        Assert.Contains($"has a session with {neighbor}", problem, StringComparison.Ordinal);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void ConnectionsOfTheKernelsTable_AreThoseThatAreEstablished_WithTheirUser()
    {
        ImmutableArray<string> table =
        [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "   0: 00000000:00B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18241 1 0000000000000000 100 0 0 10 0",
            "   1: 0A0200C0:9B82 010200C0:00B3 01 00000000:00000000 02:000004F2 00000000   998        0 18242 2 0000000000000000 20 4 30 10 -1",
            "   2: B80D0120000000000000000001000000:A1B2 B80D0120000000000000000002000000:06FE 01 00000000:00000000 00:00000000 00000000  1000        0 1 1 0",
            "   3: 0A0200C0:9B83 010200C0:00B3 06 00000000:00000000 03:00001560 00000000     0        0 0 3 0000000000000000",
            "   4: torn",
            "   5: 0A0200C0:9B83 XX0200C0:00B3 01 00000000:00000000 03:00001560 00000000     0        0 0 3 0000000000000000",
        ];

        Assert.Equal(
            [(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 179), 998u), (new IPEndPoint(IPAddress.Parse("2001:db8::2"), 1790), 1000u)],
            OpenConnections.Parse(table));
    }

    private NodeClaim Claim(string? node = null, Func<uint, bool>? counts = null)
    {
        var claim = new NodeClaim(node ?? _node, counts ?? NodeUsers.OnThisMachine("/").Includes, _warnings.Add);
        _claims.Add(claim);
        return claim;
    }
}
