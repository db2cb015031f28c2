using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FailoverHub.Agent.Checks.Probes;
using FailoverHub.Agent.Tests.Speaker;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>The agent as a process, with health checks.</summary>
[Trait("Kind", "Process")]
public sealed class CheckTests : IAsyncLifetime
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
    public async Task ServiceThatFails_Withdraws_AndAnnouncesWhenItIsBack()
    {
        using var reserved = new ReservedPort();
        var port = reserved.Number;
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        var agent = await RunAsync($$"""{ "name": "web", "tcp": { "port": {{port}} }, "interval": 0.2, "fastInterval": 0.1, "rise": 2, "fall": 2 }""");
        await _router.Log.FirstAsync<Seen.Update>(update => update.Announces(Prefix, FakeRouter.Primary));

        listener.Stop();
        await _router.Log.FirstAsync<Seen.Update>(update => update.Withdraws(Prefix));
        await agent.Output.FirstAsync<string>(line => line.Contains($"check web (tcp 127.0.0.1:{port}) is unhealthy: connection refused: nobody listens there (2 times in a row); 1 prefix withdrawn", StringComparison.Ordinal));
        var seen = _router.Log.Seen.Count;

        using var again = new TcpListener(IPAddress.Loopback, port);
        again.Start();
        await _router.Log.FirstAsync<Seen.Update>(update => update.Announces(Prefix, FakeRouter.Primary), seen);
        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
    }

    [Fact]
    public async Task CheckThatDemotes_ChangesTheRole_AndStatusShowsIt()
    {
        var broken = _directory.At("broken");
        await RunAsync($$"""{ "name": "disk", "command": { "run": "echo looked; test ! -e {{broken}}" }, "interval": 0.2, "fastInterval": 0.1, "fall": 2, "consequence": "demote" }""");
        await _router.Log.FirstAsync<Seen.Update>(update => update.Announces(Prefix, FakeRouter.Primary));

        await File.WriteAllTextAsync(broken, "", TestContext.Current.CancellationToken);
        await _router.Log.FirstAsync<Seen.Update>(update => update.Announces(Prefix, FakeRouter.Secondary));

        var lines = await AskAsync("status");
        Assert.Contains(lines, line => line.StartsWith("check disk: UNHEALTHY for ", StringComparison.Ordinal));
        Assert.Contains($"  command               echo looked; test ! -e {broken}", lines);
        Assert.Contains(lines, line => line.StartsWith("  last run ", StringComparison.Ordinal) && line.EndsWith("BAD: exit code 1: looked", StringComparison.Ordinal));
        Assert.Contains("  unhealthy means       all prefixes announced as secondary at most", lines);
        using var json = JsonDocument.Parse(string.Join('\n', await AskAsync("status", "--json")));
        var check = json.RootElement.GetProperty("checks")[0];
        Assert.Equal("disk command unhealthy demote", string.Join(' ', new[] { "name", "kind", "verdict", "consequence" }.Select(key => check.GetProperty(key).GetString())));
        Assert.Equal("unhealthy", json.RootElement.GetProperty("prefixes")[0].GetProperty("health").GetString());
    }

    [Fact]
    public async Task NothingIsAnnounced_BeforeTheFirstVerdict_AndAStopEndsTheCommandThatHangs()
    {
        var told = _directory.At("told");
        var agent = await RunAsync($$"""{ "name": "slow", "command": { "run": "trap '' TERM; echo $$ > {{told}}.tmp; mv {{told}}.tmp {{told}}; sleep 1000; :" }, "timeout": 600 }""");
        await agent.Output.FirstAsync<string>(line => line.Contains($"{Prefix} is not announced (it waits for the first verdict of its checks): start", StringComparison.Ordinal));
        await agent.Output.FirstAsync<string>(line => line.Contains("established: hold", StringComparison.Ordinal));
        while (!File.Exists(told))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Contains(await AskAsync("status"), line => line.StartsWith($"{Prefix}  not announced: unhealthy, it waits for the first verdict of its checks", StringComparison.Ordinal));
        Assert.DoesNotContain(_router.Log.Seen, seen => seen is Seen.Update update && update.Announces(Prefix, FakeRouter.Primary));

        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
        var process = int.Parse((await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken)).Trim(), CultureInfo.InvariantCulture);
        Assert.True(ProcessEntry.Read(process) is null or { IsDead: true });
    }

    [Fact]
    public async Task AgentIsKilled_TheNextOneEndsItsCommand_BeforeItRunsItsOwn()
    {
        var told = _directory.At("told");
        var check = $$"""{ "name": "slow", "command": { "run": "trap '' TERM; echo $$ >> {{told}}; sleep 1000; :" }, "timeout": 600 }""";
        var killed = await RunAsync(check);
        var first = (await LinesAsync(told, 1))[0];
        killed.Kill();
        await killed.ExitAsync();

        // It is a child of nobody's now, and runs on.
        Assert.True(ProcessEntry.Read(first) is { IsDead: false });
        var agent = await RunAsync(check);
        var second = (await LinesAsync(told, 2))[1];

        Assert.True(ProcessEntry.Read(first) is null or { IsDead: true });
        Assert.True(ProcessEntry.Read(second) is { IsDead: false });
        Assert.Contains(agent.Output.Seen, line => line.Contains("processes of health checks were left by an agent that was killed", StringComparison.Ordinal));
        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
        Assert.True(ProcessEntry.Read(second) is null or { IsDead: true });
    }

    private static async Task<List<int>> LinesAsync(string path, int count)
    {
        while (true)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            if (File.Exists(path) && (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).Split('\n') is { } lines && lines.Length > count)
            {
                return [.. lines.Take(count).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];
            }

            await Task.Yield();
        }
    }

    private async Task<AgentExecutable> RunAsync(string check)
    {
        var file = _directory.At("agent.json");
        await File.WriteAllTextAsync(file, $$"""{ "checks": [ {{check}} ] }""", TestContext.Current.CancellationToken);
        return Start(["run", "--config", file, "--node", "node-a", "--primary", "--announce", Prefix, "--state", _directory.At("state"), "--local-address", "127.0.0.11", "--neighbor", _router.Endpoint.ToString()]);
    }

    private async Task<List<string>> AskAsync(params string[] arguments)
    {
        var asking = Start([.. arguments, "--state", _directory.At("state")]);
        Assert.Equal(0, await asking.ExitAsync());
        return [.. (await asking.Output.UntilAsync(seen => seen.Contains("(end)"))).SkipLast(1)];
    }

    private AgentExecutable Start(params IEnumerable<string> arguments)
    {
        var process = AgentExecutable.Start(arguments);
        _processes.Add(process);
        return process;
    }
}
