using System.Net;
using System.Text.Json.Nodes;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>
/// One life of a hub in which an operation of every kind is under way, each at another step, when it is killed with -9; what another hub on the same data
/// makes of them; and what a third one still knows of it, after one more kill.
/// </summary>
public sealed class KilledHub : IAsyncLifetime
{
    private static readonly string[] Pairs =
    [
        "accepted", "demotion-lost", "demotion-obeyed", "promotion-lost", "promotion-obeyed", "promotion-answered", "back-lost", "back-obeyed", "drain-lost", "drain-obeyed",
        "undrain-lost", "undrain-obeyed", "role-lost", "role-obeyed", "policy-obeyed", "reset-asked", "forced", "scheduled", "frozen", "bulk-a", "bulk-b",
    ];

    private KillLab _lab = null!;

    /// <summary>Operations by their pair, as the second hub ended them; those of bulk drains by their type.</summary>
    internal Dictionary<string, JsonNode> Ended { get; } = [];

    /// <summary>The same, as the third hub has them.</summary>
    internal Dictionary<string, JsonNode> AfterOneMoreKill { get; } = [];

    /// <summary>Pairs as they are at last.</summary>
    internal Dictionary<string, JsonNode> PairsAfterwards { get; } = [];

    /// <summary>Events that tell how an operation ended, by the id of the operation.</summary>
    internal ILookup<string, string> Told { get; private set; } = null!;

    internal bool AuditIsIntact { get; private set; }

    internal HttpStatusCode FrozenAnswer { get; private set; }

    internal IReadOnlyList<string> Broken { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        _lab = await KillLab.StartAsync(Pairs);
        var stops = await BeginAllAsync();
        await Task.WhenAll(stops);

        // The last ones do not stand still: whatever the hub is just doing about them, it is killed now.
        var answered = _lab.Two("promotion-answered").StopAt(1, obeys: true, answers: true);
        await PostAsync("pairs/promotion-answered", """{"type":"switchover","target":"promotion-answered-2"}""");
        await answered;
        await PostAsync("pairs/scheduled", $$"""{"type":"switchover","target":"scheduled-2","startAt":"{{TimeProvider.System.GetUtcNow().AddSeconds(4):O}}"}""");
        await PostAsync("pairs/accepted", """{"type":"switchover","target":"accepted-2"}""");
        await _lab.KillAndRestartAsync();

        await KeepAsync(Ended);
        FrozenAnswer = await TryAsync("pairs/frozen", """{"type":"switchover","target":"frozen-2"}""");
        await _lab.Hub.UntilAsync("/api/v1/pairs?limit=500", pairs => pairs["items"]!.AsArray().All(p => p!["operation"] is null && IsKnown(p)));
        await _lab.KillAndRestartAsync();

        await KeepAsync(AfterOneMoreKill);
        var told = await _lab.Hub.GetAsync("/api/v1/events?kind=operation-finished&limit=500");
        Told = told["items"]!.AsArray().ToLookup(e => (string)e!["operation"]!, e => (string)e!["text"]!);
        foreach (var pair in (await _lab.Hub.UntilAsync("/api/v1/pairs?limit=500", pairs => pairs["items"]!.AsArray().All(p => IsKnown(p!))))["items"]!.AsArray())
        {
            PairsAfterwards[(string)pair!["name"]!] = pair;
        }

        AuditIsIntact = (bool)(await _lab.Hub.GetAsync("/api/v1/audit/verify"))["intact"]!;
        Broken = [.. _lab.Broken];
    }

    public ValueTask DisposeAsync() => _lab?.DisposeAsync() ?? ValueTask.CompletedTask;

    // Who is active is not known where both are secondary.
    private static bool IsKnown(JsonNode pair) => pair["activeNode"] is not null || (string?)pair["name"] == "role-obeyed";

