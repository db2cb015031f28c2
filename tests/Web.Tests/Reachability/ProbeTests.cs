using System.Net;
using System.Net.Sockets;
using CsCheck;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Tests.Reachability;

public sealed class ProbeTests
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tcp_ToAPortThatListens_IsAnsweredWithATime()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var probe = new TcpProbe(((IPEndPoint)listener.LocalEndpoint).Port, TimeProvider.System);

        ProbeReply reply = await probe.SendAsync(IPAddress.Loopback, Generous, Stop);

        Assert.Null(reply.Error);
        Assert.True(reply.RoundTrip > TimeSpan.Zero);
    }

    [Fact]
    public async Task Tcp_ToAPortThatIsClosed_SaysThatItWasRefused()
    {
        // Bound, so that nobody else gets it, and never listening.
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var probe = new TcpProbe(((IPEndPoint)closed.LocalEndPoint!).Port, TimeProvider.System);

        ProbeReply reply = await probe.SendAsync(IPAddress.Loopback, Generous, Stop);

        Assert.Null(reply.RoundTrip);
        Assert.Contains("refused", reply.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tcp_ThatNobodyAnswers_EndsWithItsTimeoutInWords()
    {
        // A listener whose queue is full answers no further SYN.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await filler.ConnectAsync(full.LocalEndPoint!, Stop);
        var probe = new TcpProbe(((IPEndPoint)full.LocalEndPoint!).Port, TimeProvider.System);

        ProbeReply reply = await probe.SendAsync(IPAddress.Loopback, TimeSpan.FromMilliseconds(200), Stop);

        Assert.Equal(ProbeReply.Failed("no answer within 200 ms"), reply);
    }

    /// <summary>A broadcast is what no machine lets out of a socket that has not asked for it: as without a route, the address is not told of anything.</summary>
    [Fact]
    public async Task Probe_ThatTheMachineDoesNotLetOut_IsUnsent_AndSaysWhatToLookAt()
    {
        await using var icmp = new IcmpProbe(TimeProvider.System);
        ProbeReply tcp = await new TcpProbe(443, TimeProvider.System).SendAsync(IPAddress.Broadcast, Generous, Stop);

        Assert.True(tcp.IsUnsent, tcp.ToString());
        Assert.StartsWith("the hub's machine", tcp.Error, StringComparison.Ordinal);
        if (icmp.ProblemFor(IPAddress.Broadcast) is null)
        {
            ProbeReply echo = await icmp.SendAsync(IPAddress.Broadcast, Generous, Stop);
            Assert.True(echo.IsUnsent, echo.ToString());
            Assert.StartsWith("the hub's machine", echo.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>Where this machine allows ICMP it must be answered; where it does not, the hub must say what to do.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Icmp_ToThisMachine_IsAnsweredOrTheProblemIsNamed(string text)
    {
        var address = IPAddress.Parse(text);
        await using var probe = new IcmpProbe(TimeProvider.System);

        if (probe.ProblemFor(address) is { } problem)
        {
            Assert.Contains("ping_group_range", problem, StringComparison.Ordinal);
            Assert.Contains("--probe tcp:", problem, StringComparison.Ordinal);
            return;
        }

        ProbeReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => probe.SendAsync(address, Generous, Stop)));

        // A machine without IPv6 has the socket but no way to ::1; that is an error in words, not silence.
        Assert.All(replies, reply => Assert.True(reply.RoundTrip > TimeSpan.Zero || reply.Error is { Length: > 0 } && address.AddressFamily == AddressFamily.InterNetworkV6, reply.Error));
    }

    [Fact]
    public async Task Icmp_SocketThatMayNotBeOpened_IsAProblemWithARemedyAndTriedAgainLater()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        int tries = 0;
        await using var probe = new IcmpProbe(clock, _ =>
        {
            tries++;
            return (null, "Operation not permitted");
        });

        string? problem = probe.ProblemFor(IPAddress.Loopback);
        probe.ProblemFor(IPAddress.Loopback);
        int atOnce = tries;
        clock.Advance(TimeSpan.FromSeconds(10));
        probe.ProblemFor(IPAddress.Loopback);

        Assert.Equal("No ICMP socket: Operation not permitted. Widen net.ipv4.ping_group_range to the hub's group, or give the hub CAP_NET_RAW, or probe with --probe tcp:PORT.", problem);
        Assert.Equal(1, atOnce);
        Assert.Equal(2, tries);
    }

    [Fact]
    public void Echo_RequestWithChecksum_SumsToZeroAndComesBackAsReply()
    {
        byte[] request = IcmpEcho.Request(AddressFamily.InterNetwork, 0x1234, 0x0102030405060708);
        byte[] reply = [.. request];
        reply[0] = 0;

        Assert.Equal(0, IcmpEcho.Checksum(request));
        Assert.True(IcmpEcho.TryReadReply(reply, AddressFamily.InterNetwork, raw: false, out ulong number));
        Assert.Equal(0x0102030405060708UL, number);
        Assert.True(IcmpEcho.TryReadReply([0x46, .. new byte[23], .. reply], AddressFamily.InterNetwork, raw: true, out number));
        Assert.Equal(0x0102030405060708UL, number);
        Assert.False(IcmpEcho.TryReadReply(request, AddressFamily.InterNetwork, raw: false, out _));
    }

    [Fact]
    public void Echo_FromRandomBytes_NeverThrows() =>
        Gen.Select(Gen.Byte.Array[0, 80], Gen.Bool, Gen.Bool).Sample((bytes, raw, six) =>
        {
            IcmpEcho.TryReadReply(bytes, six ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, raw, out _);
        });
}
