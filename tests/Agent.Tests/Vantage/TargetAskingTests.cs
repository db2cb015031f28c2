using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Tests.Checks;
using FailoverHub.Agent.Vantage;
using FailoverHub.Agent.Vantage.Echoes;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Vantage;

/// <summary>Over real sockets of this machine, whose addresses count as somebody else's unless a test says otherwise.</summary>
public sealed class TargetAskingTests : IAsyncDisposable
{
    private static readonly TimeSpan _generous = TimeSpan.FromSeconds(10);

    private readonly HashSet<IPAddress> _own = [];
    private readonly RecordedLog<TargetAsking> _log = new();
    private readonly NameLookup _names = new(name => name == "shop.example" ? [IPAddress.Loopback] : name == "bad.example" ? [IPAddress.Parse("169.254.169.254"), IPAddress.Parse("127.0.0.2")] : throw new SocketException((int)SocketError.HostNotFound));
    private TargetAsking? _asking;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await (_asking?.ReleaseAsync() ?? Task.CompletedTask);
        _names.Dispose();
    }

    [Fact]
    public async Task Tcp_ListensRefusesAndIsSilent()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Assert.True((await AskAsync(new VantageWay.Tcp(IPAddress.Loopback, Port(listener.Server)))).RoundTrip > TimeSpan.Zero);

        // Bound, so that nobody else gets it, and never listening.
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal(ProbeOutcome.Lost("connection refused: nobody listens there"), await AskAsync(new VantageWay.Tcp(IPAddress.Loopback, Port(closed))));

        // A listener whose queue is full answers no further SYN.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await filler.ConnectAsync(full.LocalEndPoint!, Cancellation);
        Assert.Equal(ProbeOutcome.Lost(""), await AskAsync(new VantageWay.Tcp(IPAddress.Loopback, Port(full)), TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task Http_IsAnsweredByStatusAndBody()
    {
        await using var server = new WebServer(WebServer.Page("200 OK", "all is well"));
        var page = new ProbeOptions.Http(server.Url()) { ConnectTo = "127.0.0.1", Statuses = [new StatusRange(200, 399)], Body = BodyPattern.Containing("well") };

        Assert.True((await AskAsync(new VantageWay.Http(IPAddress.Loopback, page))).RoundTrip > TimeSpan.Zero);
        server.Answer = WebServer.Page("503 Oh", "all is well");
        Assert.Equal(ProbeOutcome.Lost("status 503 instead of 200-399"), await AskAsync(new VantageWay.Http(IPAddress.Loopback, page)));
        server.Answer = WebServer.Page("200 OK", "oh");
        Assert.Equal(ProbeOutcome.Lost("status 200, but the body has no 'well' in it"), await AskAsync(new VantageWay.Http(IPAddress.Loopback, page)));
    }

    [Fact]
    public async Task Https_CertificateThatHasEnded_IsNoAnswer_AlsoWhereAnyIsTrusted()
    {
        await using var server = new WebServer(WebServer.Page("200 OK"), Certificates.Server("shop.example", null, days: -1));
        var page = new ProbeOptions.Http(server.Url()) { VerifyCertificate = false, MinimumCertificateDays = 0 };

        Assert.StartsWith("its certificate expired on ", (await AskAsync(new VantageWay.Http(null, page with { ConnectTo = "127.0.0.1" }))).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http_ByName_IsLookedUpEachTime_AndGoesOnlyWhereAnAddressWouldBeAsked()
    {
        await using var server = new WebServer(WebServer.Page("200 OK"));
        VantageWay Page(string name) => new VantageWay.Http(null, new ProbeOptions.Http(new Uri($"http://{name}:{server.Port}/")));

        Assert.True((await AskAsync(Page("shop.example"))).RoundTrip > TimeSpan.Zero);
        Assert.Equal("its name cannot be resolved", (await AskAsync(Page("nobody.example"))).Error);
        _own.Add(IPAddress.Parse("127.0.0.2"));
        var refused = await AskAsync(Page("bad.example"));

        Assert.Contains("bad.example leads to 127.0.0.2: this node has the address itself", refused.Problem, StringComparison.Ordinal);
        Assert.Single(server.Seen.Seen);
    }

    [Fact]
    public async Task OwnAddress_IsAProblem_UntilItIsSomebodyElses()
    {
        var time = new FakeTimeProvider();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var way = new VantageWay.Tcp(IPAddress.Loopback, Port(listener.Server));
        _own.Add(IPAddress.Loopback);
        _asking = Asking(time: time);

        Assert.Equal(TargetAsking.OwnAddress, (await AskAsync(way)).Problem);
        _own.Clear();
        Assert.Equal(TargetAsking.OwnAddress, (await AskAsync(way)).Problem);
        time.Advance(TargetAsking.LookAgainAfter);

        Assert.NotNull((await AskAsync(way)).RoundTrip);
    }

    [Fact]
    public async Task NoRoute_IsAProblemOfThisNode_AndNotALostProbe()
    {
        _asking = new TargetAsking(_ => AddressStanding.NoRoute, IcmpSocket.Opener(TimeProvider.System), _names, TimeProvider.System, _log);

        var outcome = await AskAsync(new VantageWay.Icmp(IPAddress.Parse("2001:db8::1")));

        Assert.Null(outcome.RoundTrip);
        Assert.Contains("no route", outcome.Problem, StringComparison.Ordinal);
    }

    /// <summary>A broadcast is what no machine lets out of a socket that has not asked for it: as without a route, nobody was asked anything.</summary>
    [Fact]
    public async Task ProbeThatTheMachineDoesNotLetOut_IsAProblemOfThisNode_ByTcpAndByHttp()
    {
        var page = new ProbeOptions.Http(new Uri("http://web.example/")) { ConnectTo = IPAddress.Broadcast.ToString() };

        foreach (var way in new VantageWay[] { new VantageWay.Tcp(IPAddress.Broadcast, 443), new VantageWay.Http(IPAddress.Broadcast, page) })
        {
            var outcome = await AskAsync(way);
            Assert.Null(outcome.RoundTrip);
            Assert.StartsWith("this node could not send to it: ", outcome.Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task IcmpSocketThatMayNotBeOpened_IsAProblemWithARemedy_SaidOnce_AndTriedAgainLater()
    {
        var time = new FakeTimeProvider();
        var tries = 0;
        _asking = Asking(time, _ =>
        {
            tries++;
            return (null, "Operation not permitted");
        });
        var way = new VantageWay.Icmp(IPAddress.Loopback);

        var first = await AskAsync(way);
        await AskAsync(way);
        Assert.Equal(1, tries);
        time.Advance(TargetAsking.OpenAgainAfter);
        await AskAsync(way);

        Assert.Equal(2, tries);
        Assert.StartsWith("this node may not open an ICMP socket (Operation not permitted); widen net.ipv4.ping_group_range", first.Problem, StringComparison.Ordinal);
        Assert.Contains("CAP_NET_RAW", Assert.Single(_log.Lines.Seen).Text, StringComparison.Ordinal);
    }

    /// <summary>Where this machine allows ICMP it must be answered, by one socket for all; where it does not, it must be said what to do.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Icmp_ToThisMachine_IsAnswered_OverOneSocket(string text)
    {
        var address = IPAddress.Parse(text);
        var opened = 0;
        _asking = Asking(open: family =>
        {
            opened++;
            return IcmpSocket.Opener(TimeProvider.System)(family);
        });

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => AskAsync(new VantageWay.Icmp(address))));

        Assert.Equal(1, opened);
        Assert.All(outcomes, outcome => Assert.True(outcome.RoundTrip > TimeSpan.Zero || outcome.Problem is { Length: > 0 }, outcome.Error));
        Assert.True(Environment.UserName != "root" || address.AddressFamily == AddressFamily.InterNetworkV6 || outcomes.All(outcome => outcome.RoundTrip is not null), "Root may ping.");
    }

    [Fact]
    public async Task NameThatHangs_HoldsNoMoreThanItsOwnThread_AndEndsWithItsProbe()
    {
        using var hangs = new ManualResetEventSlim();
        using var names = new NameLookup(_ =>
        {
            hangs.Wait(Cancellation);
            return [IPAddress.Loopback];
        });
        _asking = new TargetAsking(_ => AddressStanding.Elsewhere, _ => (null, ""), names, TimeProvider.System, _log);
        var way = new VantageWay.Http(null, new ProbeOptions.Http(new Uri("http://slow.example/")));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 2 * NameLookup.Most).Select(_ => AskAsync(way, TimeSpan.FromMilliseconds(50))));

        Assert.All(outcomes, outcome => Assert.Equal(ProbeOutcome.Lost(""), outcome));
        hangs.Set();
        Assert.Equal([IPAddress.Loopback], await names.FindAsync("slow.example", Cancellation));
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private TargetAsking Asking(TimeProvider? time = null, Func<AddressFamily, (IcmpSocket? Socket, string? Problem)>? open = null) =>
        new(address => _own.Contains(address) ? AddressStanding.Own : AddressStanding.Elsewhere, open ?? IcmpSocket.Opener(TimeProvider.System), _names, time ?? TimeProvider.System, _log);

    private Task<ProbeOutcome> AskAsync(VantageWay way, TimeSpan? timeout = null) =>
        (_asking ??= Asking()).AskAsync(new VantageTask(1, way, TimeSpan.FromSeconds(1), timeout ?? _generous), Cancellation);
}
