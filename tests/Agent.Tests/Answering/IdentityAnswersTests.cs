using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using FailoverHub.Agent.Answering;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Answering;

/// <summary>Over real sockets: every address of 127.0.0.0/8 is this machine's, and ::1.</summary>
public sealed class IdentityAnswersTests : IAsyncDisposable
{
    private static readonly IPAddress _shared = IPAddress.Parse("127.203.113.10");
    private static readonly IPAddress _alsoShared = IPAddress.Parse("127.203.113.11");
    private static readonly IPAddress _own = IPAddress.Parse("127.0.0.1");

    private readonly CancellationTokenSource _end = new();
    private readonly RecordedLog<IdentityAnswers> _log = new();
    private readonly ConcurrentDictionary<IPAddress, bool> _sharedNow = new([new(_shared, true), new(_alsoShared, true), new(IPAddress.IPv6Loopback, true)]);
    private readonly int _port = FreePort();
    private readonly IdentityAnswers _answers;
    private readonly Task _running;

    public IdentityAnswersTests()
    {
        _answers = new IdentityAnswers(_port, _sharedNow.ContainsKey, TimeProvider.System, _log);
        _running = Task.Run(() => _answers.RunAsync(_end.Token));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _answers.Dispose();
        _end.Dispose();
    }

    [Theory]
    [InlineData("127.203.113.10")]
    [InlineData("127.203.113.11")]
    [InlineData("::1")]
    public async Task SharedAddress_Answers_FromItself_WhoThisIs(string address)
    {
        await BeginAsync();
        using var asker = Asker(IPAddress.Parse(address));

        // Connected: the kernel takes an answer from nowhere else than where the request went.
        await asker.ConnectAsync(IPAddress.Parse(address), _port, Cancellation);
        await asker.SendAsync(Request(IPAddress.Parse(address), nonce: 7), Cancellation);

        Assert.Equal((7, "node-a"), await AnswerAsync(asker));
    }

    /// <summary>What is asked last is answered last: whatever comes before it came of none of the others.</summary>
    [Fact]
    public async Task OtherAddress_ShortRequest_WrongDigest_RequestForAnotherAddress_AreNotAnswered()
    {
        await BeginAsync();
        using var asker = Asker(_shared);

        await SendAsync(asker, _own, Request(_own, 1));
        await SendAsync(asker, _shared, Request(_shared, 2)[..68]);
        await SendAsync(asker, _shared, [.. Request(_shared, 3), 0]);
        await SendAsync(asker, _shared, Request(_alsoShared, 4));
        var unsigned = Request(_shared, 5);
        unsigned[40] ^= 1;
        await SendAsync(asker, _shared, unsigned);
        await SendAsync(asker, _shared, []);
        await SendAsync(asker, _shared, Request(_shared, 6));

        Assert.Equal((6, "node-a"), await AnswerAsync(asker));
        Assert.Equal(0, asker.Available);
    }

    /// <summary>In one moment, so that nobody's budget fills meanwhile: more names than are told apart send the hub's request again, and then it asks itself.</summary>
    [Fact]
    public async Task RequestThatSomebodyRecorded_SentAgainInManyNames_LeavesTheHubItsAnswer()
    {
        await _end.CancelAsync();
        await _running;
        using var end = new CancellationTokenSource();
        using var answers = new IdentityAnswers(_port, _sharedNow.ContainsKey, new FakeTimeProvider(), _log);
        var running = Task.Run(() => answers.RunAsync(end.Token), Cancellation);
        answers.Take(IdentityDatagramTests.Grant("node-a"));
        await SaidAsync($"answered on UDP port {_port}");
        for (var name = 1; name <= 2 * AnswerBudget.MostAskers; name++)
        {
            using var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            other.Bind(new IPEndPoint(IPAddress.Parse($"127.77.0.{name}"), 0));
            await SendAsync(other, _shared, Request(_shared, 1));
            Assert.Equal((1, "node-a"), await AnswerAsync(other));
        }

        using var hub = Asker(_shared);
        await SendAsync(hub, _shared, Request(_shared, 2));
        Assert.Equal((2, "node-a"), await AnswerAsync(hub));
        await end.CancelAsync();
        await running;
    }