    // Each of them is where it has to be when its task has ended.
    private async Task<List<Task>> BeginAllAsync()
    {
        // Drained first, for those that are to be undrained.
        foreach (var pair in new[] { "undrain-lost", "undrain-obeyed" })
        {
            await PostAsync($"nodes/{pair}-2", """{"type":"drain"}""");
        }

        await _lab.AllEndedAsync();
        _lab.Two("back-lost").RejectsNext = true;
        _lab.Two("back-obeyed").RejectsNext = true;
        await _lab.One("forced").HangUpAsync();
        await _lab.Hub.UntilAsync("/api/v1/nodes/forced-1", node => (string?)node["link"] != "Connected");
        List<Task> stops =
        [
            _lab.One("demotion-lost").StopAt(1, obeys: false),
            _lab.One("demotion-obeyed").StopAt(1, obeys: true),
            _lab.Two("promotion-lost").StopAt(1, obeys: false),
            _lab.Two("promotion-obeyed").StopAt(1, obeys: true),
            _lab.One("back-lost").StopAt(2, obeys: false),
            _lab.One("back-obeyed").StopAt(2, obeys: true),
            _lab.Two("drain-lost").StopAt(1, obeys: false),
            _lab.Two("drain-obeyed").StopAt(1, obeys: true),
            _lab.Two("undrain-lost").StopAt(2, obeys: false),
            _lab.Two("undrain-obeyed").StopAt(2, obeys: true),
            _lab.One("role-lost").StopAt(1, obeys: false),
            _lab.One("role-obeyed").StopAt(1, obeys: true),
            _lab.One("policy-obeyed").StopAt(1, obeys: true),
            _lab.Two("forced").StopAt(1, obeys: true),
            _lab.Two("bulk-a").StopAt(1, obeys: true),
            _lab.One("reset-asked").RequestedAsync(),
        ];
        foreach (var pair in Pairs.Where(p => p.StartsWith("demotion", StringComparison.Ordinal) || p.StartsWith("back", StringComparison.Ordinal) || p is "promotion-lost" or "promotion-obeyed"))
        {
            await PostAsync($"pairs/{pair}", $$"""{"type":"switchover","target":"{{pair}}-2"}""");
        }

        await PostAsync("nodes/drain-lost-2", """{"type":"drain"}""");
        await PostAsync("nodes/drain-obeyed-2", """{"type":"drain"}""");
        await PostAsync("nodes/undrain-lost-2", """{"type":"undrain"}""");
        await PostAsync("nodes/undrain-obeyed-2", """{"type":"undrain"}""");
        await PostAsync("nodes/role-lost-1", """{"type":"set-role","role":"secondary"}""");
        await PostAsync("nodes/role-obeyed-1", """{"type":"set-role","role":"secondary"}""");
        await PostAsync("pairs/policy-obeyed", """{"type":"set-failback","failback":{"policy":"manual"}}""");
        await PostAsync("nodes/reset-asked-1", """{"type":"reset-session","neighbor":"127.34.0.1:1790"}""");
        await PostAsync("pairs/forced", """{"type":"force-promote","target":"forced-2","overrideRules":["SR-02"]}""");
        await PostAsync("pairs/frozen", """{"type":"freeze","expiresInSeconds":3600}""");
        Assert.Equal(HttpStatusCode.Accepted, await _lab.Hub.PostAsync("/api/v1/operations", """{"type":"bulk-drain","dataCenter":"18","role":"secondary","reason":"killed on the way"}"""));
        return stops;
    }

    private async Task PostAsync(string of, string body) => Assert.Equal(HttpStatusCode.Accepted, await TryAsync(of, body));

    private Task<HttpStatusCode> TryAsync(string of, string body) =>
        _lab.Hub.PostAsync($"/api/v1/{of}/operations", $$"""{"reason":"killed on the way",{{body[1..]}}""");

    private async Task KeepAsync(Dictionary<string, JsonNode> operations)
    {
        // Of those that were drained first the later one counts.
        foreach (var operation in Enumerable.Reverse(await _lab.AllEndedAsync()))
        {
            operations[(string)operation["type"]! == "bulk-drain" ? "bulk" : (string)operation["pair"]!] = operation;
        }
    }
}
