using System.Text.Json;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Joining;
using FailoverHub.Agent.Tests.Identity;
using FailoverHub.Agent.Tests.Speaker;
using Grpc.Core;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>The real program joins, runs by what it was given, and takes over what is joined while it runs.</summary>
[Trait("Kind", "Process")]
public sealed class JoinTests : IAsyncDisposable
{
    private const string Prefix = "127.203.113.10/32";

    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();
    private readonly FakeRouter _router = new();
    private readonly List<AgentExecutable> _started = [];

    public JoinTests() => File.WriteAllText(_directory.At("agent.json"), "{}");

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _started)
        {
            await agent.DisposeAsync();
        }

        await _router.DisposeAsync();
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Joined_ThenRun_ConnectsWithoutAFlag_AndAgainAfterARestart()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });

        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, "one"));
        var kept = new IdentityStore(_directory.Root).Load().Identity!;
        var agent = Run();

        Assert.Equal(kept.Fingerprint, (await hub.StreamAsync(2)).Certificate);
        var identity = (await StatusAsync(status => status.GetProperty("hubLink").GetProperty("connected").GetBoolean())).GetProperty("hubLink").GetProperty("identity");
        Assert.Equal(("web-1", TlsHub.NodeId, "good", kept.Fingerprint), (identity.GetProperty("node").GetString(), identity.GetProperty("nodeId").GetString(), identity.GetProperty("condition").GetString(), identity.GetProperty("fingerprint").GetString()));

        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
        Run();
        Assert.Equal(kept.Fingerprint, (await hub.StreamAsync(3)).Certificate);
    }

    [Fact]
    public async Task JoinedWhileItRuns_IsTakenOverAtOnce_AndNoSessionNotices()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        Run();
        await AnnouncedAsync();

        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, "one"));
        Assert.Contains(_started[^1].Output.Seen, line => line.Contains("its BGP sessions were not touched", StringComparison.Ordinal));
        var stream = await hub.StreamAsync();
        await stream.Stream.JournalUntilAsync(entry => entry.Kind == "hub-joined");

        // Refused, and joined again: another stream with another certificate.
        hub.Script.CertificateRefused = new RpcException(new Status(StatusCode.Unauthenticated, "Revoked."));
        stream.Stream.Close();
        var refused = await StatusAsync(status => status.GetProperty("hubLink").GetProperty("identity").GetProperty("condition").GetString() == "refused");
        Assert.Contains("failoverhub-agent join", refused.GetProperty("hubLink").GetProperty("identity").GetProperty("advice").GetString(), StringComparison.Ordinal);
        hub.Script.CertificateRefused = null;
        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, "two"));
        var kept = new IdentityStore(_directory.Root).Load().Identity!;
        await hub.Streams.FirstAsync<TlsStream>(again => again.Certificate == kept.Fingerprint);

        Assert.Equal((1, 1), (_router.Connections, _router.Log.Seen.OfType<Seen.Update>().Count()));
    }

    [Fact]
    public async Task RunningAgentWithAnotherHub_KeepsIt_AndTheJoinSaysSo()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        await using var other = await Hub.ScriptedHub.StartAsync();
        Run("--hub", other.Address.ToString());
        await other.StreamAsync();

        Assert.Equal(JoinExit.NotConnected, await JoinAsync(hub, "one"));

        Assert.Contains(_started[^1].Error.Seen, line => line.Contains("its configuration names another hub", StringComparison.Ordinal));
    }

    private AgentExecutable Run(params string[] flags)
    {
        string[] all = ["run", "--node", "local-name", "--primary", "--announce", Prefix, "--state", _directory.Root, "--metadata", "off", "--config", _directory.At("agent.json"), .. AgentExecutable.Dialling([_router]), .. flags];
        _started.Add(AgentExecutable.Start(all));
        return _started[^1];
    }

    private async Task<int> JoinAsync(TlsHub hub, string secret)
    {
        var joining = AgentExecutable.Start(
            new Dictionary<string, string> { ["FAILOVERHUB_JOIN_TOKEN"] = _authority.Token(secret) },
            ["join", "--hub", hub.Address.ToString(), "--node", "web-1", "--state", _directory.Root, "--config", _directory.At("agent.json")]);
        _started.Add(joining);
        var code = await joining.ExitAsync();
        await joining.Output.FirstAsync<string>(line => line == "(end)");
        await joining.Error.FirstAsync<string>(line => line == "(end)");
        return code;
    }

    private async Task AnnouncedAsync() => await _router.Log.FirstAsync<Seen.Update>(update => update.Announces(Prefix, FakeRouter.Primary));

    // The agent tells no test when its link has moved: it is asked until it has, in processes of their own, a minute at most.
    private async Task<JsonElement> StatusAsync(Func<JsonElement, bool> isIt)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            await using var asking = AgentExecutable.Start("status", "--json", "--state", _directory.Root, "--config", _directory.At("agent.json"));
            if (await asking.ExitAsync() == 0)
            {
                var lines = await asking.Output.UntilAsync(lines => lines.Contains("(end)"));
                var status = JsonDocument.Parse(string.Concat(lines.Where(line => line != "(end)"))).RootElement;
                if (isIt(status))
                {
                    return status;
                }
            }

            safety.Token.ThrowIfCancellationRequested();
        }
    }
}
