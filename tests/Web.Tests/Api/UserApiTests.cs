using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Api;

/// <summary>Accounts, retention and signatures by a script: done, refused, and in the audit either way.</summary>
[Trait("Kind", "Hub")]
public sealed class UserApiTests : IAsyncLifetime
{
    private WholeHub _hub = null!;
    private HttpClient _script = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync();
        _script = await _hub.ScriptAsync(ApiScope.Admin);
    }

    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    [Fact]
    public async Task Account_MadeChangedAndRemoved_EachStepIsAudited()
    {
        (HttpStatusCode made, JsonNode? anna) = await SendAsync(HttpMethod.Post, "users", """{"name":"anna","roles":["Admin"]}""");
        await SendAsync(HttpMethod.Post, "users", """{"name":"carol","roles":["Viewer"]}""");
        (HttpStatusCode roles, JsonNode? changed) = await SendAsync(HttpMethod.Post, "users/carol/roles", """{"roles":["Operator","Auditor"]}""");
        (HttpStatusCode locked, JsonNode? shut) = await SendAsync(HttpMethod.Post, "users/carol/lock", """{"locked":true}""");
        (HttpStatusCode unlocked, JsonNode? open) = await SendAsync(HttpMethod.Post, "users/carol/lock", """{"locked":false}""");
        (HttpStatusCode factor, JsonNode? without) = await SendAsync(HttpMethod.Post, "users/carol/reset", """{"secondFactor":true}""");
        (HttpStatusCode reset, JsonNode? renewed) = await SendAsync(HttpMethod.Post, "users/carol/reset", """{"password":true,"secondFactor":true}""");
        JsonArray listed = JsonNode.Parse(await _script.GetStringAsync("/api/v1/users", Stop))!.AsArray();
        (HttpStatusCode removed, _) = await SendAsync(HttpMethod.Delete, "users/carol");

        Assert.Equal((HttpStatusCode.Created, 20), (made, ((string)anna!["temporaryPassword"]!).Length));
        Assert.Equal((HttpStatusCode.OK, "Operator Auditor"), (roles, string.Join(' ', changed!["user"]!["roles"]!.AsArray().Select(r => (string)r!))));
        Assert.Equal((HttpStatusCode.OK, true, HttpStatusCode.OK, false), (locked, (bool)shut!["user"]!["locked"]!, unlocked, (bool)open!["user"]!["locked"]!));
        Assert.Equal((HttpStatusCode.OK, null), (factor, (string?)without!["temporaryPassword"]));
        Assert.Equal((HttpStatusCode.OK, 20), (reset, ((string)renewed!["temporaryPassword"]!).Length));
        Assert.Equal(["anna", "carol"], listed.Select(u => (string)u!["name"]!));
        Assert.Equal(HttpStatusCode.NoContent, removed);
        Assert.Equal(HttpStatusCode.NotFound, (await _script.GetAsync("/api/v1/users/carol", Stop)).StatusCode);
        string[] audited = [.. (await AuditAsync()).Where(a => a.Target == "user carol").Reverse().Select(a => $"{a.Action} {a.Outcome}")];
        Assert.Equal(["user-created accepted", "user-roles-changed accepted", "user-locked accepted", "user-unlocked accepted", "user-second-factor-reset accepted", "user-password-reset accepted", "user-removed accepted"], audited);
    }

    [Theory]
    [InlineData("POST", "users", """{"name":"two words","roles":["Viewer"]}""", HttpStatusCode.Conflict, "user-created")]
    [InlineData("POST", "users", """{"name":"anna","roles":["Viewer"]}""", HttpStatusCode.Conflict, "user-created")]
    [InlineData("POST", "users", """{"name":"bob","roles":["King"]}""", HttpStatusCode.Conflict, "user-created")]
    [InlineData("POST", "users/anna/roles", """{"roles":["Viewer"]}""", HttpStatusCode.Conflict, "user-roles-changed")]
    [InlineData("POST", "users/anna/lock", """{"locked":true}""", HttpStatusCode.Conflict, "user-locked")]
    [InlineData("POST", "users/anna/reset", "{}", HttpStatusCode.Conflict, "user-password-reset")]
    [InlineData("POST", "users/nobody-here/lock", """{"locked":true}""", HttpStatusCode.NotFound, "user-locked")]
    [InlineData("DELETE", "users/anna", null, HttpStatusCode.Conflict, "user-removed")]
    [InlineData("DELETE", "users/nobody-here", null, HttpStatusCode.NotFound, "user-removed")]
    public async Task Attempt_ThatCannotBe_IsRefusedAndAudited(string method, string path, string? body, HttpStatusCode expected, string action)
    {
        await SendAsync(HttpMethod.Post, "users", """{"name":"anna","roles":["Admin"]}""");

        (HttpStatusCode status, JsonNode? problem) = await SendAsync(new HttpMethod(method), path, body);

        Assert.Equal(expected, status);
        Assert.NotEmpty((string)problem!["detail"]!);
        AuditEntry refused = (await AuditAsync()).First(a => a.Action == action);
        Assert.StartsWith("refused: ", refused.Outcome, StringComparison.Ordinal);
        Assert.Equal("Admin", string.Join(' ', (await _hub.Get<Accounts>().FindAsync("anna", Stop))!.Roles));
    }

    [Theory]
    [InlineData("read")]
    [InlineData("operate")]
    [InlineData("approve")]
    public async Task TokenOfALesserScope_NeitherReadsNorChangesAccounts_AndItsAttemptIsAudited(string scope)
    {
        HttpClient other = await _hub.ScriptAsync(ApiScopes.Parse(scope)!.Value);

        Assert.Equal(HttpStatusCode.Forbidden, (await other.GetAsync("/api/v1/users", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await other.PostAsJsonAsync("/api/v1/users", new { name = "anna", roles = new[] { "Admin" } }, Stop)).StatusCode);

        Assert.Equal(2, (await AuditAsync()).Count(a => a.Action == "api-request" && a.Outcome.StartsWith("refused", StringComparison.Ordinal)));
        Assert.True(await _hub.Get<Accounts>().NoneYetAsync(Stop));
    }

    [Fact]
    public async Task Audit_ThatCannotBeWritten_NothingIsDone()
    {
        await using (HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            await RawSql.ForbidAsync(db, "no_audit", "INSERT", "Audit", "the disk is full");
        }

        (HttpStatusCode user, _) = await SendAsync(HttpMethod.Post, "users", """{"name":"anna","roles":["Admin"]}""");
        (HttpStatusCode retention, _) = await SendAsync(HttpMethod.Post, "settings/retention", """{"eventDays":30,"probeHours":24}""");
        (HttpStatusCode signature, _) = await SendAsync(HttpMethod.Post, "audit/checkpoints", "{}");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (user, retention, signature));
        Assert.True(await _hub.Get<Accounts>().NoneYetAsync(Stop));
        Assert.Equal(400, (int)JsonNode.Parse(await _script.GetStringAsync("/api/v1/settings/retention", Stop))!["eventDays"]!);
    }

    [Fact]
    public async Task Retention_Changed_IsAuditedWithWhatWasBefore_AndNonsenseIsNamed()
    {
        (HttpStatusCode changed, JsonNode? now) = await SendAsync(HttpMethod.Post, "settings/retention", """{"eventDays":null,"probeHours":48}""");
        (HttpStatusCode refused, JsonNode? problem) = await SendAsync(HttpMethod.Post, "settings/retention", """{"eventDays":0,"probeHours":9601,"minuteDays":401,"hourDays":0}""");
        (HttpStatusCode incomplete, _) = await SendAsync(HttpMethod.Post, "settings/retention", """{"probeHours":48}""");

        Assert.Equal((HttpStatusCode.OK, 48), (changed, (int)now!["probeHours"]!));
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (refused, incomplete));
        Assert.Equal(["eventDays", "probeHours", "minuteDays", "hourDays"], problem!["errors"]!.AsObject().Select(e => e.Key));
        AuditEntry entry = Assert.Single(await AuditAsync(), a => a.Action == "retention-changed");
        Assert.Equal(("""{"eventDays":400,"probeHours":24,"minuteDays":30,"hourDays":400}""", """{"eventDays":null,"probeHours":48,"minuteDays":30,"hourDays":400}"""), (entry.Before, entry.After));
    }

    [Fact]
    public async Task Signature_AskedFor_SignsTheEntryThatAsksForIt_AndABrokenChainIsNotSigned()
    {
        (HttpStatusCode made, JsonNode? checkpoint) = await SendAsync(HttpMethod.Post, "audit/checkpoints", """{"reason":"Before the audit of the year"}""");
        AuditEntry entry = Assert.Single(await AuditAsync(), a => a.Action == "audit-checkpoint");
        await using (HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            await RawSql.OpenAuditAsync(db);
            await RawSql.ExecuteAsync(db, $"UPDATE Audit SET Actor = 'somebody' WHERE Id = {entry.Id}");
        }

        (HttpStatusCode broken, JsonNode? problem) = await SendAsync(HttpMethod.Post, "audit/checkpoints", "{}");

        Assert.Equal((HttpStatusCode.Created, entry.Id, entry.Hash), (made, (long)checkpoint!["entryId"]!, (string)checkpoint["entryHash"]!));
        Assert.Equal("Before the audit of the year", entry.Reason);
        Assert.Equal(HttpStatusCode.Conflict, broken);
        Assert.Contains("not signed", (string)problem!["title"]!, StringComparison.Ordinal);
        Assert.Contains(await AuditAsync(), a => a.Action == "audit-checkpoint" && a.Outcome.StartsWith("refused: the chain is broken", StringComparison.Ordinal));
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        using HttpResponseMessage answer = await _script.SendAsync(request, Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        return (answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    private async Task<IReadOnlyList<AuditEntry>> AuditAsync() => (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 100, Stop)).Items;
}