    [Fact]
    public async Task AddressGoesAndComes_IsAnsweredWhileItIsThere()
    {
        await BeginAsync();
        using var asker = Asker(_shared);

        _sharedNow.TryRemove(_shared, out _);
        await SendAsync(asker, _shared, Request(_shared, 1));
        await SendAsync(asker, _alsoShared, Request(_alsoShared, 2));
        Assert.Equal((2, "node-a"), await AnswerAsync(asker));
        _sharedNow[_shared] = true;
        await SendAsync(asker, _shared, Request(_shared, 3));

        Assert.Equal((3, "node-a"), await AnswerAsync(asker));
    }

    [Fact]
    public async Task NoHubHasGivenAnything_NoPortIsTaken()
    {
        using (var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ExclusiveAddressUse = true })
        {
            other.Bind(new IPEndPoint(IPAddress.Any, _port));
            Assert.Equal(0, _answers.Port);
        }

        await BeginAsync();
        Assert.Equal(_port, _answers.Port);
        _answers.Take(null);
        await SaidAsync($"no longer answered on UDP port {_port}");
        Assert.True(IsFree(_port));
    }

    [Fact]
    public async Task PortIsChanged_TheOtherOneAnswers_AndZeroIsNone()
    {
        await BeginAsync();
        var other = FreePort();

        _answers.Configure(other);
        await SaidAsync($"UDP port {other}");
        using (var asker = Asker(_shared))
        {
            await SendAsync(asker, _shared, Request(_shared, 9), other);
            Assert.Equal((9, "node-a"), await AnswerAsync(asker));
        }

        Assert.True(IsFree(_port));
        _answers.Configure(0);
        await SaidAsync($"no longer answered on UDP port {other}");
        Assert.True(IsFree(other));
    }

    [Fact]
    public async Task PortIsTaken_IsSaidWithWhatToDo_AndAnotherOneIsAsGood()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        other.Bind(new IPEndPoint(IPAddress.Any, _port));

        _answers.Take(IdentityDatagramTests.Grant("node-a"));
        await SaidAsync("--identity-port PORT");
        Assert.Equal(0, _answers.Port);
        var free = FreePort();
        _answers.Configure(free);

        await SaidAsync($"answered on UDP port {free}");
    }

    [Fact]
    public async Task SameGrantAgain_WithTheNextStream_TheSocketStays()
    {
        await BeginAsync();

        _answers.Take(IdentityDatagramTests.Grant("node-a"));
        using var asker = Asker(_shared);
        await SendAsync(asker, _shared, Request(_shared, 1));

        Assert.Equal((1, "node-a"), await AnswerAsync(asker));
        Assert.Single(_log.Lines.Seen);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static Socket Asker(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback, 0));
        return socket;
    }

    private static byte[] Request(IPAddress address, byte nonce)
    {
        var grant = IdentityDatagramTests.Grant("node-a");
        var request = new byte[128];
        Encoding.ASCII.GetBytes("FHQ1").CopyTo(request, 0);
        request[4] = nonce;
        address.MapToIPv6().GetAddressBytes().CopyTo(request, 20);
        HMACSHA256.HashData(grant.AskKey, request.AsSpan(0, 36), request.AsSpan(36));
        return request;
    }

    private static async Task<(int Nonce, string Label)> AnswerAsync(Socket asker)
    {
        var answer = new byte[200];
        var length = await asker.ReceiveAsync(answer, Cancellation).AsTask().WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.Equal("FHA1", Encoding.ASCII.GetString(answer, 0, 4));
        Assert.Equal(length, 53 + answer[52]);
        return (answer[4], Encoding.ASCII.GetString(answer, 53, answer[52]));
    }

    private async Task SendAsync(Socket asker, IPAddress to, byte[] datagram, int? port = null) => await asker.SendToAsync(datagram, new IPEndPoint(to, port ?? _port), Cancellation);

    private async Task BeginAsync()
    {
        _answers.Take(IdentityDatagramTests.Grant("node-a"));
        await SaidAsync($"answered on UDP port {_port}");
    }

    private async Task SaidAsync(string words) => await _log.Lines.UntilAsync(seen => seen.Any(line => line.Text.Contains(words, StringComparison.Ordinal)));

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
