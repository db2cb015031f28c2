using System.Net.Sockets;
using System.Text;
using FailoverHub.Agent.Control;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Control;

/// <summary>A client can harm nobody but itself.</summary>
public sealed class ControlServerTests : IAsyncDisposable
{
    private const string Question = "{\"command\":\"status\"}\n";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ControlSocket _socket;
    private readonly Signal<ControlRequest> _asked = new();
    private readonly Task _running;
    private Func<CancellationToken, Task<ControlAnswer>> _answer = _ => Task.FromResult(new ControlAnswer { Error = "asked" });

    public ControlServerTests()
    {
        _socket = ControlSocket.Open(_directory.At("control.sock")).Socket!;
        var server = new ControlServer(
            _socket,
            (request, _, cancellation) =>
            {
                _asked.Add(request);
                return _answer(cancellation);
            },
            _time,
            NullLogger<ControlServer>.Instance);
        _running = Task.Run(() => server.RunAsync(_end.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _socket.Dispose();
        _end.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("{\"command\":\"status\"}\n", "status", null)]
    [InlineData("{\"command\":\"trace\",\"neighbor\":\"2001:db8::1\"}", "trace", "2001:db8::1")]
    [InlineData("{}\n", null, null)]
    public async Task Asked_AnswersWithOneLine_AndCloses(string question, string? command, string? neighbor)
    {
        Assert.Equal("{\"error\":\"asked\"}\n", await AskAsync(question));
        Assert.Equal(new ControlRequest(command, neighbor), Assert.Single(_asked.Seen));
    }

    [Theory]
    [InlineData("status\n")]
    [InlineData("[1]\n")]
    [InlineData("null\n")]
    [InlineData("{\"command\":7}\n")]
    [InlineData("\n")]
    [InlineData("")]
    [InlineData("\u0000\u00ff\n")]
    public async Task Nonsense_IsAnsweredWithAnError(string question)
    {
        Assert.StartsWith("{\"error\":\"the request is no JSON object", await AskAsync(question), StringComparison.Ordinal);
        Assert.Empty(_asked.Seen);
    }

    [Fact]
    public async Task RequestWithoutEnd_IsRefused()
    {
        Assert.StartsWith("{\"error\":\"the request is longer than 4096 octets", await AskAsync(new string('x', ControlServer.LongestRequest + 1)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientsThatHang_LoseTheirPlaces_AndTheNextOneIsAnswered()
    {
        var hanging = Enumerable.Range(0, ControlServer.MostClients).Select(_ => Connect()).ToList();
        await hanging[0].SendAsync("{\"comm"u8.ToArray(), TestContext.Current.CancellationToken);

        // The patience with each begins when it is accepted, which nobody outside sees: so time goes on until the last of them is turned away.
        var turnedAway = Task.WhenAll(hanging.Select(ReadAsync));
        await PassAsync(ControlServer.RequestPatience, turnedAway);

        Assert.All(await turnedAway, answer => Assert.Equal("", answer));
        Assert.Equal("{\"error\":\"asked\"}\n", await AskAsync(Question));
        hanging.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task AnswerThatTakesTooLong_IsGivenUp()
    {
        _answer = new TaskCompletionSource<ControlAnswer>().Task.WaitAsync;
        var slow = AskAsync(Question);
        await _asked.FirstAsync<ControlRequest>();

        await PassAsync(ControlServer.AnswerPatience, slow);

        Assert.Equal("", await slow);
    }

    [Fact]
    public async Task AnswerThatBreaks_CostsOnlyItsClient()
    {
        _answer = _ => throw new InvalidOperationException("a bug");
        Assert.Equal("", await AskAsync(Question));

        _answer = _ => Task.FromResult(new ControlAnswer { Error = "well again" });
        Assert.Equal("{\"error\":\"well again\"}\n", await AskAsync(Question));
    }

    [Fact]
    public async Task ClientThatTakesNothing_IsGivenUp()
    {
        _answer = _ => Task.FromResult(new ControlAnswer { Error = new string('x', 8 * 1024 * 1024) });
        using var deaf = Connect();
        await deaf.SendAsync(Encoding.UTF8.GetBytes(Question), TestContext.Current.CancellationToken);
        await _asked.FirstAsync<ControlRequest>();

        // The end of the agent does not wait for it either.
        await _end.CancelAsync();
        await _running;
    }

    private async Task PassAsync(TimeSpan step, Task until)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (!until.IsCompleted)
        {
            safety.Token.ThrowIfCancellationRequested();
            _time.Advance(step);
            await Task.Yield();
        }
    }

    private async Task<string> AskAsync(string question)
    {
        using var client = Connect();
        await client.SendAsync(Encoding.Latin1.GetBytes(question), TestContext.Current.CancellationToken);
        client.Shutdown(SocketShutdown.Send);
        return await ReadAsync(client);
    }

    private static async Task<string> ReadAsync(Socket client)
    {
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await client.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var count)
            {
                answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed with something unread: for the client the same.
        }

        return answer.ToString();
    }

    private Socket Connect()
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(_socket.Path));
        return client;
    }
}
