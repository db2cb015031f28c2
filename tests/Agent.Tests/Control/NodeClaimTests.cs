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

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _claims.ForEach(claim => claim.Dispose());

    [Fact]
    public async Task Claimed_AnotherOneIsRefused_AndSaysWhoHasIt_UntilItIsGivenUp()
    {
        var first = Claim();
        Assert.Null(await first.ExtendAsync([_neighbor], Cancellation));

        var problem = await Claim().ExtendAsync([_neighbor], Cancellation);
        Assert.Contains($"process {Environment.ProcessId}", problem, StringComparison.Ordinal);
        Assert.Contains("--node", problem, StringComparison.Ordinal);

        first.Dispose();
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));
    }

    [Fact]
    public async Task AnyOfTheNeighborsIsHeld_TheWholeIsRefused_AndNothingOfItIsKept()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));
        Assert.NotNull(await Claim().ExtendAsync([_other, _neighbor], Cancellation));

        Assert.Null(await Claim().ExtendAsync([_other], Cancellation));
    }

    [Fact]
    public async Task NeighborsFoundLater_AreRefused_WhenSomebodyWasGivenThem()
    {
        var searching = Claim();
        Assert.Null(await searching.ExtendAsync([], Cancellation));
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));

        Assert.NotNull(await searching.ExtendAsync([_neighbor], Cancellation));
        Assert.NotNull(await Claim().ExtendAsync([], Cancellation));
    }

    [Fact]
    public async Task NeighborsFoundLater_AreClaimed_BeforeSomebodyIsGivenThem()
    {
        var searching = Claim();
        Assert.Null(await searching.ExtendAsync([], Cancellation));
        Assert.Null(await searching.ExtendAsync([_neighbor], Cancellation));

        Assert.NotNull(await Claim().ExtendAsync([_neighbor], Cancellation));
    }

    [Fact]
    public async Task Reloaded_WhatIsNoLongerDialled_IsGivenUp_AndTheRestIsKept()
    {
        var first = Claim();
        Assert.Null(await first.ExtendAsync([_neighbor, _other], Cancellation));
        Assert.Null(await first.ExtendAsync([_other], Cancellation));
        first.Keep([_other]);

        Assert.NotNull(await Claim().ExtendAsync([_other], Cancellation));
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));
    }

    [Fact]
    public async Task OtherNodeOrOtherNeighbor_IsNoneOfItsBusiness()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));

        Assert.Null(await Claim(_node + "2").ExtendAsync([_neighbor], Cancellation));
        Assert.Null(await Claim().ExtendAsync([_neighbor with { Port = 179 }], Cancellation));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task LongestNameOfANode_FitsIn()
    {
        Assert.Null(await Claim(new string('n', 63)).ExtendAsync([_neighbor], Cancellation));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task AgentThatIsRefused_AgainAndAgain_IsRefusedEachTime()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));

        for (var start = 0; start < 300; start++)
        {
            Assert.Contains("another agent", await Claim().ExtendAsync([_neighbor], Cancellation), StringComparison.Ordinal);
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
        Assert.Contains("another agent", await Claim().ExtendAsync([_neighbor], Cancellation), StringComparison.Ordinal);
        using var another = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await another.ConnectAsync(name, TestContext.Current.CancellationToken);

        // Its queue is full: who it is cannot be asked any more, and must not keep the node out of service.
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));
        Assert.Contains("both announce", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HolderWhoNeverAnswers_IsAskedAgainWithPauses_AndACancelledQuestionKeepsNothing()
    {
        using var holder = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var name = new UnixDomainSocketEndPoint($"\0fohub/{_node}/{Convert.ToHexStringLower(_neighbor.Address.GetAddressBytes())}ffff");
        holder.Bind(name);
        holder.Listen(0);
        using var another = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await another.ConnectAsync(name, Cancellation);
        var time = new PausingTime();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        var asking = Claim(time: time).ExtendAsync([_other, _neighbor], ending.Token);
        Assert.Equal(TimeSpan.FromMilliseconds(10), await time.Pauses.FirstAsync<TimeSpan>());
        Assert.False(asking.IsCompleted);
        await ending.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Null(await Claim().ExtendAsync([_other], Cancellation));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task HeldByAUserWhoseAgentsDoNotCount_IsIgnored_WithAWarning()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], Cancellation));
        uint? asked = null;

        Assert.Null(await Claim(counts: user => (asked = user) is null).ExtendAsync([_neighbor], Cancellation));
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
        Assert.Null(await Claim().ExtendAsync([neighbor], Cancellation));

        var problem = await Claim(counts: _ => false).ExtendAsync([neighbor], Cancellation);

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

    private NodeClaim Claim(string? node = null, Func<uint, bool>? counts = null, TimeProvider? time = null)
    {
        var claim = new NodeClaim(node ?? _node, counts ?? NodeUsers.OnThisMachine("/").Includes, _warnings.Add, time ?? TimeProvider.System);
        _claims.Add(claim);
        return claim;
    }
}
