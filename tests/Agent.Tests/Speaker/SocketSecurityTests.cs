using System.Collections.Immutable;
using System.Net.Sockets;
using System.Net;
using System.Text;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Speaker.Sockets;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>Signed segments and TTL security against the kernel, and the kernel's structures to the octet.</summary>
public sealed class SocketSecurityTests : IAsyncDisposable
{
    private static readonly byte[] _key = "a shared secret"u8.ToArray();

    private readonly FakeTimeProvider _time = new();
    private readonly Signal<NodeEvent> _news = new();
    private BgpSpeaker? _speaker;

    public async ValueTask DisposeAsync()
    {
        if (_speaker is not null)
        {
            _speaker.Stop("test over");
            await _speaker.Ended;
            _speaker.Dispose();
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Md5_SameKeyOnBothSides_Connects(string address)
    {
        using var listener = Listen(IPAddress.Parse(address));
        using var md5 = new TcpMd5(_key);
        Sign(listener, address, md5);

        Start(Peer(listener) with { Authentication = md5 });

        using var accepted = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await _news.FirstAsync<NodeEvent.SessionChanged>(changed => changed.To == SessionState.OpenSent);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Md5_AnotherKey_IsSilence_AndTheErrorNamesTheKeyAsACause_WithoutShowingIt(string address)
    {
        using var listener = Listen(IPAddress.Parse(address));
        using var theirs = new TcpMd5("another secret"u8);
        using var ours = new TcpMd5(_key);
        Sign(listener, address, theirs);

        var error = await NoAnswerAsync(Peer(listener) with { Authentication = ours });

        Assert.Equal("no answer within 2 s; TCP MD5 is configured: a neighbor with another key or with none gives no answer, so compare the keys", error.Text);
    }

    [Fact]
    public async Task Md5_NeighborDoesNotSign_IsSilence_BecauseAnUnsignedAnswerIsNotBelieved()
    {
        using var listener = Listen(IPAddress.Loopback);
        using var md5 = new TcpMd5(_key);

        var error = await NoAnswerAsync(Peer(listener) with { Authentication = md5 });

        Assert.Contains("TCP MD5 is configured", error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task TtlSecurity_NeighborSendsWith255_Connects(string address)
    {
        using var listener = Listen(IPAddress.Parse(address));
        listener.Server.Ttl = 255;

        Start(Peer(listener) with { TtlSecurity = 1 });

        using var accepted = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await _news.FirstAsync<NodeEvent.SessionChanged>(changed => changed.To == SessionState.OpenSent);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task TtlSecurity_AnswerHasCrossedMoreHops_IsSilence_AndTheErrorSaysWhy(string address)
    {
        using var listener = Listen(IPAddress.Parse(address));
        listener.Server.Ttl = 253;

        var error = await NoAnswerAsync(Peer(listener) with { TtlSecurity = 2 });

        Assert.Equal("no answer within 2 s; TTL security is configured: an answer from more than 2 hops away, or from a neighbor that does not send with TTL 255, is dropped", error.Text);
    }

    [Theory]
    [InlineData("127.0.0.1", 0, 21)]
    [InlineData("::1", 41, 73)]
    public void TtlSecurity_IsInForceBeforeTheDial(string address, int level, int name)
    {
        var neighbor = IPAddress.Parse(address);
        using var socket = new Socket(neighbor.AddressFamily, SocketType.Stream, ProtocolType.Tcp);

        Assert.Null(SocketSecurity.Apply(socket, Peer(neighbor, 179) with { TtlSecurity = 3 }));

        Assert.Equal(255, socket.Ttl);
        Span<byte> least = stackalloc byte[4];
        socket.GetRawSocketOption(level, name, least);
        Assert.Equal(253, BitConverter.ToInt32(least));
    }

    [Fact]
    public void Md5_OptionForIpv4_IsLaidOutAsTheKernelReadsIt()
    {
        using var md5 = new TcpMd5(_key);

        var option = SocketSecurity.Md5Option(IPAddress.Parse("192.0.2.1"), md5);

        byte[] address = [2, 0, 0, 0, 192, 0, 2, 1];
        byte[] length = [0, 0, 15, 0, 0, 0, 0, 0];
        Assert.Equal([.. address, .. new byte[120], .. length, .. _key, .. new byte[65]], option);
        Assert.Equal(216, option.Length);
    }

    [Fact]
    public void Ao_OptionForIpv6_IsLaidOutAsTheKernelReadsIt()
    {
        using var ao = new TcpAo(_key, sendId: 7, receiveId: 9, TcpAoAlgorithm.AesCmac128);

        var option = SocketSecurity.AoOption(IPAddress.Parse("2001:db8::1"), ao);

        byte[] address = [10, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        byte[] algorithm = [.. "cmac(aes128)"u8, .. new byte[52]];
        byte[] rest = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 7, 9, 12, 0, 15];
        Assert.Equal([.. address, .. new byte[100], .. algorithm, .. rest, .. _key, .. new byte[65]], option);
        Assert.Equal(288, option.Length);
    }

    [Fact]
    public void Ao_OptionForIpv4_HasItsAlgorithmAndPrefix()
    {
        using var ao = new TcpAo(_key, sendId: 1, receiveId: 2, TcpAoAlgorithm.HmacSha1);

        var option = SocketSecurity.AoOption(IPAddress.Parse("192.0.2.1"), ao);

        Assert.Equal([2, 0, 0, 0, 192, 0, 2, 1], option[..8]);
        Assert.Equal("hmac(sha1)\0", Encoding.ASCII.GetString(option, 128, 11));
        Assert.Equal([32, 1, 2, 12, 0, 15], option[202..208]);
    }

    // The length alone decides the kernel's first check: a kernel with TCP-AO says that it is wrong, one without that there is no such option.
    [Fact]
    public void Ao_IsSetWhereTheKernelHasIt_AndElseTheErrorSaysWhatToDo()
    {
        using var ao = new TcpAo(_key, 1, 1, TcpAoAlgorithm.HmacSha1);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var probe = Assert.Throws<SocketException>(() => socket.SetRawSocketOption(6, 38, new byte[4]));
        var problem = SocketSecurity.Apply(socket, Peer(IPAddress.Loopback, 179) with { Authentication = ao });

        if (probe.SocketErrorCode == SocketError.ProtocolOption)
        {
            Assert.StartsWith("this kernel has no TCP-AO (it needs Linux 6.7 or later with CONFIG_TCP_AO)", problem, StringComparison.Ordinal);
        }
        else
        {
            Assert.Null(problem);
        }
    }

    [Fact]
    public async Task KernelDoesNotSign_NothingIsDialled()
    {
        using var listener = Listen(IPAddress.Loopback);
        using var md5 = new TcpMd5(_key);

        // A datagram socket has no TCP options at all: what a kernel without them says to every socket.
        Start(Peer(listener) with { Authentication = md5, NewSocket = family => new Socket(family, SocketType.Dgram, ProtocolType.Udp) });

        var failed = await _news.FirstAsync<NodeEvent.SessionFailed>();
        Assert.NotEmpty(failed.Error.Text);
        Assert.False(listener.Pending());
    }

    [Fact]
    public void KernelWithoutTheOptions_ErrorsSayWhatToDo()
    {
        using var md5 = new TcpMd5(_key);
        using var ao = new TcpAo(_key, 1, 1, TcpAoAlgorithm.AesCmac128);
        var absent = new SocketException((int)SocketError.ProtocolOption);

        Assert.Contains("CONFIG_TCP_MD5SIG", SocketSecurity.Refused(md5, absent), StringComparison.Ordinal);
        Assert.Contains("CONFIG_TCP_AO", SocketSecurity.Refused(ao, absent), StringComparison.Ordinal);
        Assert.Contains("cmac(aes128)", SocketSecurity.Refused(ao, new SocketException((int)SocketError.AddressNotAvailable)), StringComparison.Ordinal);
        Assert.Contains("refuses the TCP MD5 key", SocketSecurity.Refused(md5, new SocketException((int)SocketError.InvalidArgument)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "the key is empty")]
    [InlineData(1, null)]
    [InlineData(80, null)]
    [InlineData(81, "the key has 81 octets: at most 80 are possible")]
    public void Key_HasOneToEightyOctets(int length, string? problem)
    {
        Assert.Equal(problem, PeerAuthentication.Refuse(new byte[length]));
        if (problem is not null)
        {
            Assert.Throws<ArgumentException>(() => new TcpMd5(new byte[length]));
        }
    }

    [Fact]
    public void Key_IsGoneAfterDispose_AndNeverPrinted()
    {
        var md5 = new TcpMd5(_key);
        var options = Peer(IPAddress.Loopback, 179) with { Authentication = md5 };

        Assert.Equal("TCP MD5", md5.ToString());
        Assert.DoesNotContain("secret", options.ToString(), StringComparison.Ordinal);
        md5.Dispose();

        Assert.Equal(new byte[_key.Length], md5.Key.ToArray());
    }

    private async Task<SessionError> NoAnswerAsync(PeerOptions peer)
    {
        Start(peer with { DialTimeout = TimeSpan.FromSeconds(2) });
        await _news.FirstAsync<NodeEvent.SessionChanged>(changed => changed.To == SessionState.Connect);
        _time.Advance(TimeSpan.FromSeconds(2));
        _speaker!.Wake();
        return (await _news.FirstAsync<NodeEvent.SessionFailed>()).Error;
    }

    private static TcpListener Listen(IPAddress address)
    {
        var listener = new TcpListener(address, 0);
        listener.Start();
        return listener;
    }

    private static void Sign(TcpListener listener, string dialler, TcpMd5 md5) =>
        listener.Server.SetRawSocketOption(6, 14, SocketSecurity.Md5Option(IPAddress.Parse(dialler), md5));

    private static PeerOptions Peer(TcpListener listener) => Peer(((IPEndPoint)listener.LocalEndpoint).Address, ((IPEndPoint)listener.LocalEndpoint).Port);

    private static PeerOptions Peer(IPAddress address, int port) => new()
    {
        Neighbor = new NeighborEndpoint(address, port),
        Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x7f00000b) },
    };

    private void Start(PeerOptions peer)
    {
        _speaker = new BgpSpeaker(
            [peer],
            occurred =>
            {
                _news.Add(occurred);
                return true;
            },
            _time,
            NullLogger<BgpSpeaker>.Instance);
        _speaker.SetAdvertisements(1, ImmutableArray<Bgp.Routes.Advertisement>.Empty);
        _speaker.Start();
    }
}
