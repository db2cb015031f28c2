using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FailoverHub.Web.Access;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Grpc.Core;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>Join tokens and nodes as the command line and scripts have them, at a whole hub whose agents' port has TLS.</summary>
[Trait("Kind", "Hub")]
public sealed class JoinTokenWaysTests : IAsyncLifetime
{
    private readonly List<TestNode> _nodes = [];
    private WholeHub _hub = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string AgentUrl => _hub.AgentUrl.AbsoluteUri;

    public async ValueTask InitializeAsync() => _hub = await WholeHub.StartAsync(agentUrl: "https://127.0.0.1:0");

    public async ValueTask DisposeAsync()
    {
        _nodes.ForEach(n => n.Dispose());
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task CommandLine_TokenMadeBesideTheRunningHub_LetsOneNodeJoinAndIsListedWithoutItself()
    {
        (int made, string token, _) = await RunAsync("join-token", "create", "--node", "web-1", "--token-only");
        await NewNode().JoinAsync(AgentUrl, token.Trim(), "web-1");
        (_, string list, _) = await RunAsync("join-token", "list");

        Assert.Equal(0, made);
        Assert.Contains("web-1", list, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Trim().Split('.')[0], list, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unauthenticated, (await NewNode().FailToJoinAsync(AgentUrl, token.Trim(), "web-1")).StatusCode);
    }

    [Fact]
    public async Task CommandLine_PrintsTheWholeCommandForTheNodeAndForHowLongItIsGood()
    {
        (int code, string output, string error) = await RunAsync("join-token", "create", "--node", "web-1");

        Assert.Equal(0, code);
        string[] words = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Split(' ');
        Assert.Equal(["echo", "|", "failoverhub-agent", "join", "--hub", "--node", "web-1", "--token", "-"], [words[0], .. words[2..6], .. words[7..]]);
        Assert.StartsWith("https://", words[6], StringComparison.Ordinal);
        Assert.Contains("Good for one node until", error, StringComparison.Ordinal);
        await NewNode().JoinAsync(AgentUrl, words[1], "web-1");
    }

    [Fact]
    public async Task CommandLine_WithdrawnToken_LetsNobodyJoin()
    {
        (_, string token, _) = await RunAsync("join-token", "create", "--token-only");
        (_, string list, _) = await RunAsync("join-token", "list");
        string id = list.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1].Split(' ')[0];

        (int first, _, _) = await RunAsync("join-token", "withdraw", id);
        (int second, _, string error) = await RunAsync("join-token", "withdraw", id);

        Assert.Equal((0, 1), (first, second));
        Assert.Contains("no unused join token", error, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unauthenticated, (await NewNode().FailToJoinAsync(AgentUrl, token.Trim(), "web-1")).StatusCode);
    }

