using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>The hub's API as a script uses it: what is asserted on a page is compared with it.</summary>
internal sealed class HubApi : IDisposable
{
    private readonly HttpClient _http = new();

    public HubApi(Uri url, string token)
    {
        Url = url;
        _http.BaseAddress = url;
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Uri Url { get; }

    /// <summary>The one pair of the trial; null while the hub does not answer, or has not heard of it.</summary>
    public async Task<PairView?> PairAsync(CancellationToken cancelled)
    {
        try
        {
            return Items(await GetAsync("/api/v1/pairs", cancelled)).SingleOrDefault() is { } pair ? new PairView(pair.AsObject()) : null;
        }
        catch (HttpRequestException error) when (error.StatusCode is null)
        {
            // Nobody listens: the test has killed the hub.
            return null;
        }
    }

    public async Task<JsonArray> AuditAsync(CancellationToken cancelled) => Items(await GetAsync("/api/v1/audit", cancelled));

    /// <summary>Starts an operation on the pair and returns its id.</summary>
    public Task<string> StartOnPairAsync(string pair, object operation, CancellationToken cancelled) =>
        StartAsync($"/api/v1/pairs/{Uri.EscapeDataString(pair)}/operations", operation, cancelled);

    /// <summary>Starts an operation on a node and returns its id.</summary>
    public Task<string> StartOnNodeAsync(string node, object operation, CancellationToken cancelled) =>
        StartAsync($"/api/v1/nodes/{Uri.EscapeDataString(node)}/operations", operation, cancelled);

    /// <summary>Plans maintenance of a pair from now on, for an hour, and returns its id.</summary>
    public Task<string> PlanMaintenanceAsync(string pair, string reason, CancellationToken cancelled) =>
        StartAsync("/api/v1/maintenance-windows", new { scope = "pair", target = pair, until = TimeProvider.System.GetUtcNow().AddHours(1), reason }, cancelled);

    public Task<string> EndMaintenanceAsync(string id, string reason, CancellationToken cancelled) => StartAsync($"/api/v1/maintenance-windows/{id}/end", new { reason }, cancelled);

    public async Task<string> OperationStatusAsync(string id, CancellationToken cancelled) =>
        (string)(await GetAsync($"/api/v1/operations/{id}", cancelled))["status"]!;

    /// <summary>The newest drill and how it stands; null: there was none. Between its moves no operation is under way on the pair, and yet it has it.</summary>
    public async Task<(string Id, string Status)?> NewestDrillAsync(CancellationToken cancelled) =>
        Items(await GetAsync("/api/v1/operations", cancelled)).FirstOrDefault(o => string.Equals((string?)o!["type"], "drill", StringComparison.OrdinalIgnoreCase)) is { } drill
            ? ((string)drill["id"]!, (string)drill["status"]!)
            : null;

    public void Dispose() => _http.Dispose();

    private static JsonArray Items(JsonNode answer) => answer as JsonArray ?? answer["items"]!.AsArray();

    private async Task<JsonNode> GetAsync(string path, CancellationToken cancelled) =>
        await _http.GetFromJsonAsync<JsonNode>(new Uri(path, UriKind.Relative), cancelled) ?? throw new JsonException($"{path} answered null.");

    private async Task<string> StartAsync(string path, object operation, CancellationToken cancelled)
    {
        using var answer = await _http.PostAsJsonAsync(new Uri(path, UriKind.Relative), operation, cancelled);
        var body = await answer.Content.ReadAsStringAsync(cancelled);
        Assert.True(answer.IsSuccessStatusCode, $"{path} answered {answer.StatusCode}: {body}");
        return (string)JsonNode.Parse(body)!["id"]!;
    }
}

/// <summary>A pair as the API tells it.</summary>
internal sealed class PairView(JsonObject json)
{
    public string Name => (string)json["name"]!;

    public string State => (string)json["state"]!;

    public string? ActiveNode => (string?)json["activeNode"];

    public bool IsBusy => json["operation"] is not null;

    public IEnumerable<MemberView> Members => json["members"]!.AsArray().Select(member => new MemberView(member!));

    public MemberView Member(string node) => Members.Single(member => member.Node == node);

    public override string ToString() => json.ToJsonString();
}

/// <summary>A member of a pair as the API tells it.</summary>
internal sealed class MemberView(JsonNode json)
{
    public string Node => (string)json["node"]!;

    public string Link => (string)json["link"]!;

    public bool Drained => (bool)json["drained"]!;

    public int Established => (int)json["sessions"]!["established"]!;

    /// <summary>Role on the wire, null when nothing is announced.</summary>
    public string? ReportedRole => (string?)json["prefixes"]![0]!["reportedRole"];
}
