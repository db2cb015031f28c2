using System.Text.Json;
using FailoverHub.Agent.Tests.Hub;
using FailoverHub.Agent.Tests.Speaker;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>The real process, whose file is written anew while its sessions are up.</summary>
[Trait("Kind", "Process")]
public sealed class ReloadTests : IAsyncDisposable
{
    private const string Prefix = "127.203.113.10/32";
    private const string Other = "127.203.113.11/32";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeRouter[] _routers = [new(), new(), new()];
    private AgentExecutable? _agent;

    private string FileName => _directory.At("agent.json");

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }

        foreach (var router in _routers)
        {
            await router.DisposeAsync();
        }

        _directory.Dispose();
    }

    [Fact]
    public async Task Hangup_BadFileThenGoodFile_TheFirstIsRefusedInWords_TheSecondIsAnUpdateOnTheLiveSessions()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Write("primary", hub: hub.Address);
        Start();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);
        var stream = await hub.StreamAsync();

        Overwrite("""{ "role": "boss", "colour": 1, }""");
        _agent!.Hangup();
        await _agent.Output.FirstAsync<string>(line => line.Contains("agent.json:1:11: role: 'boss' is not known; write one of primary, secondary.", StringComparison.Ordinal));
        await _agent.Output.FirstAsync<string>(line => line.Contains("colour: is no key here", StringComparison.Ordinal));
        var report = await stream.ReportAsync(report => report.ConfigurationProblem.Length > 0);
        Assert.Contains("role: 'boss' is not known", report.ConfigurationProblem, StringComparison.Ordinal);
        await stream.JournalUntilAsync(entry => entry.Kind == "configuration-rejected" && entry.Text.Contains("colour", StringComparison.Ordinal));
        Assert.Contains("'boss'", (await StatusAsync()).GetProperty("configurationProblem").GetString(), StringComparison.Ordinal);
        Assert.All(_routers[..2], router => Assert.Single(router.Log.Seen.OfType<Seen.Update>()));

        Write("secondary", hub: hub.Address);
        _agent.Hangup();
        await EachSeesAsync(Prefix, FakeRouter.Secondary, 0, 1);
        await stream.ReportAsync(next => next.Sequence > report.Sequence && next.ConfigurationProblem.Length == 0);
        await stream.JournalUntilAsync(entry => entry.Kind == "configuration-loaded" && entry.Text.EndsWith("different: role, prefix", StringComparison.Ordinal));
        Assert.All(_routers[..2], router => Assert.Equal((1, 2), (router.Connections, router.Log.Seen.OfType<Seen.Update>().Count())));
    }

    [Fact]
    public async Task FileReplacedByRename_IsReadWithoutASignal_AndTouchesOnlyWhatChanged()
    {
        Write("primary");
        Start();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);

        // One neighbor goes, another comes, and one prefix has another role.
        Write("primary", neighbors: [0, 2], more: $$""", { "prefix": "{{Other}}", "role": "secondary", "present": true }""");

        await EachSeesAsync(Prefix, FakeRouter.Primary, 2);
        await EachSeesAsync(Other, FakeRouter.Secondary, 0, 2);
        var goodbye = await _routers[1].Log.FirstAsync<Seen.Failed>();
        Assert.Equal((6, 3), (goodbye.Error.Code, goodbye.Error.Subcode));
        Assert.Equal((1, 2), (_routers[0].Connections, _routers[0].Log.Seen.OfType<Seen.Update>().Count()));
    }

    [Fact]
    public async Task HubChanges_OnlyTheLinkIsRestarted()
    {
        await using var first = await ScriptedHub.StartAsync();
        await using var second = await ScriptedHub.StartAsync();
        Write("primary", hub: first.Address);
        Start();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);
        await first.StreamAsync();

        Write("primary", hub: second.Address);
        await (await second.StreamAsync()).ReportAsync(report => report.Sessions.Count == 2);

        Write("primary");
        await _agent!.Output.FirstAsync<string>(line => line.Contains("different: hub", StringComparison.Ordinal), from: _agent.Output.Seen.FindLastIndex(line => line.Contains("different: hub", StringComparison.Ordinal)) + 1);
        Assert.All(_routers[..2], router => Assert.Equal((1, 1), (router.Connections, router.Log.Seen.OfType<Seen.Update>().Count())));
    }

    [Fact]
    public async Task WhatOnlyAStartCanChange_IsRefusedWithASentence_AndFlagsStayInForce()
    {
        Write("primary");
        Start("--hold-time", "30");
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);

        Write("secondary", more: "", extra: """, "routerId": "192.0.2.77", "state": "/var/tmp/elsewhere" """);
        _agent!.Hangup();
        await _agent.Output.FirstAsync<string>(line => line.Contains("routerId: '192.0.2.77' instead of '", StringComparison.Ordinal) && line.Contains("takes effect at a start only; restart the agent", StringComparison.Ordinal));
        Assert.All(_routers[..2], router => Assert.Single(router.Log.Seen.OfType<Seen.Update>()));

        // The flag goes before the file: the sessions are not restarted.
        Write("secondary", extra: """, "session": { "holdTime": 60 } """);
        await EachSeesAsync(Prefix, FakeRouter.Secondary, 0, 1);
        Assert.All(_routers[..2], router => Assert.Equal(1, router.Connections));
    }

    [Fact]
    public async Task LogLevelChanges_WhatIsWrittenChanges()
    {
        Write("primary", extra: """, "log": { "level": "error" } """);
        Start();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);

        Write("secondary", extra: """, "log": { "level": "info" } """);
        await EachSeesAsync(Prefix, FakeRouter.Secondary, 0, 1);
        Write("primary", extra: """, "log": { "level": "info" } """);

        await _agent!.Output.FirstAsync<string>(line => line.Contains("announced as primary instead of secondary", StringComparison.Ordinal));
        Assert.DoesNotContain(_agent.Output.Seen, line => line.Contains(" established: hold ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ManyMistakes_TheReportSaysAsManyAsItCanAndHowToSeeTheOthers()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Write("primary", hub: hub.Address);
        Start();
        var stream = await hub.StreamAsync();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);

        Overwrite($$"""{ {{string.Join(", ", Enumerable.Range(0, 100).Select(number => $"\"unknown{number}\": 1"))}} }""");

        var report = await stream.ReportAsync(report => report.ConfigurationProblem.Length > 0);
        Assert.InRange(report.ConfigurationProblem.Length, 400, 1000);
        Assert.EndsWith($"more: failoverhub-agent check --config {FileName}", report.ConfigurationProblem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OptionsOfAllSessionsChange_TheyAreRestartedOneAfterTheOther()
    {
        Write("primary");
        Start();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);

        Write("primary", extra: """, "session": { "holdTime": 30 } """);

        foreach (var router in _routers[..2])
        {
            await router.Log.FirstAsync<Seen.Update>(update => update.Connection == 2 && update.Announces(Prefix, FakeRouter.Primary));
        }

        await _agent!.Output.UntilAsync(seen => seen.Count(line => line.Contains("ended by the agent itself after", StringComparison.Ordinal)) == 2);
        Assert.DoesNotContain(_agent.Output.Seen, line => line.Contains(" lost after ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hangup_WithoutAFile_ReadsTheKeysAgainAndChangesNothing()
    {
        _agent = AgentExecutable.Start(["run", "--config", Empty(), "--node", "node-a", "--primary", "--announce", Prefix, "--state", _directory.Root, .. AgentExecutable.Dialling(_routers[..2])]);
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);

        _agent.Hangup();

        await _agent.Output.FirstAsync<string>(line => line.Contains("configuration read again (SIGHUP), nothing is different", StringComparison.Ordinal));
        Assert.All(_routers[..2], router => Assert.Equal((1, 1), (router.Connections, router.Log.Seen.OfType<Seen.Update>().Count())));
    }

    [Fact]
    public async Task FileChangesDuringAGracefulShutdown_NothingOfItIsTaken_NeitherByTheNodeNorByAnythingElse()
    {
        Write("primary");
        Start("--graceful-shutdown", "30");
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);
        await _agent!.Output.UntilAsync(seen => seen.Count(line => line.Contains(" established: hold ", StringComparison.Ordinal)) == 2);
        _agent.Terminate();
        await _agent.Output.FirstAsync<string>(line => line.Contains("graceful shutdown of 1 prefix on 2 sessions", StringComparison.Ordinal));

        Write("secondary", extra: $$""", "checks": [{ "name": "late", "command": { "run": "touch {{_directory.At("ran")}}" }, "interval": 0.1 }] """);
        _agent.Hangup();

        await _agent.Output.FirstAsync<string>(line => line.Contains("Nothing is read again any more (SIGHUP), it is left for the next start", StringComparison.Ordinal));
        _agent.Terminate();
        Assert.Equal(0, await _agent.ExitAsync());
        Assert.False(File.Exists(_directory.At("ran")));
        Assert.DoesNotContain(_agent.Output.Seen, line => line.Contains("configuration read again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CheckComesAndGoes_ItsVerdictCountsForAsLong_OnTheSameSessions()
    {
        Write("primary");
        Start();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);

        Write("primary", extra: """, "checks": [{ "name": "never", "process": { "name": "no-such-process" }, "interval": 0.1, "fall": 1 }] """);
        foreach (var router in _routers[..2])
        {
            await router.Log.FirstAsync<Seen.Update>(update => update.Withdraws(Prefix));
        }

        Write("primary");
        foreach (var router in _routers[..2])
        {
            await router.Log.UntilAsync(seen => seen.OfType<Seen.Update>().Last().Announces(Prefix, FakeRouter.Primary));
            Assert.Equal((1, 3), (router.Connections, router.Log.Seen.OfType<Seen.Update>().Count()));
        }
    }

    [Fact]
    public async Task KeyFileIsNotReadableAnyMore_IsRefused_AndTheSessionsStay()
    {
        // Both sides sign with nothing here: the key comes only with the file that is refused.
        Write("primary");
        Start();
        await EachSeesAsync(Prefix, FakeRouter.Primary, 0, 1);
        File.WriteAllText(_directory.At("key"), "s3cret");
        File.SetUnixFileMode(_directory.At("key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Write("secondary", extra: $", \"session\": {{ \"md5KeyFile\": \"{_directory.At("key")}\" }}");

        var line = await _agent!.Output.FirstAsync<string>(line => line.Contains("session.md5KeyFile: '", StringComparison.Ordinal));
        Assert.Contains("is open to others than its owner", line, StringComparison.Ordinal);
        Assert.All(_routers[..2], router => Assert.Equal((1, 1), (router.Connections, router.Log.Seen.OfType<Seen.Update>().Count())));
        Assert.DoesNotContain(_agent.Output.Seen, said => said.Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Check_SaysWhatWouldRun_OrEverythingThatIsWrong()
    {
        Write("primary");
        await using (var good = AgentExecutable.Start("check", "--config", FileName))
        {
            Assert.Equal(0, await good.ExitAsync());
            await good.Output.FirstAsync<string>(line => line.Contains($"{Prefix} as primary, whether or not an interface has its address", StringComparison.Ordinal));
        }

        File.WriteAllText(FileName, """{ "role": "boss", "colour": 1 }""");
        await using (var bad = AgentExecutable.Start("check", "--config", FileName))
        {
            Assert.Equal(2, await bad.ExitAsync());
            await bad.Error.FirstAsync<string>(line => line == "The configuration has 2 errors; nothing would run.");
        }

        await using var json = AgentExecutable.Start("check", "--config", FileName, "--json");
        Assert.Equal(2, await json.ExitAsync());
        var lines = await json.Output.UntilAsync(seen => seen.Contains("(end)"));
        using var document = JsonDocument.Parse(string.Join('\n', lines.TakeWhile(line => line != "(end)")));
        Assert.False(document.RootElement.GetProperty("valid").GetBoolean());
        Assert.Equal(2, document.RootElement.GetProperty("errors").GetArrayLength());
    }

    // As editors do: another file takes the name.
    private void Write(string role, int[]? neighbors = null, Uri? hub = null, string more = "", string extra = "")
    {
        var dialled = string.Join(", ", (neighbors ?? [0, 1]).Select(index => $"\"{_routers[index].Endpoint}\""));
        Overwrite($$"""
            {
              "node": "node-a", // as before
              "neighbors": [{{dialled}}],
              "role": "{{role}}",
              "prefixes": [{ "prefix": "{{Prefix}}", "present": true }{{more}}],
              {{(hub is null ? "" : $"\"hub\": \"{hub}\",")}}
              "localAddresses": ["127.0.0.11"]{{extra}}
            }
            """);
    }

    private void Overwrite(string text)
    {
        File.WriteAllText(FileName + ".new", text);
        File.Move(FileName + ".new", FileName, overwrite: true);
    }

    private string Empty()
    {
        File.WriteAllText(FileName, "{}");
        return FileName;
    }

    private void Start(params string[] flags) =>
        _agent = AgentExecutable.Start(["run", "--config", FileName, "--state", _directory.Root, .. flags]);

    private async Task EachSeesAsync(string prefix, Bgp.Messages.Community community, params int[] routers)
    {
        foreach (var router in routers)
        {
            await _routers[router].Log.FirstAsync<Seen.Update>(update => update.Announces(prefix, community));
        }
    }

    private async Task<JsonElement> StatusAsync()
    {
        await using var asking = AgentExecutable.Start("status", "--json", "--state", _directory.Root);
        Assert.Equal(0, await asking.ExitAsync());
        var lines = await asking.Output.UntilAsync(seen => seen.Contains("(end)"));
        using var document = JsonDocument.Parse(string.Join('\n', lines.TakeWhile(line => line != "(end)")));
        return document.RootElement.Clone();
    }
}
