using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Targets;
using FailoverHub.Web.Tests.Access;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Api;

/// <summary>
/// Every change of a thing that has a revision, by somebody who has not seen the newest one: 412, nothing is done, and the next one with the newest ETag is. A PUT, PATCH or DELETE that is
/// neither here nor among what never changes fails the test.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class StaleChangesTests : IAsyncLifetime
{
    private const string Rule = """{"name":"Anything wrong","kind":"pair-state","severity":"critical","states":["Degraded"]}""";
    private const string Channel = """{"name":"Hook","type":"webhook","url":"http://127.0.0.1:9/hook"}""";
    private const string Target = """{"name":"router","kind":"tcp","address":"127.0.0.1","port":9,"intervalSeconds":3600}""";

    /// <summary>What is made and ended, and never changed in between: there is nothing newer to have missed. Windows say by 409 that they have begun.</summary>
    private static readonly string[] WithoutRevision = ["DELETE /api/v1/api-tokens/{name}", "DELETE /api/v1/join-tokens/{id}", "DELETE /api/v1/maintenance-windows/{id}"];

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
    public void EveryPutPatchAndDelete_TakesIfMatch_OrIsOfSomethingThatHasNoRevision()
    {
        WayIn[] changes = [.. WayIn.AllOf(_hub.App.Services.GetRequiredService<EndpointDataSource>()).Where(way => way.Method is "PUT" or "PATCH" or "DELETE")];

        Assert.Equal(WithoutRevision, changes.Where(way => way.Route.Metadata.GetMetadata<TakesIfMatch>() is null).Select(way => way.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["DELETE /api/v1/alert-channels/{id}", "DELETE /api/v1/alert-rules/{id}", "DELETE /api/v1/targets/{target}", "DELETE /api/v1/users/{user}", "PUT /api/v1/targets/{target}"],
            changes.Where(way => way.Route.Metadata.GetMetadata<TakesIfMatch>() is not null).Select(way => way.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("alert-rules", Rule, "POST", "critical", "warning")]
    [InlineData("alert-channels", Channel, "POST", "Hook", "Hook of the night")]
    [InlineData("targets", Target, "PUT", "3600", "1800")]
    public async Task ChangeAndRemoval_OfWhatSomebodyElseHasChanged_AreRefusedUntilItIsLookedAtAgain(string of, string body, string method, string was, string becomes)
    {
        (HttpStatusCode made, JsonNode? thing, string? first) = await SendAsync("POST", of, body);
        string path = $"{of}/{(string?)(thing!["name"] is { } name && of == "targets" ? name : thing["id"])}";
        string? read = (await SendAsync("GET", path)).Etag;
        (HttpStatusCode faster, _, string? second) = await SendAsync(method, path, body.Replace(was, becomes, StringComparison.Ordinal), first);

        (HttpStatusCode change, JsonNode? problem, _) = await SendAsync(method, path, body, first);
        (HttpStatusCode removal, _, _) = await SendAsync("DELETE", path, null, first);
        (HttpStatusCode noTag, _, _) = await SendAsync("DELETE", path, null, "\"seven\"");
        (HttpStatusCode still, JsonNode? now, string? newest) = await SendAsync("GET", path);
        (HttpStatusCode removed, _, _) = await SendAsync("DELETE", path, null, newest);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (made, faster));
        Assert.True(first is not null && first == read && second != first && second == newest, $"{first} {read} {second} {newest}");
        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.BadRequest, HttpStatusCode.OK), (change, removal, noTag, still));
        Assert.Equal("Changed meanwhile", (string?)problem!["title"]);
        Assert.Contains(becomes, now!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, removed);
    }

    [Theory]
    [InlineData("POST", "/roles", """{"roles":["Viewer"]}""", "user-roles-changed")]
    [InlineData("POST", "/lock", """{"locked":true}""", "user-locked")]
    [InlineData("POST", "/reset", """{"password":true}""", "user-password-reset")]
    [InlineData("POST", "/reset", """{"secondFactor":true}""", "user-second-factor-reset")]
    [InlineData("DELETE", "", null, "user-removed")]
    public async Task ChangeOfAnAccount_ThatSomebodyElseHasChanged_IsRefusedAndAudited_UntilItIsLookedAtAgain(string method, string what, string? body, string action)
    {
        await SendAsync("POST", "users", """{"name":"root","roles":["Admin"]}""");
        (HttpStatusCode made, _, string? first) = await SendAsync("POST", "users", """{"name":"anna","roles":["Viewer"]}""");
        string? read = (await SendAsync("GET", "users/anna")).Etag;
        (HttpStatusCode faster, _, string? second) = await SendAsync("POST", "users/anna/roles", """{"roles":["Operator"]}""", first);

        (HttpStatusCode stale, JsonNode? problem, _) = await SendAsync(method, $"users/anna{what}", body, first);
        (HttpStatusCode noTag, _, _) = await SendAsync(method, $"users/anna{what}", body, "\"seven\"");
        (HttpStatusCode still, JsonNode? now, string? newest) = await SendAsync("GET", "users/anna");
        AuditEntry refused = (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = action }, null, 10, Stop)).Items[0];
        (HttpStatusCode done, _, string? third) = await SendAsync(method, $"users/anna{what}", body, newest);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (made, faster));
        Assert.True(first is not null && first == read && second != first && second == newest && third != newest, $"{first} {read} {second} {newest} {third}");
        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.BadRequest, HttpStatusCode.OK), (stale, noTag, still));
        Assert.Equal("Changed meanwhile", (string?)problem!["title"]);
        Assert.Equal(("Operator", false), ((string?)now!["roles"]![0], (bool)now["locked"]!));
        Assert.Equal(("user anna", "refused: Somebody has changed it since it was looked at: look at it again, then decide again."), (refused.Target, refused.Outcome));
        Assert.Equal(method == "DELETE" ? HttpStatusCode.NoContent : HttpStatusCode.OK, done);
    }

    [Theory]
    [InlineData("alert-rules", Rule, "alert rule Anything wrong", "alert-rule")]
    [InlineData("alert-channels", Channel, "alert channel Hook", "alert-channel")]
    public async Task AlertSettingThatSomebodyElseHasChanged_IsRefusedInTheAuditToo(string of, string body, string target, string action)
    {
        (_, JsonNode? thing, string? first) = await SendAsync("POST", of, body);
        string path = $"{of}/{(string?)thing!["id"]}";
        await SendAsync("POST", path, body, first);

        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync("POST", path, body, first)).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync("DELETE", path, null, first)).Status);

        foreach (string refusedAction in new[] { $"{action}-changed", $"{action}-removed" })
        {
            AuditEntry[] refused = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = refusedAction }, null, 10, Stop)).Items.Where(a => a.Outcome.StartsWith("refused: ", StringComparison.Ordinal))];
            Assert.Equal((target, "refused: Somebody has changed it since it was looked at: look at it again, then decide again."), (Assert.Single(refused).Target, refused[0].Outcome));
        }
    }

    [Fact]
    public async Task TargetThatSomebodyElseHasChanged_IsRefusedInTheAuditToo_AndOneThatIsAsItWasIsNot()
    {
        await SendAsync("POST", "targets", Target);
        (_, _, string? seen) = await SendAsync("GET", "targets/router");
        await SendAsync("PUT", "targets/router", Target.Replace("3600", "1800", StringComparison.Ordinal));
        await SendAsync("PUT", "targets/router", Target.Replace("3600", "900", StringComparison.Ordinal), seen);

        AuditEntry refused = (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = TargetList.Changed }, null, 10, Stop)).Items[0];
        Assert.StartsWith("refused: Somebody has changed it since", refused.Outcome, StringComparison.Ordinal);
        Assert.Equal("target router", refused.Target);

        // It is again what was seen: whoever saw that has missed nothing.
        await SendAsync("PUT", "targets/router", Target);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync("DELETE", "targets/router", null, seen)).Status);
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body, string? Etag)> SendAsync(string method, string path, string? body = null, string? match = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/v1/{path}");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        using HttpResponseMessage answer = await _script.SendAsync(request, Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        return (answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), answer.Headers.ETag?.Tag);
    }
}
