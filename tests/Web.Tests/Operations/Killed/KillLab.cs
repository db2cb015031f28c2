using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Access;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>A hub as a process of its own, and pairs of nodes that outlive it, each with a prefix of its own.</summary>
internal sealed class KillLab : IAsyncDisposable
{
    private readonly TemporaryFolder _data = new();
    private readonly Dictionary<string, (LabNode One, LabNode Two)> _pairs = [];

    // What drills measure answers: each of their addresses is one of the loopback network.
    private readonly List<TcpListener> _answering = [];
    private int _port;
    private string _token = "";
    private bool _twoPeople;

    public HubProcess Hub { get; private set; } = null!;

    /// <summary>What the nodes did that no operation may bring about.</summary>
    public IEnumerable<string> Broken => _pairs.Values.SelectMany(p => new[] { p.One.Broken, p.Two.Broken }).OfType<string>();

    /// <summary>What nodes were sent although they had it.</summary>
    public IEnumerable<string> Repeated => _pairs.Values.SelectMany(p => new[] { p.One.Repeated, p.Two.Repeated }).OfType<string>();

    public static async Task<KillLab> StartAsync(params string[] pairs)
    {
        var lab = new KillLab();
        foreach (var (pair, i) in pairs.Select((p, i) => (p, i)))
        {
            var drilled = pair.StartsWith("drill", StringComparison.Ordinal);
            lab.Add(pair, drilled ? lab.Answering(i + 10) : $"203.0.113.{i + 10}/32", pair.StartsWith("bulk", StringComparison.Ordinal) ? "18" : "7");
        }

        lab._token = await HubProcess.MakeTokenAsync(lab._data.Path);
        await lab.StartHubAsync(lab._pairs.Keys);
        return lab;
    }

    /// <summary>The same where a second person has to approve what moves an address: alice asks, <see cref="Bob"/> approves.</summary>
    public static async Task<KillLab> WithTwoPeopleAsync(params string[] pairs)
    {
        var lab = new KillLab { _twoPeople = true };
        foreach (var (pair, i) in pairs.Select((p, i) => (p, i)))
        {
            lab.Add(pair, $"203.0.113.{i + 10}/32", "7");
        }

        // Their accounts and tokens, as an earlier hub made them.
        await using (var before = await WholeHub.StartAsync(data: lab._data.Path, keepsData: true))
        {
            lab._token = await TokenOfAsync(before, "alice");
            lab.Bob = await TokenOfAsync(before, "bob");
        }

        await lab.StartHubAsync(lab._pairs.Keys);
        return lab;
    }

    /// <summary>Token of the second person.</summary>
    public string Bob { get; private set; } = "";

    public LabNode One(string pair) => _pairs[pair].One;

    public LabNode Two(string pair) => _pairs[pair].Two;

    /// <summary>Kills the hub with -9, starts another one on what it has left, and lets the nodes dial it, each as it is.</summary>
    public async Task KillAndRestartAsync()
    {
        await Hub.KillAsync();
        await RestartAsync();
    }

    /// <summary>The same when it is killed already.</summary>
    public async Task RestartAsync()
    {
        foreach (var (one, two) in _pairs.Values)
        {
            await one.DisposeAsync();
            await two.DisposeAsync();
        }

        await Hub.DisposeAsync();
        await StartHubAsync(_pairs.Keys);
    }

    /// <summary>Every operation that there is, the newest first, when all have ended; those of some pairs need not.</summary>
    public async Task<List<JsonNode>> AllEndedAsync(params string[] except) =>
        [.. (await Hub.UntilAsync("/api/v1/operations?limit=500", all => all["items"]!.AsArray() is { Count: > 0 } items && items.All(o => (bool)o!["finished"]! || except.Contains((string?)o["pair"]))))["items"]!.AsArray().Select(o => o!)];

    public async ValueTask DisposeAsync()
    {
        foreach (var (one, two) in _pairs.Values)
        {
            await one.DisposeAsync();
            await two.DisposeAsync();
        }

        await (Hub?.DisposeAsync() ?? ValueTask.CompletedTask);
        _answering.ForEach(service => service.Dispose());
        _data.Dispose();
    }

    /// <summary>A prefix whose address answers on the port that is probed: whoever connects is accepted by the kernel.</summary>
    private string Answering(int number)
    {
        var address = new IPAddress([127, 78, 0, (byte)number]);
        var service = new TcpListener(address, _port);
        service.Start(4_096);
        _port = ((IPEndPoint)service.LocalEndpoint).Port;
        _answering.Add(service);
        return $"{address}/32";
    }

    private static async Task<string> TokenOfAsync(WholeHub hub, string name)
    {
        await AccountTests.CreateAsync(hub, name, HubRoles.Admin);
        await using var db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        var account = await db.Users.SingleAsync(u => u.UserName == name, TestContext.Current.CancellationToken);
        var actor = WholeHub.Tester with { Name = name, Behind = new Requester.Account(account.Id) };
        return (await hub.Get<ApiTokens>().CreateAsync(name, ApiScope.Admin, ApiTokens.DefaultLifetime, actor, TestContext.Current.CancellationToken)).Token!;
    }

    private void Add(string pair, string prefix, string dataCenter)
    {
        NodeReport[] states = [FakeAgent.State(Role.Primary, prefix), FakeAgent.State(Role.Secondary, prefix)];
        foreach (var state in states)
        {
            state.Prefixes[0].FailbackPolicy = FailbackPolicy.Immediate;
        }

        bool Broken() => pair != "forced" && (states.All(s => s.Prefixes[0] is { Announced: true, ReportedRole: Role.Primary }) || states.All(s => s.Drained));
        Func<bool> broken = Broken;
        _pairs[pair] = (new LabNode($"{pair}-1", states[0], dataCenter, broken), new LabNode($"{pair}-2", states[1], dataCenter, broken));
    }

    private async Task StartHubAsync(IEnumerable<string> pairs)
    {
        Hub = await HubProcess.StartAsync(_data.Path, _token, _port == 0 ? "tcp:9" : $"tcp:{_port}", _twoPeople ? "moves" : "off");
        await Task.WhenAll(pairs.SelectMany(pair => new[] { One(pair), Two(pair) }).Select(node => node.DialAsync(Hub.AgentUrl)));

        await Hub.UntilAsync("/api/v1/nodes?limit=500", nodes => nodes["items"]!.AsArray() is var all && all.Count == 2 * _pairs.Count && all.All(n => (string?)n!["link"] == "Connected"));
    }
}
