using System.Net;
using System.Text.Json.Nodes;
using FailoverHub.Protos.V1;

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
        "failback-lost", "failback-obeyed", "unfreeze-lost", "drill-there", "drill-measured", "drill-back", "cancel-running", "cancel-scheduled", "unknown-lost", "unknown-obeyed",
        "settling-lost", "settling-obeyed", "scheduled-lost", "scheduled-obeyed",
    ];

    // Their outcome is not known when the hub is killed; the next one is killed while it settles them.
    private static readonly string[] Settling = ["settling-lost", "settling-obeyed"];

    // A drill outlives its hub, and here two of them.
    private static readonly string[] Drilled = ["drill-there", "drill-measured", "drill-back"];

    private KillLab _lab = null!;
    private int _asked;

    /// <summary>Operations by their pair, as the second hub ended them (the last one of each pair); those of bulk drains by their type, drills by pair and type.</summary>
    internal Dictionary<string, JsonNode> Ended { get; } = [];

    /// <summary>The same, as the third hub has them.</summary>
    internal Dictionary<string, JsonNode> AtLast { get; } = [];

    /// <summary>Pairs as they are at last.</summary>
    internal Dictionary<string, JsonNode> PairsAfterwards { get; } = [];

    /// <summary>Events that tell how an operation ended, by the id of the operation.</summary>
    internal ILookup<string, string> Told { get; private set; } = null!;

    internal bool AuditIsIntact { get; private set; }

    internal HttpStatusCode FrozenAnswer { get; private set; }

    internal IReadOnlyList<string> Broken { get; private set; } = [];

    /// <summary>What nodes were sent although they had it.</summary>
    internal IReadOnlyList<string> Repeated { get; private set; } = [];

    /// <summary>Every operation that the third hub knows.</summary>
    internal List<JsonNode> All { get; private set; } = [];

    /// <summary>How many operations the first hub was asked for, with what a bulk drain asks for itself: nothing else may have begun, but for the moves of drills.</summary>
    internal int Asked => _asked;

    /// <summary>The whole audit.</summary>
    internal List<JsonNode> Audit { get; private set; } = [];

    /// <summary>Every event of an operation, of all kinds.</summary>
    internal ILookup<string, JsonNode> Events { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _lab = await KillLab.StartAsync(Pairs);
        await Task.WhenAll(await BeginAllAsync());

        // From here on time counts: these stand where they are for some seconds only.
        var many = _lab.Two("bulk-a").StopAt(1, obeys: true);
        Assert.Equal(HttpStatusCode.Accepted, await _lab.Hub.PostAsync("/api/v1/operations", """{"type":"bulk-drain","dataCenter":"18","role":"secondary","reason":"killed on the way"}"""));
        Interlocked.Add(ref _asked, 2);
        await MeasuredAsync("drill-measured");
        var begins = TimeProvider.System.GetUtcNow().AddSeconds(20);
        await PostAsync("pairs/scheduled", $$"""{"type":"switchover","target":"scheduled-2","startAt":"{{begins:O}}"}""");
        _lab.Two("back-lost").RejectsNext = true;
        _lab.Two("back-obeyed").RejectsNext = true;
        Task[] back = [many, _lab.One("back-lost").StopAt(2, obeys: false), _lab.One("back-obeyed").StopAt(2, obeys: true)];
        await PostAsync("pairs/back-lost", """{"type":"switchover","target":"back-lost-2"}""");
        await PostAsync("pairs/back-obeyed", """{"type":"switchover","target":"back-obeyed-2"}""");
        await Task.WhenAll(back);

        // The last ones do not stand still: whatever the hub is just doing about them, it is killed now.
        var answered = _lab.Two("promotion-answered").StopAt(1, obeys: true, answers: true);
        await PostAsync("pairs/promotion-answered", """{"type":"switchover","target":"promotion-answered-2"}""");
        await answered;
        Assert.Equal(HttpStatusCode.Accepted, await CancelAsync("cancel-running"));
        await PostAsync("pairs/accepted", """{"type":"switchover","target":"accepted-2"}""");
        Task[] settling = [_lab.One("settling-lost").FallSilentAfterDiallingAt(2, obeys: false), _lab.One("settling-obeyed").FallSilentAfterDiallingAt(2, obeys: true)];
        await _lab.Hub.KillAsync();
        Assert.True(TimeProvider.System.GetUtcNow() < begins, "The machine was too slow: what was scheduled has begun before the hub was killed.");
        await _lab.RestartAsync();

        await Task.WhenAll(settling);
        await KeepAsync(Ended, [.. Settling, .. Drilled]);

        // Immediate, which nobody chose, is what they kept before; so they get what the hub wants where nobody has chosen anything.
        await _lab.Hub.UntilAsync("/api/v1/pairs/unfreeze-lost", _ => new[] { _lab.One("unfreeze-lost"), _lab.Two("unfreeze-lost") }.All(n => n.State.Prefixes[0].FailbackPolicy == FailbackPolicy.AfterStable));
        FrozenAnswer = await TryAsync("pairs/frozen", """{"type":"switchover","target":"frozen-2"}""");
        await _lab.Hub.UntilAsync("/api/v1/pairs?limit=500", pairs => pairs["items"]!.AsArray().All(p => GoesOn((string?)p!["name"]) || (p["operation"] is null && IsKnown(p))));

        // What the settlement has told them has been without an answer for so long that they are given up as silent.
        foreach (var pair in Settling)
        {
            await _lab.Hub.UntilAsync($"/api/v1/nodes/{pair}-1", node => (string?)node["link"] == "Offline");
            Ended[pair] = (await OperationsAsync()).First(o => (string?)o["pair"] == pair);
        }

        await _lab.KillAndRestartAsync();

        await KeepAsync(AtLast);
        foreach (var pair in (await _lab.Hub.UntilAsync("/api/v1/pairs?limit=500", pairs => pairs["items"]!.AsArray().All(p => IsKnown(p!))))["items"]!.AsArray())
        {
            PairsAfterwards[(string)pair!["name"]!] = pair;
        }

        AuditIsIntact = (bool)(await _lab.Hub.GetAsync("/api/v1/audit/verify"))["intact"]!;
        (Broken, Repeated) = ([.. _lab.Broken], [.. _lab.Repeated]);
        Audit = await WholeAsync("/api/v1/audit?limit=500");

        // Events go to the disk a moment after what they tell of.
        await _lab.Hub.UntilAsync("/api/v1/events?kind=operation-finished&limit=500", events => All.All(o => events["items"]!.AsArray().Any(e => (string?)e!["operation"] == (string?)o["id"] && !((string)e["text"]!).Contains("its outcome is not known", StringComparison.Ordinal))));
        Events = (await WholeAsync("/api/v1/events?limit=500")).Where(e => e["operation"] is not null).ToLookup(e => (string)e["operation"]!);
        Told = Events.SelectMany(e => e).Where(e => (string?)e["kind"] == "operation-finished").ToLookup(e => (string)e["operation"]!, e => (string)e["text"]!);
    }

    private async Task<List<JsonNode>> WholeAsync(string path)
    {
        var all = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = await _lab.Hub.GetAsync(cursor is null ? path : $"{path}&cursor={Uri.EscapeDataString(cursor)}");
            all.AddRange(page["items"]!.AsArray().Select(item => item!));
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);
        return all;
    }

    public ValueTask DisposeAsync() => _lab?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>A drill asks for its moves itself.</summary>
    internal static bool IsMoveOfDrill(JsonNode operation) => Drilled.Contains((string?)operation["pair"]) && (string?)operation["type"] != "drill";

    private static bool GoesOn(string? pair) => Settling.Contains(pair) || Drilled.Contains(pair);

    // Who is active is not known where both are secondary.
    private static bool IsKnown(JsonNode pair) => pair["activeNode"] is not null || (string?)pair["name"] == "role-obeyed";

    // Each of them is where it has to be when its task has ended.
    private async Task<List<Task>> BeginAllAsync()
    {
        // This one takes its time: a drill measures for a while before it goes back.
        var goesBack = _lab.Two("drill-back").StopAt(2, obeys: true);
        await PostAsync("pairs/drill-back", """{"type":"drill"}""");

        // Drained first, for those that are to be undrained.
        foreach (var pair in new[] { "undrain-lost", "undrain-obeyed" })
        {
            await PostAsync($"nodes/{pair}-2", """{"type":"drain"}""");
        }

        // Moved away first, for those that are to be moved back; frozen first, for the one that is to be unfrozen.
        foreach (var pair in new[] { "failback-lost", "failback-obeyed" })
        {
            await PostAsync($"pairs/{pair}", $$"""{"type":"switchover","target":"{{pair}}-2"}""");
        }

        await PostAsync("pairs/unfreeze-lost", """{"type":"freeze","expiresInSeconds":3600}""");
        await _lab.AllEndedAsync("drill-back");
        await _lab.Hub.UntilAsync("/api/v1/pairs/unfreeze-lost", _ => new[] { _lab.One("unfreeze-lost"), _lab.Two("unfreeze-lost") }.All(n => n.State.Prefixes[0].FailbackPolicy == FailbackPolicy.Manual));

        await _lab.One("forced").HangUpAsync();
        await _lab.Hub.UntilAsync("/api/v1/nodes/forced-1", node => (string?)node["link"] != "Connected");
        List<Task> stops =
        [
            _lab.One("demotion-lost").StopAt(1, obeys: false),
            _lab.One("demotion-obeyed").StopAt(1, obeys: true),
            _lab.Two("promotion-lost").StopAt(1, obeys: false),
            _lab.Two("promotion-obeyed").StopAt(1, obeys: true),
            _lab.Two("drain-lost").StopAt(1, obeys: false),
            _lab.Two("drain-obeyed").StopAt(1, obeys: true),
            _lab.Two("undrain-lost").StopAt(2, obeys: false),
            _lab.Two("undrain-obeyed").StopAt(2, obeys: true),
            _lab.One("role-lost").StopAt(1, obeys: false),
            _lab.One("role-obeyed").StopAt(1, obeys: true),
            _lab.One("policy-obeyed").StopAt(1, obeys: true),
            _lab.Two("forced").StopAt(1, obeys: true),
            _lab.One("reset-asked").RequestedAsync(),
            _lab.Two("failback-lost").StopAt(2, obeys: false),
            _lab.One("failback-obeyed").StopAt(2, obeys: true),
            _lab.One("unfreeze-lost").StopAt(2, obeys: false),
            _lab.One("cancel-running").StopAt(1, obeys: true),
            _lab.Two("settling-lost").StopAt(1, obeys: false),
            _lab.Two("settling-obeyed").StopAt(1, obeys: false),
            _lab.One("scheduled-lost").StopAt(1, obeys: false),
            _lab.One("scheduled-obeyed").StopAt(1, obeys: true),
            NotKnownAsync("unknown-lost", obeys: false),
            NotKnownAsync("unknown-obeyed", obeys: true),
            _lab.Two("drill-there").StopAt(1, obeys: true),
            goesBack,
        ];
        await PostAsync("pairs/drill-there", """{"type":"drill"}""");
        foreach (var pair in (string[])["cancel-running", .. Settling])
        {
            await PostAsync($"pairs/{pair}", $$"""{"type":"switchover","target":"{{pair}}-2"}""");
        }

        foreach (var pair in new[] { "scheduled-lost", "scheduled-obeyed" })
        {
            await PostAsync($"pairs/{pair}", $$"""{"type":"switchover","target":"{{pair}}-2","startAt":"{{TimeProvider.System.GetUtcNow().AddSeconds(2):O}}"}""");
        }

        await PostAsync("pairs/failback-lost", """{"type":"failback"}""");
        await PostAsync("pairs/failback-obeyed", """{"type":"failback"}""");
        await PostAsync("pairs/unfreeze-lost", """{"type":"unfreeze"}""");
        foreach (var pair in (string[])["demotion-lost", "demotion-obeyed", "promotion-lost", "promotion-obeyed"])
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
        await PostAsync("pairs/cancel-scheduled", $$"""{"type":"switchover","target":"cancel-scheduled-2","startAt":"{{TimeProvider.System.GetUtcNow().AddHours(1):O}}"}""");
        Assert.Equal(HttpStatusCode.Accepted, await CancelAsync("cancel-scheduled"));
        return stops;
    }

    /// <summary>The node is asked to become primary, and its stream breaks: what became of it is not known.</summary>
    private async Task NotKnownAsync(string pair, bool obeys)
    {
        var stopped = _lab.Two(pair).StopAt(1, obeys);
        await PostAsync($"pairs/{pair}", $$"""{"type":"switchover","target":"{{pair}}-2"}""");
        await stopped;
        await _lab.Two(pair).HangUpAsync();
        await _lab.Hub.UntilAsync("/api/v1/operations?limit=500", all => all["items"]!.AsArray().Any(o => (string?)o!["pair"] == pair && (string?)o["status"] == "OutcomeUnknown"));
    }

    /// <summary>A drill that has moved the address and measures, which takes it longer than everything that is still to be done before the hub is killed.</summary>
    private async Task MeasuredAsync(string pair)
    {
        await PostAsync($"pairs/{pair}", """{"type":"drill"}""");
        await _lab.Hub.UntilAsync("/api/v1/operations?limit=500", all => all["items"]!.AsArray().Any(o => (string?)o!["pair"] == pair && (string?)o["type"] == "drill" && (string?)o["steps"]![2]!["status"] == "Running"));
    }

    private async Task<IEnumerable<JsonNode>> OperationsAsync() => (await _lab.Hub.GetAsync("/api/v1/operations?limit=500"))["items"]!.AsArray().Select(o => o!);

    private async Task<HttpStatusCode> CancelAsync(string pair)
    {
        var id = (string)(await OperationsAsync()).First(o => (string?)o["pair"] == pair)["id"]!;
        return await _lab.Hub.PostAsync($"/api/v1/operations/{id}/cancel", """{"reason":"killed on the way"}""");
    }

    private async Task PostAsync(string of, string body)
    {
        Interlocked.Increment(ref _asked);
        var answer = await TryAsync(of, body);
        Assert.True(answer == HttpStatusCode.Accepted, $"{of} {body}: {answer}");
    }

    private Task<HttpStatusCode> TryAsync(string of, string body) =>
        _lab.Hub.PostAsync($"/api/v1/{of}/operations", $$"""{"reason":"killed on the way",{{(body.Contains("freeze", StringComparison.Ordinal) ? "" : "\"deadlineSeconds\":300,")}}{{body[1..]}}""");

    private async Task KeepAsync(Dictionary<string, JsonNode> operations, params string[] except)
    {
        All = await _lab.AllEndedAsync(except);

        // Of those that were drained or moved first the later one counts, except that each move of a drill does.
        foreach (var operation in Enumerable.Reverse(All))
        {
            var (type, pair) = ((string)operation["type"]!, (string)operation["pair"]!);
            operations[type == "bulk-drain" ? "bulk" : type == "drill" ? $"{pair}/drill" : pair] = operation;
            if (IsMoveOfDrill(operation))
            {
                operations[$"{pair}/move-{Enumerable.Range(1, 9).First(n => !operations.ContainsKey($"{pair}/move-{n}"))}"] = operation;
            }
        }
    }
}
