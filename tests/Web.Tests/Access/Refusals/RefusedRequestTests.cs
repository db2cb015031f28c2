using System.Net;
using System.Text;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Api;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Access.Refusals;

/// <summary>Changes that fail at their form, or at what they name: each is in the audit, however long what was sent is.</summary>
[Trait("Kind", "Hub")]
public sealed class RefusedRequestTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/v1/operations/op-1/cancel", "not json", 400)]
    [InlineData("/api/v1/operations/op-1/cancel", "{\"reason\":5}", 400)]
    [InlineData("/api/v1/operations/op-1/cancel", "{\"reason\":\"two\\nlines\"}", 400)]
    [InlineData("/api/v1/operations/op-1/approve", "not json", 400)]
    [InlineData("/api/v1/operations/op-1/reject", "[]", 400)]
    [InlineData("/api/v1/users", "not json", 400)]
    [InlineData("/api/v1/users", "{\"name\":null,\"roles\":[\"Viewer\"]}", 400)]
    [InlineData("/api/v1/users", "{\"name\":\"anna\",\"roles\":null}", 400)]
    [InlineData("/api/v1/users", "{\"name\":\"anna\",\"roles\":[null]}", 400)]
    [InlineData("/api/v1/users/anna/roles", "{\"roles\":[\"Viewer\",null]}", 400)]
    [InlineData("/api/v1/api-tokens", "{\"name\":null,\"scope\":\"read\"}", 400)]
    [InlineData("/api/v1/users/anna/lock", "{}", 400)]
    [InlineData("/api/v1/users/anna/roles", "null", 400)]
    [InlineData("/api/v1/join-tokens", "{\"minutes\":\"five\"}", 400)]
    [InlineData("/api/v1/nodes/web-1/revoke", "not json", 400)]
    [InlineData("/api/v1/settings/retention", "{\"eventDays\":0,\"probeHours\":0}", 400)]
    [InlineData("/api/v1/audit/checkpoints", "not json", 400)]
    public async Task BodyThatCannotBeUnderstood_IsAuditedWithWhoAndWhat(string path, string body, int status)
    {
        WholeHub hub = shared.Fresh();
        string token = $"t-{Guid.NewGuid():N}";
        HttpClient script = hub.Browser();
        script.DefaultRequestHeaders.Authorization = new("Bearer", await hub.TokenAsync(token, ApiScope.Admin));

        using HttpResponseMessage answer = await script.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Stop);

        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
        AuditEntry entry = Assert.Single(await OfAsync(hub, $"token {token}"));
        Assert.Equal((TokenGate.Action, $"POST {path}"), (entry.Action, entry.Target));
        Assert.StartsWith("refused, malformed: ", entry.Outcome, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/operations/op-1/cancel")]
    [InlineData("/api/v1/users")]
    public async Task BodyOfAnotherMediaType_IsAudited(string path)
    {
        WholeHub hub = shared.Fresh();
        string token = $"t-{Guid.NewGuid():N}";
        HttpClient script = hub.Browser();
        script.DefaultRequestHeaders.Authorization = new("Bearer", await hub.TokenAsync(token, ApiScope.Admin));

        using HttpResponseMessage answer = await script.PostAsync(path, new StringContent("reason", Encoding.UTF8, "text/plain"), Stop);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Single(await OfAsync(hub, $"token {token}"));
    }

    [Fact]
    public async Task WhatWasSent_IsCutWithAMarkHoweverLongItIs()
    {
        WholeHub hub = shared.Fresh();
        string token = $"t-{Guid.NewGuid():N}";
        HttpClient script = hub.Browser();
        script.DefaultRequestHeaders.Authorization = new("Bearer", await hub.TokenAsync(token, ApiScope.Admin));
        string nested = $"{{\"{new string('n', 20_000)}\":1}}";

        (await script.PostAsync("/api/v1/users", new StringContent(nested, Encoding.UTF8, "application/json"), Stop)).Dispose();
        (await script.PostAsync($"/api/v1/operations/{new string('o', 3_000)}/cancel", new StringContent("not json", Encoding.UTF8, "application/json"), Stop)).Dispose();
        (await script.PostAsync("/api/v1/join-tokens", new StringContent($"{{\"node\":\"-{new string('x', 5_000)}\"}}", Encoding.UTF8, "application/json"), Stop)).Dispose();

        IReadOnlyList<AuditEntry> entries = await OfAsync(hub, $"token {token}");
        Assert.Equal(3, entries.Count);
        Assert.All(entries, e => Assert.InRange(e.Target.Length + e.Outcome.Length, 1, RefusedRequest.LongestWhy + 300));
        Assert.Contains(entries, e => e.Target.EndsWith(Cut.Mark, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatThereIsNot_IsAuditedWhenSomebodyTriesToChangeIt()
    {
        WholeHub hub = shared.Fresh();
        var actor = WholeHub.Tester with { Name = $"tester-{Guid.NewGuid():N}" };

        await hub.Get<JoinTokens>().WithdrawAsync("no-such", actor, Stop);
        await hub.Get<NodeChanges>().RevokeAsync("no-such", "stolen", actor, Stop);
        await hub.Get<ApiTokens>().RevokeAsync("no-such", actor, Stop);
        await hub.Get<ApiTokens>().CreateAsync("two words", ApiScope.Read, TimeSpan.FromDays(1), actor, Stop);
        await hub.Get<ApiTokens>().CreateAsync("ci", ApiScope.Read, TimeSpan.FromDays(400), actor, Stop);

        IReadOnlyList<AuditEntry> entries = await OfAsync(hub, actor.Name);
        Assert.Equal(["token-created", "token-created", "token-revoked", "certificate-revoked", "join-token-withdrawn"], entries.Select(e => e.Action));
        Assert.All(entries, e => Assert.StartsWith("refused: ", e.Outcome, StringComparison.Ordinal));
    }

    private static async Task<IReadOnlyList<AuditEntry>> OfAsync(WholeHub hub, string actor) => (await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Actor = actor }, null, 50, Stop)).Items;
}
