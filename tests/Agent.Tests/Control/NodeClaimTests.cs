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
    // Claims are the machine's, so each test has a source of its own.
    private readonly IPAddress _source = new(Guid.NewGuid().ToByteArray());
    private readonly List<string> _warnings = [];
    private readonly List<NodeClaim> _claims = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _claims.ForEach(claim => claim.Dispose());

    [Fact]
    public async Task Claimed_AnotherOneIsRefused_AndSaysWhoHasIt_UntilItIsGivenUp()
    {
        var first = Claim();
        Assert.Null(await first.ExtendAsync([_neighbor], From, Cancellation));

        var problem = await Claim().ExtendAsync([_neighbor], From, Cancellation);
        Assert.Contains($"process {Environment.ProcessId}", problem, StringComparison.Ordinal);
        Assert.Contains("--node", problem, StringComparison.Ordinal);

        first.Dispose();
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));
    }

    [Fact]
    public async Task AnyOfTheNeighborsIsHeld_TheWholeIsRefused_AndNothingOfItIsKept()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));
        Assert.NotNull(await Claim().ExtendAsync([_other, _neighbor], From, Cancellation));

        Assert.Null(await Claim().ExtendAsync([_other], From, Cancellation));
    }

    [Fact]
    public async Task NeighborsFoundLater_AreRefused_WhenSomebodyWasGivenThem()
    {
        var searching = Claim();
        Assert.Null(await searching.ExtendAsync([], From, Cancellation));
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));

        Assert.NotNull(await searching.ExtendAsync([_neighbor], From, Cancellation));
        Assert.NotNull(await Claim().ExtendAsync([], From, Cancellation));
    }

    [Fact]
    public async Task NeighborsFoundLater_AreClaimed_BeforeSomebodyIsGivenThem()
    {
        var searching = Claim();
        Assert.Null(await searching.ExtendAsync([], From, Cancellation));
        Assert.Null(await searching.ExtendAsync([_neighbor], From, Cancellation));

        Assert.NotNull(await Claim().ExtendAsync([_neighbor], From, Cancellation));
    }

    [Fact]
    public async Task Reloaded_WhatIsNoLongerDialled_IsGivenUp_AndTheRestIsKept()
    {
        var first = Claim();
        Assert.Null(await first.ExtendAsync([_neighbor, _other], From, Cancellation));
        Assert.Null(await first.ExtendAsync([_other], From, Cancellation));
        first.Keep([_other]);

        Assert.NotNull(await Claim().ExtendAsync([_other], From, Cancellation));
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));
    }

    [Fact]
    public async Task OtherNodeFromAnotherAddress_OrOtherNeighbor_IsNoneOfItsBusiness()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));

        Assert.Null(await Claim(_node + "2").ExtendAsync([_neighbor], _ => IPAddress.Loopback, Cancellation));
        Assert.Null(await Claim().ExtendAsync([_neighbor with { Port = 179 }], From, Cancellation));
        Assert.Empty(_warnings);
    }

    /// <summary>A neighbor knows a session by its two addresses: whatever the second agent is called, it would end the first one's sessions, and each would undo the other's drains.</summary>
    [Fact]
    public async Task OtherNodeFromTheSameAddress_IsRefused_AndSaysWhatToDo()
    {
        var first = Claim();
        Assert.Null(await first.ExtendAsync([_other, _neighbor], From, Cancellation));

        var problem = await Claim(_node + "2").ExtendAsync([_neighbor], From, Cancellation);
        Assert.Contains($"another agent (process {Environment.ProcessId}) has its session with {_neighbor} from the same address", problem, StringComparison.Ordinal);
        Assert.Contains("--local-address", problem, StringComparison.Ordinal);

        first.Keep([_other]);
        Assert.Null(await Claim(_node + "2").ExtendAsync([_neighbor], From, Cancellation));
        Assert.NotNull(await Claim(_node + "3").ExtendAsync([_other], From, Cancellation));
    }

    /// <summary>The kernel chooses for both, or for one what the other was given.</summary>
    [Theory]
    [InlineData(null, null)]
    [InlineData(null, "127.0.0.1")]
    [InlineData("127.0.0.1", null)]
    public async Task SourceThatTheKernelChooses_IsTheSameAddressAsOneThatWasGiven(string? first, string? second)
    {
        using var reserved = new ReservedPort();
        var neighbor = new NeighborEndpoint(IPAddress.Loopback, reserved.Number);
        Assert.Null(await Claim().ExtendAsync([neighbor], _ => Given(first), Cancellation));

        Assert.Contains("from the same address", await Claim(_node + "2").ExtendAsync([neighbor], _ => Given(second), Cancellation), StringComparison.Ordinal);
        Assert.Null(await Claim(_node + "2").ExtendAsync([neighbor], _ => IPAddress.Parse("127.0.0.12"), Cancellation));

        static IPAddress? Given(string? text) => text is null ? null : IPAddress.Parse(text);
    }

    [Fact]
    public async Task NoWayToTheNeighborYet_TwoThatWaitForOneAreTheSameAddress()
    {
        // Of documentation, and never routed here but by a default route, which gives both the same source.
        var neighbor = new NeighborEndpoint(new IPAddress([0x20, 0x01, 0x0d, 0xb8, .. Guid.NewGuid().ToByteArray().AsSpan(0, 12)]), 179);
        Assert.Null(await Claim().ExtendAsync([neighbor], _ => null, Cancellation));

        Assert.NotNull(await Claim(_node + "2").ExtendAsync([neighbor], _ => null, Cancellation));
    }

    [Fact]
    public async Task SourceHeldByAUserWhoseAgentsDoNotCount_IsIgnored_WithAWarning()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));

        Assert.Null(await Claim(_node + "2", counts: _ => false).ExtendAsync([_neighbor], From, Cancellation));
        Assert.Contains($"holds the session with {_neighbor} on this machine", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task LongestNameOfANode_FitsIn()
    {
        Assert.Null(await Claim(new string('n', 63)).ExtendAsync([_neighbor], From, Cancellation));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task AgentThatIsRefused_AgainAndAgain_IsRefusedEachTime()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));

        for (var start = 0; start < 300; start++)
        {
            Assert.Contains("another agent", await Claim().ExtendAsync([_neighbor], From, Cancellation), StringComparison.Ordinal);
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
        Assert.Contains("another agent", await Claim().ExtendAsync([_neighbor], From, Cancellation), StringComparison.Ordinal);
        using var another = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await another.ConnectAsync(name, TestContext.Current.CancellationToken);

        // Its queue is full: who it is cannot be asked any more, and must not keep the node out of service.
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));
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

        var asking = Claim(time: time).ExtendAsync([_other, _neighbor], From, ending.Token);
        Assert.Equal(TimeSpan.FromMilliseconds(10), await time.Pauses.FirstAsync<TimeSpan>());
        Assert.False(asking.IsCompleted);
        await ending.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Null(await Claim().ExtendAsync([_other], From, Cancellation));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task HeldByAUserWhoseAgentsDoNotCount_IsIgnored_WithAWarning()
    {
        Assert.Null(await Claim().ExtendAsync([_neighbor], From, Cancellation));
        uint? asked = null;

        Assert.Null(await Claim(counts: user => (asked = user) is null).ExtendAsync([_neighbor], _ => IPAddress.Loopback, Cancellation));
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
        Assert.Null(await Claim().ExtendAsync([neighbor], From, Cancellation));

        var problem = await Claim(counts: _ => false).ExtendAsync([neighbor], From, Cancellation);

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

    private IPAddress? From(NeighborEndpoint neighbor) => _source;

    private NodeClaim Claim(string? node = null, Func<uint, bool>? counts = null, TimeProvider? time = null)
    {
        var claim = new NodeClaim(node ?? _node, counts ?? NodeUsers.OnThisMachine("/").Includes, _warnings.Add, time ?? TimeProvider.System);
        _claims.Add(claim);
        return claim;
    }
}