    [Theory]
    [InlineData("--minutes 0", "1 to 1440 minutes")]
    [InlineData("--for-existing", "Give its name")]
    [InlineData("--node web-9 --for-existing", "No node 'web-9' has joined")]
    [InlineData("--node -web", "node name")]
    public async Task CommandLine_TokenThatCannotBeMade_SaysWhyAndEndsWithOne(string asked, string said)
    {
        (int code, string output, string error) = await RunAsync(["join-token", "create", .. asked.Split(' ')]);

        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.Contains(said, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Api_TokenIsInItsOwnAnswerAndNowhereElse()
    {
        using HttpClient admin = await _hub.ScriptAsync(ApiScope.Admin);

        using HttpResponseMessage answer = await admin.PostAsJsonAsync("/api/v1/join-tokens", new { node = "web-1", minutes = 5 }, Stop);
        JsonElement made = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);
        string token = made.GetProperty("token").GetString()!;
        await NewNode().JoinAsync(AgentUrl, token, "web-1");
        string list = await admin.GetStringAsync("/api/v1/join-tokens", Stop);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.StartsWith($"echo {token} | failoverhub-agent join --hub ", made.GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.EndsWith(" --node web-1 --token -", made.GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('.')[0], list, StringComparison.Ordinal);
        JsonElement listed = Assert.Single(JsonDocument.Parse(list).RootElement.EnumerateArray());
        Assert.Equal((made.GetProperty("id").GetString(), "web-1", "web-1"), (listed.GetProperty("id").GetString(), listed.GetProperty("node").GetString(), listed.GetProperty("usedBy").GetString()));
    }

    [Theory]
    [InlineData("""{"minutes":0}""", HttpStatusCode.BadRequest, "1 to 1440 minutes")]
    [InlineData("""{"minutes":"five"}""", HttpStatusCode.BadRequest, "cannot be understood at '$.minutes'")]
    [InlineData("""{"forExisting":true}""", HttpStatusCode.BadRequest, "Give its name")]
    [InlineData("""{"name":"web-1"}""", HttpStatusCode.BadRequest, "unknown field")]
    [InlineData("""null""", HttpStatusCode.BadRequest, "send a JSON object")]
    [InlineData("""not json""", HttpStatusCode.BadRequest, "cannot be understood")]
    public async Task Api_BodyOfATokenThatIsWrong_IsRefusedWithWhatIsWrong(string body, HttpStatusCode status, string said)
    {
        using HttpClient admin = await _hub.ScriptAsync(ApiScope.Admin);

        using HttpResponseMessage answer = await admin.PostAsync("/api/v1/join-tokens", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Stop);

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(said, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Stop)).RootElement.ToString().Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Api_TokenThatIsWithdrawn_IsGoneOnceAndLetsNobodyJoin()
    {
        using HttpClient admin = await _hub.ScriptAsync(ApiScope.Admin);
        using HttpResponseMessage answer = await admin.PostAsJsonAsync("/api/v1/join-tokens", new { }, Stop);
        JsonElement made = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);

        HttpStatusCode first = (await admin.DeleteAsync($"/api/v1/join-tokens/{made.GetProperty("id").GetString()}", Stop)).StatusCode;
        HttpStatusCode second = (await admin.DeleteAsync($"/api/v1/join-tokens/{made.GetProperty("id").GetString()}", Stop)).StatusCode;

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (first, second));
        Assert.Equal(StatusCode.Unauthenticated, (await NewNode().FailToJoinAsync(AgentUrl, made.GetProperty("token").GetString()!, "web-1")).StatusCode);
    }

    [Fact]
    public async Task Api_NodeIsRenamedRevokedAndRemoved_AndEachBodyIsAskedForItsReason()
    {
        using HttpClient admin = await _hub.ScriptAsync(ApiScope.Admin);
        foreach (string name in (string[])["web-1", "web-2"])
        {
            (_, string token, _) = await RunAsync("join-token", "create", "--token-only");
            await NewNode().JoinAsync(AgentUrl, token.Trim(), name);
        }

        async Task<HttpStatusCode> ChangeAsync(string node, string change, object body)
        {
            using HttpResponseMessage answer = await admin.PostAsJsonAsync($"/api/v1/nodes/{node}/{change}", body, Stop);
            Assert.StartsWith(answer.IsSuccessStatusCode ? "application/json" : "application/problem+json", $"{answer.Content.Headers.ContentType}", StringComparison.Ordinal);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.Conflict, await ChangeAsync("web-1", "rename", new { name = "web-2", reason = "better name" }));
        Assert.Equal(HttpStatusCode.Conflict, await ChangeAsync("web-1", "rename", new { name = "web-3" }));
        Assert.Equal(HttpStatusCode.BadRequest, await ChangeAsync("web-1", "rename", new { to = "web-3", reason = "better name" }));
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync("web-1", "rename", new { name = "web-3", reason = "better name" }));
        Assert.Equal(HttpStatusCode.NotFound, await ChangeAsync("web-1", "revoke", new { reason = "stolen" }));
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync("web-3", "revoke", new { reason = "stolen" }));
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync("web-3", "remove", new { reason = "gone for good" }));
        Assert.Equal(HttpStatusCode.NotFound, await ChangeAsync("web-3", "remove", new { reason = "gone for good" }));
    }

    private TestNode NewNode()
    {
        var node = new TestNode();
        _nodes.Add(node);
        return node;
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        string[] database = TestDatabases.OnPostgres ? ["--database", TestDatabases.For(_hub.Data).ConnectionString!] : [];
        int code = await HubCommandLine.Build(output, error).Parse([.. arguments, "--data", _hub.Data, .. database]).InvokeAsync(cancellationToken: Stop);
        return (code, output.ToString(), error.ToString());
    }
}
