using System.Text.Json;
using FailoverHub.Agent.Tests.Speaker;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>A running agent and those who ask it, each a process of its own.</summary>
[Trait("Kind", "Process")]
public sealed class ControlTests : IAsyncLifetime
{
    private const string Prefix = "127.203.113.10/32";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeRouter _router = new();
    private readonly List<AgentExecutable> _processes = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        await _router.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Status_SaysWhatIsAnnouncedAndHowTheSessionStands()
    {
        await RunAsync();

        var (code, lines, _) = await AskAsync("status");

        Assert.Equal(0, code);
        Assert.StartsWith("node-a: failoverhub-agent ", lines[0], StringComparison.Ordinal);
        Assert.Contains($"{Prefix}  announced as primary on 1 of 1 session (assigned primary, address present)", lines);
        Assert.Contains(lines, line => line.StartsWith($"neighbor {_router.Endpoint}: established for ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("  negotiated            AS 65000, router id ", StringComparison.Ordinal) && line.Contains("hold 9 s, keepalive 3 s", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("  messages sent         1 OPEN, 1 UPDATE, ", StringComparison.Ordinal));
        Assert.Contains("  flaps                 0, came up once", lines);
    }

    [Fact]
    public async Task StatusAsJson_IsForScripts()
    {
        await RunAsync();

        var (code, lines, _) = await AskAsync("status", "--json");

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(string.Join('\n', lines));
        var session = json.RootElement.GetProperty("sessions")[0];
        Assert.Equal("established", session.GetProperty("state").GetString());
        Assert.Equal(9, session.GetProperty("negotiated").GetProperty("holdSeconds").GetDouble());
        Assert.Equal(JsonValueKind.Null, session.GetProperty("lastError").ValueKind);
        Assert.True(json.RootElement.GetProperty("prefixes")[0].GetProperty("announced").GetBoolean());
    }

    [Fact]
    public async Task Trace_IsOneLineAMessage()
    {
        await RunAsync();

        foreach (var neighbor in new[] { [], new[] { _router.Endpoint.ToString() }, [_router.Endpoint.Address.ToString()] })
        {
            var (code, lines, _) = await AskAsync(["trace", .. neighbor]);

            Assert.Equal(0, code);
            Assert.Contains(lines, line => line.Contains($"  {_router.Endpoint}  sent      OPEN ", StringComparison.Ordinal));
            Assert.Contains(lines, line => line.Contains("  received  OPEN ", StringComparison.Ordinal));
            Assert.Contains(lines, line => line.Contains("  sent      UPDATE ", StringComparison.Ordinal) && line.Contains(Prefix, StringComparison.Ordinal));
        }

        var (_, json, _) = await AskAsync("trace", "--json");
        using var document = JsonDocument.Parse(string.Join('\n', json));
        Assert.Equal("open", document.RootElement.GetProperty("messages")[0].GetProperty("type").GetString());

        var (refused, _, error) = await AskAsync("trace", "192.0.2.77");
        Assert.Equal(1, refused);
        Assert.Contains($"none of this node's neighbors: {_router.Endpoint}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoAgentThere_ExitsWith3_AndSaysSo()
    {
        var (code, _, error) = await AskAsync("status");

        Assert.Equal(3, code);
        Assert.Contains($"no agent answers at {_directory.At("control.sock")} (there is no such socket)", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AgentKilled_TheNextOneTakesItsPlace_AndLeavesNothingBehind()
    {
        var killed = await RunAsync();
        killed.Kill();
        await killed.ExitAsync();
        Assert.True(File.Exists(_directory.At("control.sock")));
        Assert.Equal(3, (await AskAsync("status")).Code);

        var next = await RunAsync(connection: 2);
        Assert.Equal(0, (await AskAsync("status")).Code);
        next.Terminate();
        Assert.Equal(0, await next.ExitAsync());
        Assert.False(File.Exists(_directory.At("control.sock")));
    }

    [Fact]
    public async Task SocketCannotBeMade_TheAgentAnnouncesAllTheSame_AndSaysSo()
    {
        var agent = await RunAsync(flags: ["--control", _directory.At("no/such/place.sock")]);

        await agent.Output.FirstAsync<string>(line => line.Contains("No control socket at", StringComparison.Ordinal));
        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
    }

    private async Task<AgentExecutable> RunAsync(int connection = 1, params string[] flags)
    {
        var agent = Start(["run", "--node", "node-a", "--primary", "--announce", Prefix, "--state", _directory.Root, "--local-address", "127.0.0.11", "--neighbor", _router.Endpoint.ToString(), .. flags]);
        await _router.Log.FirstAsync<Seen.Update>(update => update.Connection == connection && update.Announces(Prefix, FakeRouter.Primary));
        await agent.Output.FirstAsync<string>(line => line.Contains("established: hold", StringComparison.Ordinal));
        return agent;
    }

    private async Task<(int Code, List<string> Lines, string Error)> AskAsync(params string[] arguments)
    {
        var asking = Start([.. arguments, "--state", _directory.Root]);
        var code = await asking.ExitAsync();
        var output = await asking.Output.UntilAsync(seen => seen.Contains("(end)"));
        var error = await asking.Error.UntilAsync(seen => seen.Contains("(end)"));
        return (code, [.. output.SkipLast(1)], string.Join('\n', error.SkipLast(1)));
    }

    private AgentExecutable Start(params IEnumerable<string> arguments)
    {
        var process = AgentExecutable.Start(arguments);
        _processes.Add(process);
        return process;
    }
}
