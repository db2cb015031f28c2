using System.Net;
using System.Net.Sockets;
using System.Text;
using FailoverHub.Agent.Metrics;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Metrics;

/// <summary>Real connections on loopback, and a clock of the test.</summary>
public sealed class MetricsServerTests : IAsyncLifetime
{
    private const string Page = "up 1\n";

    private readonly FakeTimeProvider _time = new();
    private readonly RecordedLog<MetricsServer> _log = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _clients = [];
    private Func<CancellationToken, Task<string>> _page = _ => Task.FromResult(Page);
    private Task _running = Task.CompletedTask;

    public ValueTask InitializeAsync()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(16);
        _running = new MetricsServer(_listener, cancellation => _page(cancellation), _time, _log).RunAsync(_ending.Token);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _clients.ForEach(client => client.Dispose());
        _listener.Dispose();
        _ending.Dispose();
    }

    [Theory]
    [InlineData("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /metrics?x=1 HTTP/1.0\r\n\r\n")]
    [InlineData("GET /metrics HTTP/1.1\n\n")]
    public async Task Get_IsAnsweredWithThePage_AndTheConnectionEnds(string request)
    {
        Assert.Equal(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 5\r\nCache-Control: no-store\r\nConnection: close\r\n\r\nup 1\n",
            await AskAsync(request));
    }

    [Theory]
    [InlineData("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "404 Not Found")]
    [InlineData("GET /metrics/x HTTP/1.1\r\n\r\n", "404 Not Found")]
    [InlineData("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed")]
    [InlineData("GET /metrics HTTP/2.0\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /metrics\r\n\r\n", "400 Bad Request")]
    [InlineData("\u0016\u0003\u0001\r\n\r\n", "400 Bad Request")]
    [InlineData("\r\n\r\n", "400 Bad Request")]
    public async Task AnythingElse_IsAnsweredAsHttpHasIt(string request, string status)
    {
        var answer = await AskAsync(request);

        Assert.StartsWith($"HTTP/1.1 {status}\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(Page, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_InPieces_IsOneRequest()
    {
        var client = await ConnectAsync();
        foreach (var piece in (string[])["GE", "T /metrics HTTP/1.1\r\nA: b\r\n\r", "\n"])
        {
            await client.SendAsync(Encoding.ASCII.GetBytes(piece), TestContext.Current.CancellationToken);
        }

        Assert.EndsWith(Page, await ReadAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_WithoutEnd_IsRefusedAtItsBound()
    {
        Assert.StartsWith("HTTP/1.1 431 ", await AskAsync("GET /metrics HTTP/1.1\r\nA: " + new string('a', MetricsServer.LongestRequest - 26)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilentClients_AsManyAsThereArePlaces_HoldOthersUpOnlyForTheirTime()
    {
        // Every place is taken by one that is known to be inside: its page is being made.
        var inside = new SemaphoreSlim(0);
        _page = async cancellation =>
        {
            inside.Release();
            return await new TaskCompletionSource<string>().Task.WaitAsync(cancellation);
        };
        for (var place = 0; place < MetricsServer.MostClients; place++)
        {
            var silent = await ConnectAsync();
            await silent.SendAsync("GET /metrics HTTP/1.1\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            await inside.WaitAsync(TestContext.Current.CancellationToken);
        }

        _page = _ => Task.FromResult(Page);
        var waiting = AskAsync("GET /metrics HTTP/1.1\r\n\r\n");
        Assert.False(waiting.IsCompleted);

        _time.Advance(MetricsServer.Patience);

        Assert.EndsWith(Page, await waiting, StringComparison.Ordinal);
        foreach (var silent in _clients.Take(MetricsServer.MostClients))
        {
            Assert.Equal("", await ReadAsync(silent));
        }
    }

    [Fact]
    public async Task SlowClient_ThatTakesNothing_IsLeftBehind()
    {
        _page = _ => Task.FromResult(new string('x', 32 << 20));
        var slow = await ConnectAsync();
        await slow.SendAsync("GET /metrics HTTP/1.1\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        // Its first octets are here, so the rest of the page waits for it.
        await slow.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken);

        _time.Advance(MetricsServer.Patience);

        await _log.Lines.FirstAsync<LoggedLine>(line => line.Text.StartsWith("A client of /metrics went without its answer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PageThatBreaks_CostsItsClientTheAnswer_AndNobodyElse()
    {
        _page = _ => throw new InvalidOperationException("a bug");
        Assert.Equal("", await AskAsync("GET /metrics HTTP/1.1\r\n\r\n"));

        _page = _ => Task.FromResult(Page);
        Assert.EndsWith(Page, await AskAsync("GET /metrics HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.Contains(_log.Lines.Seen, line => line.Exception is InvalidOperationException);
    }

    private async Task<string> AskAsync(string request)
    {
        var client = await ConnectAsync();
        await client.SendAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        return await ReadAsync(client);
    }

    private async Task<Socket> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _clients.Add(client);
        await client.ConnectAsync(_listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        return client;
    }

    // Until the other side ends it, in whichever way.
    private static async Task<string> ReadAsync(Socket client)
    {
        var (text, buffer) = (new StringBuilder(), new byte[4096]);
        try
        {
            while (await client.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var count)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            // What came before counts.
        }

        return text.ToString();
    }
}
