using System.Runtime.InteropServices;
using FailoverHub.Agent.Tests.Hub;
using FailoverHub.Agent.Tests.Speaker;
using FailoverHub.Bgp.Messages;
using Wire = FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>The real process against four route servers on loopback, with and without a hub.</summary>
[Trait("Kind", "Process")]
public sealed class AgentProcessTests : IAsyncLifetime
{
    private const string Prefix = "127.203.113.10/32";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeRouter[] _routers = [new(), new(), new(), new()];
    private readonly List<AgentExecutable> _agents = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
        }

        foreach (var router in _routers)
        {
            await router.DisposeAsync();
        }

        _directory.Dispose();
    }

    [Fact]
    public async Task StandAlone_AnnouncesToAllFour_AndOnSigtermWithdrawsAndSaysGoodbye()
    {
        var agent = Start();
        await EachSeesAsync(FakeRouter.Primary);

        agent.Terminate();

        Assert.Equal(0, await agent.ExitAsync());
        foreach (var router in _routers)
        {
            var goodbye = await router.Log.FirstAsync<Seen.Failed>();
            Assert.Equal((6, 2), (goodbye.Error.Code, goodbye.Error.Subcode));
            Assert.Contains("failoverhub-agent stopping: SIGTERM on node-a", goodbye.Error.Text, StringComparison.Ordinal);
            Assert.Contains(router.Log.Seen.TakeWhile(seen => seen != goodbye), seen => seen is Seen.Update update && update.Withdraws(Prefix));
        }

        Assert.Contains(agent.Output.Seen, line => line.EndsWith("established: hold 9 s, 1 prefix announced as primary", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hub_ChangesTheRoleOnTheLiveSessions_ThenDrains()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Start("--hub", hub.Address.ToString());
        await EachSeesAsync(FakeRouter.Primary);
        var stream = await hub.StreamAsync();
        await stream.ReportAsync(report => report.Prefixes[0].EstablishedSessionsCarrying == 4);

        await stream.SendAsync(Intent(1, Wire.Role.Secondary));
        await EachSeesAsync(FakeRouter.Secondary);
        Assert.Equal((Wire.IntentResult.Types.Outcome.Applied, 4u), Outcome(await stream.ResultAsync(1)));
        Assert.All(_routers, router => Assert.DoesNotContain(router.Log.Seen, seen => seen is Seen.Update { Routes.Withdrawn.IsEmpty: false }));

        await stream.SendAsync(Intent(2, Wire.Role.Secondary, drained: true));
        foreach (var router in _routers)
        {
            await router.Log.FirstAsync<Seen.Update>(update => update.Withdraws(Prefix));
        }

        Assert.Equal((Wire.IntentResult.Types.Outcome.Applied, 4u), Outcome(await stream.ResultAsync(2)));
        var report = await stream.ReportAsync(report => report.Drained);
        Assert.Equal(Wire.WithdrawnReason.Drained, report.Prefixes[0].WithdrawnReason);
        Assert.Equal(4, report.Sessions.Count(session => session.State == Wire.SessionState.Established));
        await stream.JournalUntilAsync(entry => entry is { Kind: "drained", OperationId: "op-2" });
        AssertOneSessionEach();
    }

    [Fact]
    public async Task HubKilled_NoSessionIsTouched_AndWhenItIsBackItIsTold()
    {
        using var port = new ReservedPort();
        var hub = await ScriptedHub.StartAsync(port.Number);
        Start("--hub", hub.Address.ToString());
        await EachSeesAsync(FakeRouter.Primary);
        var stream = await hub.StreamAsync();
        await stream.SendAsync(Intent(1, Wire.Role.Secondary));
        await stream.ResultAsync(1);

        await hub.DisposeAsync();
        await _agents[0].Output.FirstAsync<string>(line => line.Contains("4 established sessions and 1 announced prefixes stay as they are", StringComparison.Ordinal));
        await using var back = await ScriptedHub.StartAsync(port.Number);

        var again = await back.StreamAsync();
        Assert.Equal(1ul, (await again.Received.FirstAsync<Wire.AgentMessage>()).Hello.IntentRevision);
        await again.ReportAsync(report => report.Prefixes[0] is { EstablishedSessionsCarrying: 4, ReportedRole: Wire.Role.Secondary });
        AssertOneSessionEach();
    }

    [Fact]
    public async Task KilledAndStartedAgain_WithoutAHub_DoesWhatItWasLastTold()
    {
        string[] hubFlags;
        await using (var hub = await ScriptedHub.StartAsync())
        {
            hubFlags = ["--hub", hub.Address.ToString()];
            var killed = Start(hubFlags);
            await EachSeesAsync(FakeRouter.Primary);
            var stream = await hub.StreamAsync();
            await stream.SendAsync(Intent(1, Wire.Role.Secondary));
            await stream.ResultAsync(1);
            killed.Kill();
            await killed.ExitAsync();
        }

        foreach (var router in _routers)
        {
            await router.Log.FirstAsync<Seen.Ended>();
        }

        var restarted = Start(hubFlags);
        await EachSeesAsync(FakeRouter.Secondary, connection: 2);
        await restarted.Output.FirstAsync<string>(line => line.Contains("stored intent 1", StringComparison.Ordinal));
        Assert.All(_routers, router => Assert.DoesNotContain(router.Log.Seen, seen => seen is Seen.Update { Connection: 2 } update && update.Announces(Prefix, FakeRouter.Primary)));
    }

    [Fact]
    public async Task StoredIntentDamaged_SaysSo_AndAnnouncesAtMostAsSecondary_UntilTheHubSpeaks()
    {
        await File.WriteAllTextAsync(_directory.At("intent.json"), "{\"revision\":", TestContext.Current.CancellationToken);
        await using var hub = await ScriptedHub.StartAsync();
        var agent = Start("--hub", hub.Address.ToString());

        await EachSeesAsync(FakeRouter.Secondary);
        Assert.All(_routers, router => Assert.DoesNotContain(router.Log.Seen, seen => seen is Seen.Update update && update.Announces(Prefix, FakeRouter.Primary)));
        await (await hub.StreamAsync()).SendAsync(Intent(1, Wire.Role.Primary));
        await EachSeesAsync(FakeRouter.Primary);
        await agent.Output.FirstAsync<string>(line => line.Contains("the stored intent is damaged", StringComparison.Ordinal));
    }

    /// <summary>It may have been demoted: as secondary the address works all the same, and the other node keeps it if it has it.</summary>
    [Fact]
    public async Task StoredIntentDamaged_StandAlone_AnnouncesAsSecondary_AtTheNextStartAsWell()
    {
        await File.WriteAllTextAsync(_directory.At("intent.json"), "garbage", TestContext.Current.CancellationToken);
        for (var connection = 1; connection <= 2; connection++)
        {
            var agent = Start();
            await EachSeesAsync(FakeRouter.Secondary, connection);
            await agent.Output.FirstAsync<string>(line => line.Contains("the stored intent is damaged", StringComparison.Ordinal));
            await agent.Output.FirstAsync<string>(line => line.Contains("at most as secondary because its stored intent is lost", StringComparison.Ordinal));
            agent.Terminate();
            Assert.Equal(0, await agent.ExitAsync());
        }

        Assert.All(_routers, router => Assert.DoesNotContain(router.Log.Seen, seen => seen is Seen.Update update && update.Announces(Prefix, FakeRouter.Primary)));
        File.Delete(_directory.At("intent.json"));
        Start();
        await EachSeesAsync(FakeRouter.Primary, connection: 3);
    }

    /// <summary>Two that announce beside each other would undo each other's drains.</summary>
    [Theory]
    [InlineData(true, "node-a", "uses the state directory")]
    [InlineData(false, "node-a", "announces as 'node-a' from this machine")]
    [InlineData(false, "node-b", "from the same address of this machine, as another node")]
    public async Task SecondAgentBesideTheFirst_IsRefused_AndTheFirstNoticesNothing(bool sameState, string node, string reason)
    {
        using var elsewhere = new TemporaryDirectory();
        var first = Start();
        await EachSeesAsync(FakeRouter.Primary);

        var second = sameState ? Start() : Start("--state", elsewhere.Root, "--node", node);

        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains(reason, await second.Error.FirstAsync<string>(line => line.StartsWith("error: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        AssertOneSessionEach();
        first.Terminate();
        Assert.Equal(0, await first.ExitAsync());
        AssertOneSessionEach();
    }

    /// <summary>The hub is never needed for an address to work, not even by its own link.</summary>
    [Fact]
    public async Task JournalCannotBeRead_TheHubGetsEveryReport_AndNoSessionIsTouched()
    {
        using var port = new ReservedPort();
        var agent = Start("--hub", $"http://127.0.0.1:{port.Number}");
        await EachSeesAsync(FakeRouter.Primary);

        // What is said has been written before: from here on the journal has its file, and nothing more to say.
        await agent.Output.UntilAsync(lines => lines.Count(line => line.Contains(" established: ", StringComparison.Ordinal)) == _routers.Length);

        // A directory where a file of the journal was cannot be read, whoever reads.
        foreach (var segment in Directory.GetFiles(_directory.At("journal"), "*.ndjson"))
        {
            File.Delete(segment);
            Directory.CreateDirectory(segment);
        }

        await using var hub = await ScriptedHub.StartAsync(port.Number);
        await agent.Output.FirstAsync<string>(line => line.Contains("of the journal cannot be read", StringComparison.Ordinal));
        var stream = await hub.StreamAsync();
        await stream.ReportAsync(report => report.Prefixes[0] is { EstablishedSessionsCarrying: 4, ReportedRole: Wire.Role.Primary });
        AssertOneSessionEach();
        Assert.All(_routers, router => Assert.DoesNotContain(router.Log.Seen, seen => seen is Seen.Ended or Seen.Update { Routes.Withdrawn.IsEmpty: false }));
        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
    }

    /// <summary>A disk that answers no more, played by a pipe without a writer where the journal is read for the hub: whoever has something to write waits for the reader.</summary>
    [Fact]
    public async Task NodeLoopHangsOnItsDisk_OnSigterm_SaysGoodbyeAndEndsAllTheSame()
    {
        using var port = new ReservedPort();
        var agent = Start("--hub", $"http://127.0.0.1:{port.Number}");
        await EachSeesAsync(FakeRouter.Primary);
        await agent.Output.UntilAsync(lines => lines.Count(line => line.Contains(" established: ", StringComparison.Ordinal)) == _routers.Length);
        var segment = Assert.Single(Directory.GetFiles(_directory.At("journal"), "*.ndjson"));
        File.Delete(segment);
        Assert.Equal(0, MakePipe(segment, 0x180));

        // Opened when somebody reads, who gets nothing then: that is the moment.
        var reading = Task.Run(() => new FileStream(segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0), TestContext.Current.CancellationToken);
        await using var hub = await ScriptedHub.StartAsync(port.Number);
        await using var silent = await reading.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        agent.Terminate();

        Assert.Equal(1, await agent.ExitAsync());
        await agent.Output.FirstAsync<string>(line => line.Contains("the node loop", StringComparison.Ordinal) && line.Contains("did not end", StringComparison.Ordinal));
        foreach (var router in _routers)
        {
            Assert.Equal((6, 2), ((await router.Log.FirstAsync<Seen.Failed>()).Error is var error) ? (error.Code, error.Subcode) : default);
        }
    }

    [Fact]
    public async Task NeighborThatReadsNoMore_OnSigterm_TheOthersHearTheGoodbye_AndTheProcessEnds()
    {
        await using var deaf = new FakeRouter(readsNoMoreOnceEstablished: true);
        var agent = Start("--neighbor", deaf.Endpoint.ToString());
        await EachSeesAsync(FakeRouter.Primary);
        await deaf.Log.FirstAsync<Seen.Established>();

        agent.Terminate();

        Assert.Equal(0, await agent.ExitAsync());
        foreach (var router in _routers)
        {
            Assert.Equal(6, (await router.Log.FirstAsync<Seen.Failed>()).Error.Code);
        }
    }

    /// <summary>The wait is long, so that what ends it is the second signal.</summary>
    [Fact]
    public async Task GracefulShutdown_OnSigterm_AnnouncesWithTheCommunityFirst_AndGoesAtOnceAtTheSecondSigterm()
    {
        var agent = Start("--graceful-shutdown", "30");
        await EachSeesAsync(FakeRouter.Primary);

        agent.Terminate();
        await EachSeesAsync(new Community(65535, 0));
        Assert.All(_routers, router => Assert.DoesNotContain(router.Log.Seen, seen => seen is Seen.Failed or Seen.Update { Routes.Withdrawn.IsEmpty: false }));
        agent.Terminate();

        Assert.Equal(0, await agent.ExitAsync());
        foreach (var router in _routers)
        {
            Assert.Equal((6, 2), ((await router.Log.FirstAsync<Seen.Failed>()).Error is var error) ? (error.Code, error.Subcode) : default);
            var last = router.Log.Seen.OfType<Seen.Update>().Last(update => update.Announces(Prefix, new Community(65535, 0)));
            Assert.True(last.Announces(Prefix, FakeRouter.Primary));
        }
    }

    [Fact]
    public async Task GracefulShutdown_TimeIsOver_EndsAsAlways()
    {
        var agent = Start("--graceful-shutdown", "1");
        await EachSeesAsync(FakeRouter.Primary);

        agent.Terminate();

        Assert.Equal(0, await agent.ExitAsync());
        await EachSeesAsync(new Community(65535, 0));
        await agent.Output.FirstAsync<string>(line => line.Contains("graceful shutdown of 1 prefix on 4 sessions", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SecondAgentOnTheSameState_IsRefused()
    {
        Start();
        await EachSeesAsync(FakeRouter.Primary);

        var second = Start();
        Assert.Equal(1, await second.ExitAsync());
        await second.Error.FirstAsync<string>(line => line.Contains("another agent", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NoRoleAndNoStoredIntent_ExitsWith2_AndSaysWhatToGive()
    {
        var agent = AgentExecutable.Start(["--state", _directory.Root, "--announce", Prefix, .. AgentExecutable.Dialling(_routers)]);
        _agents.Add(agent);

        Assert.Equal(2, await agent.ExitAsync());
        await agent.Error.FirstAsync<string>(line => line.Contains("--primary or --secondary", StringComparison.Ordinal));
    }

    private static (Wire.IntentResult.Types.Outcome, uint) Outcome(Wire.IntentResult result) => (result.Outcome, result.SessionsUpdated);

    private static Wire.NodeIntent Intent(ulong revision, Wire.Role role, bool drained = false) => new()
    {
        Revision = revision,
        Drained = drained,
        Prefixes = { new Wire.PrefixIntent { Prefix = Prefix, Role = role } },
        OperationId = $"op-{revision}",
        Reason = "a test",
    };

    private AgentExecutable Start(params string[] flags)
    {
        var agent = AgentExecutable.Start(
        [
            "run", "--primary", "--announce", Prefix, "--local-address", "127.0.0.11",
            .. flags.Contains("--node") ? [] : (string[])["--node", "node-a"],
            .. flags.Contains("--state") ? [] : (string[])["--state", _directory.Root],
            .. AgentExecutable.Dialling(_routers), .. flags,
        ]);
        _agents.Add(agent);
        return agent;
    }

    private async Task EachSeesAsync(Community community, int connection = 1)
    {
        foreach (var router in _routers)
        {
            await router.Log.FirstAsync<Seen.Update>(update => update.Connection == connection && update.Announces(Prefix, community));
        }
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakePipe(string path, int mode);

    private void AssertOneSessionEach() => Assert.All(_routers, router => Assert.Equal(1, router.Connections));
}
