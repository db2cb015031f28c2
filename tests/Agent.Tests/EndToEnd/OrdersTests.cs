using System.Text.Json;
using FailoverHub.Agent.Tests.Hub;
using FailoverHub.Agent.Tests.Speaker;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>A running agent and somebody in front of its machine, each a process of its own: what was ordered is on the wire, and outlives kill -9.</summary>
[Trait("Kind", "Process")]
public sealed class OrdersTests : IAsyncLifetime
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
    public async Task Drained_KilledAndStartedAgain_StaysDrained_UntilItIsUndrained()
    {
        var agent = Run();
        await SeeAsync(1, FakeRouter.Primary);

        var (code, lines, _) = await AskAsync("drain", "--reason", "kernel update");
        Assert.Equal((0, "drained: 1 prefix withdrawn; written on 1 of 1 established sessions"), (code, Assert.Single(lines)));
        await _router.Log.FirstAsync<Seen.Update>(update => update.Withdraws(Prefix));

        agent.Kill();
        await agent.ExitAsync();
        var next = Run();
        await next.Output.FirstAsync<string>(line => line.Contains("nothing announced (drained)", StringComparison.Ordinal));
        Assert.DoesNotContain(_router.Log.Seen.OfType<Seen.Update>(), update => update.Connection == 2 && !update.Routes.Announced.IsEmpty);
        var status = string.Join('\n', (await AskAsync("status")).Lines);
        Assert.Contains("  DRAINED               nothing is announced, the sessions stay up", status, StringComparison.Ordinal);
        Assert.Matches("by .*uid [0-9]+\\).*, .* ago, .* \\(\"kernel update\"\\); 'failoverhub-agent undrain' ends it", status);

        Assert.Equal((0, "no longer drained: 1 prefix announced as primary; written on 1 of 1 established sessions"), await OneLineAsync("undrain"));
        await SeeAsync(2, FakeRouter.Primary);
    }

    [Fact]
    public async Task Role_OnTheLiveSession_AndAfterARestart()
    {
        var agent = Run();
        await SeeAsync(1, FakeRouter.Primary);

        Assert.Equal(
            (0, "secondary until 'role default' or a newer intent: 1 prefix announced as secondary instead of primary; written on 1 of 1 established sessions"),
            await OneLineAsync("role", Prefix, "secondary"));
        await SeeAsync(1, FakeRouter.Secondary);

        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
        Run();
        await SeeAsync(2, FakeRouter.Secondary);
        Assert.Equal((0, "the role is that of the intent or the configuration again: 1 prefix announced as primary instead of secondary; written on 1 of 1 established sessions"), await OneLineAsync("role", "default"));
        await SeeAsync(2, FakeRouter.Primary);
        Assert.Equal((0, "primary until 'role default' or a newer intent: there is nothing new to tell the neighbors"), await OneLineAsync("role", "primary"));
    }

    [Fact]
    public async Task Refused_ExitsWith1_AndSaysWhy()
    {
        Run();
        await SeeAsync(1, FakeRouter.Primary);

        var (code, _, error) = await AskAsync("role", "192.0.2.1/32", "primary");
        Assert.Equal(1, code);
        Assert.Contains($"error: refused, nothing changed: 192.0.2.1/32 is none of this node's prefixes: {Prefix}", error, StringComparison.Ordinal);

        // A directory where the temporary file would be: no user, not even root, can write a file over it.
        Directory.CreateDirectory(_directory.At("orders.json.new"));
        var (full, json, _) = await AskAsync("drain", "--json");
        Assert.Equal(1, full);
        using var document = JsonDocument.Parse(string.Join('\n', json));
        Assert.Equal("refused", document.RootElement.GetProperty("outcome").GetString());
        Assert.Contains("could not be kept on the node's disk", document.RootElement.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_router.Log.Seen.OfType<Seen.Update>(), update => update.Withdraws(Prefix));
        Assert.False(File.Exists(_directory.At("drained")));
    }

    [Fact]
    public async Task NoSession_ExitsWith4_AndIsObeyed()
    {
        using var away = new ReservedPort();
        Start("run", "--node", "node-a", "--primary", "--announce", Prefix, "--state", _directory.Root, "--neighbor", $"127.0.0.1:{away.Number}");
        while ((await AskAsync("status")).Code != 0)
        {
            // Its control is not there yet.
        }

        Assert.Equal((4, "drained: 1 prefix withdrawn; no session is established; the neighbors are told when one is"), await OneLineAsync("drain"));
    }

    [Fact]
    public async Task OrdersFileDamaged_NothingIsAnnounced_WithAWarningThatSaysHowToLiftIt()
    {
        var agent = Run();
        await SeeAsync(1, FakeRouter.Primary);
        Assert.Equal(0, (await AskAsync("drain")).Code);
        agent.Kill();
        await agent.ExitAsync();
        await File.WriteAllTextAsync(_directory.At("orders.json"), "{\"drain\":", TestContext.Current.CancellationToken);

        var next = Run();
        await next.Output.FirstAsync<string>(line => line.Contains("NOTHING IS ANNOUNCED: 'failoverhub-agent undrain' ends that", StringComparison.Ordinal));
        await next.Output.FirstAsync<string>(line => line.Contains("nothing announced (drained)", StringComparison.Ordinal));
        Assert.Equal(0, (await AskAsync("undrain")).Code);
        await SeeAsync(2, FakeRouter.Secondary);
        Assert.Equal(0, (await AskAsync("role", "default")).Code);
        await SeeAsync(2, FakeRouter.Primary);
        Assert.False(File.Exists(_directory.At("drained")));
    }

    [Fact]
    public async Task Journal_TellsTheHubLaterWhoDidIt_AlsoWhatWasRefused()
    {
        var agent = Run();
        await SeeAsync(1, FakeRouter.Primary);

        // 4: obeyed, but on a machine that does much else not on the wire yet when it was answered.
        Assert.Contains((await AskAsync("drain", "--reason", "kernel update")).Code, new[] { 0, 4 });
        Assert.Equal(1, (await AskAsync("failback", "192.0.2.1")).Code);
        agent.Terminate();
        await agent.ExitAsync();

        await using var hub = await ScriptedHub.StartAsync();
        Run("--hub", hub.Address.ToString());
        var stream = await hub.StreamAsync();
        var entries = await stream.JournalUntilAsync(entry => entry.Text.Contains("was refused", StringComparison.Ordinal));
        var commands = entries.Where(entry => entry.Kind == "local-command").ToList();
        Assert.Equal(2, commands.Count);
        Assert.All(commands, entry => Assert.Contains("(uid ", entry.Actor, StringComparison.Ordinal));
        Assert.EndsWith("ordered to drain this node (\"kernel update\"); drained: 1 prefix withdrawn", commands[0].Text, StringComparison.Ordinal);
        Assert.Contains("was refused to fail 192.0.2.1/32 back", commands[1].Text, StringComparison.Ordinal);
        Assert.True((await stream.ReportAsync(_ => true)).LocallyDrained);
    }

    [Fact]
    public async Task AfterStable_TheRestartedPrimaryWaitsAsSecondary_AndSaysForHowLong()
    {
        Run("--failback", "after-stable", "--failback-stable", "3600");
        await SeeAsync(1, FakeRouter.Secondary);

        var status = (await AskAsync("status")).Lines;
        Assert.Matches($"^{Prefix}  announced as secondary on 1 of 1 session \\(assigned primary, address present, FAILBACK HELD for (1 h 0 min|59 min [0-9]+ s) more if nothing breaks: start\\)$", status.Single(line => line.StartsWith(Prefix, StringComparison.Ordinal)));
        Assert.Equal((0, "failed back: 1 prefix announced as primary instead of secondary; written on 1 of 1 established sessions"), await OneLineAsync("failback", Prefix));
        await SeeAsync(1, FakeRouter.Primary);
    }

    [Fact]
    public async Task AfterStable_TheTimeIsFull_ItIsPrimaryByItself()
    {
        Run("--failback", "after-stable", "--failback-stable", "1");
        await SeeAsync(1, FakeRouter.Secondary);

        await SeeAsync(1, FakeRouter.Primary);
    }

    [Fact]
    public async Task Manual_FirstStartIsPrimary_AndAfterKillItWaitsForAnOperator()
    {
        var agent = Run("--failback", "manual");
        await SeeAsync(1, FakeRouter.Primary);
        agent.Kill();
        await agent.ExitAsync();

        Run("--failback", "manual");
        await SeeAsync(2, FakeRouter.Secondary);
        Assert.Equal(0, (await AskAsync("failback")).Code);
        await SeeAsync(2, FakeRouter.Primary);
    }

    /// <summary>What is to be known after the kill could not be written, and the disk is well again when the next one starts.</summary>
    [Fact]
    public async Task Manual_KilledBeforeItCouldKeepThatItWasPrimary_WaitsForAnOperator()
    {
        Directory.CreateDirectory(_directory.At("failback.json.new"));
        var agent = Run("--failback", "manual");
        await SeeAsync(1, FakeRouter.Primary);
        await agent.Output.FirstAsync<string>(line => line.Contains("which prefixes were primary here cannot be kept", StringComparison.Ordinal));
        agent.Kill();
        await agent.ExitAsync();
        Directory.Delete(_directory.At("failback.json.new"));

        var next = Run("--failback", "manual");
        await SeeAsync(2, FakeRouter.Secondary);
        await next.Output.FirstAsync<string>(line => line.Contains("nobody can tell whether it was primary here before", StringComparison.Ordinal));
        Assert.Equal(0, (await AskAsync("failback")).Code);
        await SeeAsync(2, FakeRouter.Primary);
    }

    private AgentExecutable Run(params string[] flags) =>
        Start(["run", "--node", "node-a", "--primary", "--announce", Prefix, "--state", _directory.Root, "--local-address", "127.0.0.12", "--neighbor", _router.Endpoint.ToString(), .. flags]);

    private Task<Seen.Update> SeeAsync(int connection, Community role) =>
        _router.Log.FirstAsync<Seen.Update>(update => update.Connection == connection && update.Announces(Prefix, role));

    private async Task<(int Code, string Line)> OneLineAsync(params string[] arguments)
    {
        var (code, lines, _) = await AskAsync(arguments);
        return (code, Assert.Single(lines));
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
