using System.Text.Json.Nodes;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Tests.Agents;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>A hub as a process of its own, and pairs of nodes that outlive it, each with a prefix of its own.</summary>
internal sealed class KillLab : IAsyncDisposable
{
    private readonly TemporaryFolder _data = new();
    private readonly Dictionary<string, (LabNode One, LabNode Two)> _pairs = [];
    private string _token = "";

    public HubProcess Hub { get; private set; } = null!;

    /// <summary>What the nodes did that no operation may bring about.</summary>
    public IEnumerable<string> Broken => _pairs.Values.SelectMany(p => new[] { p.One.Broken, p.Two.Broken }).OfType<string>();

    public static async Task<KillLab> StartAsync(params string[] pairs)
    {
        var lab = new KillLab();
        foreach (var (pair, i) in pairs.Select((p, i) => (p, i)))
        {
            lab.Add(pair, $"203.0.113.{i + 10}/32", pair.StartsWith("bulk", StringComparison.Ordinal) ? "18" : "7");
        }

        lab._token = await HubProcess.MakeTokenAsync(lab._data.Path);
        await lab.StartHubAsync(lab._pairs.Keys);
        return lab;
    }

    public LabNode One(string pair) => _pairs[pair].One;

    public LabNode Two(string pair) => _pairs[pair].Two;

    /// <summary>Kills the hub with -9, starts another one on what it has left, and lets the nodes dial it, each as it is.</summary>
    public async Task KillAndRestartAsync()
    {
        await Hub.KillAsync();
        foreach (var (one, two) in _pairs.Values)
        {
            await one.DisposeAsync();
            await two.DisposeAsync();
        }

        await Hub.DisposeAsync();
        await StartHubAsync(_pairs.Keys);
    }

    /// <summary>Every operation that there is, by its pair (one per pair but for bulk drains), when all have ended.</summary>
    public async Task<List<JsonNode>> AllEndedAsync() =>
        [.. (await Hub.UntilAsync("/api/v1/operations?limit=500", all => all["items"]!.AsArray() is { Count: > 0 } items && items.All(o => (bool)o!["finished"]!)))["items"]!.AsArray().Select(o => o!)];

    public async ValueTask DisposeAsync()
    {
        foreach (var (one, two) in _pairs.Values)
        {
            await one.DisposeAsync();
            await two.DisposeAsync();
        }

        await (Hub?.DisposeAsync() ?? ValueTask.CompletedTask);
        _data.Dispose();
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
        Hub = await HubProcess.StartAsync(_data.Path, _token);
        await Task.WhenAll(pairs.SelectMany(pair => new[] { One(pair), Two(pair) }).Select(node => node.DialAsync(Hub.AgentUrl)));

        await Hub.UntilAsync("/api/v1/nodes?limit=500", nodes => nodes["items"]!.AsArray() is var all && all.Count == 2 * _pairs.Count && all.All(n => (string?)n!["link"] == "Connected"));
    }
}
