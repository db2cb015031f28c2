using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using FailoverHub.Web.Access;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>
/// Who opens connections and then says little, or nothing, on either port and at each layer: the connection is closed, and the others are served meanwhile. What Kestrel counts by the machine's
/// clock is set to a second here; what the hub sets is asserted beside it.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class SlowConnectionTests : TlsHubTest
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Preface, empty SETTINGS, and the beginning of a request's headers (:method GET) whose end never comes: no END_HEADERS.
    private static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];
    private static readonly byte[] HeadersWithoutEnd = [0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82];

    private protected override void Configure(IServiceCollection services) => services.Configure<KestrelServerOptions>(kestrel =>
    {
        Assert.Equal((BrowserConnections.HeadersWithin, BrowserConnections.IdleFor), (kestrel.Limits.RequestHeadersTimeout, kestrel.Limits.KeepAliveTimeout));
        (kestrel.Limits.RequestHeadersTimeout, kestrel.Limits.KeepAliveTimeout) = (Soon, Soon);
        Assert.Equal((BrowserConnections.BodyRate, BrowserConnections.LargestBody), (kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MaxRequestBodySize));
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(BrowserConnections.BodyRate.BytesPerSecond, TimeSpan.FromSeconds(1.1));
    });

    [Fact]
    public async Task HandshakesThatComeOctetByOctet_AreClosedWhenTheirMinuteIsOver()
    {
        await using var agent = await ServedAsync();
        var slow = new List<(TcpClient Socket, Task<int> Ended)>();
        for (var i = 0; i < 20; i++)
        {
            var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, new Uri(Url).Port, Stop);
            slow.Add((socket, ReadToEndAsync(socket.GetStream())));
        }

        // The header of a record with a ClientHello of 512 octets, of which no more than a few ever come.
        byte[] hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3];
        for (var sent = 0; slow.Exists(s => !s.Ended.IsCompleted); sent++)
        {
            foreach (var (socket, ended) in slow.Where(s => !s.Ended.IsCompleted && sent < hello.Length))
            {
                _ = await Record.ExceptionAsync(() => socket.GetStream().WriteAsync(hello.AsMemory(sent, 1), Stop).AsTask());
            }

            // The hub may not have taken a connection when the clock moves; so it moves until all are closed.
            Time.Advance(UnprovenConnections.FirstOctetWithin / 5);
            await Task.Yield();
        }

        slow.ForEach(s => s.Socket.Dispose());
        await StillServedAsync(agent);
    }

    [Fact]
    public async Task HandshakesOfAWholeFleet_GoOnSoManyAtATimeAndTheRestAreClosedAtOnce()
    {
        var log = new LastLines();
        using var logging = LoggerFactory.Create(l => l.AddProvider(log));
        using var queue = new HandshakeQueue(Time, logging.CreateLogger<HandshakeQueue>());
        var begun = new List<HandshakeQueue.Turn?>();
        for (var i = 0; i < HandshakeQueue.AtOnce; i++)
        {
            begun.Add(await queue.EnterAsync(Stop));
        }

        var waiting = Enumerable.Range(0, HandshakeQueue.Waiting).Select(_ => queue.EnterAsync(Stop).AsTask()).ToList();
        Assert.DoesNotContain(null, begun);
        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        Assert.Null(await queue.EnterAsync(Stop));
        Assert.Null(await queue.EnterAsync(Stop));
        Assert.Single(log.Lines);

        // One is done, and leaves but once; who has waited longest is next.
        begun[0]!.Leave();
        begun[0]!.Dispose();
        Assert.NotNull(await waiting[0]);
        Assert.False(waiting[1].IsCompleted);

        // The others do not go on: they hold nobody up for longer than their turn.
        Time.Advance(HandshakeQueue.TurnFor);
        Assert.All(await Task.WhenAll(waiting[1..(HandshakeQueue.AtOnce + 1)]), Assert.NotNull);

        // A connection that is gone waits no more.
        using var gone = new CancellationTokenSource();
        var left = queue.EnterAsync(gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("half a preface")]
    [InlineData("headers without an end")]
    public async Task ConnectionWithACertificateThatGetsNoFurther_IsClosed(string than)
    {
        await using var agent = await ServedAsync();
        var node = await JoinedAsync("web-2");
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(Url).Port, Stop);
        await using var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                ClientCertificateContext = SslStreamCertificateContext.Create(node.Certificate!, null, offline: true),
            },
            Stop);

        await stream.WriteAsync(than switch { "nothing" => [], "half a preface" => Preface[..10], _ => [.. Preface, .. HeadersWithoutEnd] }, Stop);

        await ReadToEndAsync(stream).WaitAsync(Patience, Stop);
        await StillServedAsync(agent);
    }

    [Fact]
    public async Task RequestWhoseLinesNeverEnd_OnTheBrowsersPort_IsClosedAndOthersAreAnswered()
    {
        await using WholeHub hub = await WholeHub.StartAsync(builder => Configure(builder.Services));
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, hub.BrowserUrl.Port, Stop);

        await socket.GetStream().WriteAsync("GET /healthz/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "u8.ToArray(), Stop);

        HttpClient other = hub.Browser();
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/healthz/live", Stop)).StatusCode);
        using var answer = new MemoryStream();
        await socket.GetStream().CopyToAsync(answer, Stop).WaitAsync(Patience, Stop);
        Assert.StartsWith("HTTP/1.1 408 ", Encoding.ASCII.GetString(answer.ToArray()), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/healthz/live", Stop)).StatusCode);
    }

    /// <summary>A form of a page that was really fetched, so that its body is what the hub waits for; then one octet, and no more.</summary>
    [Theory]
    [InlineData("/sign-in/password")]
    [InlineData("/sign-in")]
    public async Task BodyThatHardlyComes_OnTheBrowsersPort_IsCutAndOthersAreAnswered(string path)
    {
        await using WholeHub hub = await WholeHub.StartAsync(builder => Configure(builder.Services));
        HttpClient other = hub.Browser();
        using HttpResponseMessage page = await other.GetAsync("/sign-in", Stop);
        string cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, hub.BrowserUrl.Port, Stop);
        string head = $"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\nn";

        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Stop);

        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/healthz/live", Stop)).StatusCode);
        Assert.Equal(0, await ReadToEndAsync(socket.GetStream()).WaitAsync(Patience, Stop));
        using HttpResponseMessage afterwards = await other.GetAsync("/sign-in", Stop);
        Assert.Equal(HttpStatusCode.OK, afterwards.StatusCode);
    }

    [Fact]
    public async Task BodyThatIsTooLarge_OnTheBrowsersPort_IsNotReadToItsEnd()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient browser = hub.Browser();
        using HttpResponseMessage page = await browser.GetAsync("/sign-in", Stop);
        string cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, hub.BrowserUrl.Port, Stop);
        string head = $"POST /sign-in/password HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {BrowserConnections.LargestBody + 1}\r\n\r\n";

        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Stop);

        // None of the body was sent, and the answer is there.
        byte[] begins = new byte[12];
        await socket.GetStream().ReadExactlyAsync(begins, Stop).AsTask().WaitAsync(Patience, Stop);
        Assert.Contains(Encoding.ASCII.GetString(begins), (string[])["HTTP/1.1 400", "HTTP/1.1 413"]);
    }

    [Fact]
    public async Task ConnectionsToTheBrowsersPort_AreSoManyFromOneAddressAndThoseOfOthersAreTaken()
    {
        var log = new LastLines();
        using var logging = LoggerFactory.Create(l => l.AddProvider(log));
        var connections = new BrowserConnections(Time, logging.CreateLogger<BrowserConnections>());
        var (end, served) = (new TaskCompletionSource(), 0);

        Task Serve(string from, DefaultConnectionContext? connection = null)
        {
            connection ??= new DefaultConnectionContext();
            connection.RemoteEndPoint = new IPEndPoint(IPAddress.Parse(from), 4711);
            return connections.ServeAsync(connection, _ =>
            {
                served++;
                return end.Task;
            });
        }

        var open = Enumerable.Range(0, BrowserConnections.PerAddress).Select(_ => Serve("192.0.2.1")).ToList();
        var refused = new DefaultConnectionContext();
        await Serve("192.0.2.1", refused);
        await Serve("192.0.2.1");
        Task other = Serve("192.0.2.2");

        var closed = new TaskCompletionSource();
        await using var registration = refused.ConnectionClosed.Register(closed.SetResult);
        await closed.Task.WaitAsync(Patience, Stop);
        Assert.Equal(BrowserConnections.PerAddress + 1, served);
        Assert.Single(log.Lines);
        end.SetResult();
        await Task.WhenAll([.. open, other]);
        await Serve("192.0.2.1");
        Assert.Equal(BrowserConnections.PerAddress + 2, served);
    }

    private async Task<FakeAgent> ServedAsync()
    {
        var agent = await (await JoinedAsync("web-1")).ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        return agent;
    }

    private async Task StillServedAsync(FakeAgent agent)
    {
        await agent.ReportAsync(r => r.Drained = true);
        await Hub.UntilAsync(s => s.FindNode("web-1") is { Link: NodeLink.Connected, Drained: true });
    }

    private static async Task<int> ReadToEndAsync(Stream stream)
    {
        var bytes = new byte[1_024];
        try
        {
            while (await stream.ReadAsync(bytes, Stop) > 0)
            {
                // SETTINGS, GOAWAY: whatever it says before it closes.
            }
        }
        catch (IOException)
        {
            // Closed all the same.
        }

        return 0;
    }
}
