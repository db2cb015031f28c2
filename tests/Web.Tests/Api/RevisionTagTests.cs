using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Api;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Api;

[Trait("Kind", "Hub")]
public sealed class RevisionTagTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pair_TellsItsRevisionAsTheTagThatAnOperationSendsBack()
    {
        WholeHub hub = shared.Fresh();
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair()));
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);

        using HttpResponseMessage pair = await script.GetAsync("/api/v1/pairs/web", Stop);
        using HttpResponseMessage answer = await PostAsync(script, pair.Headers.ETag!.Tag);

        Assert.Equal("\"7\"", pair.Headers.ETag.Tag);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(7, hub.Operations.Submitted[0].Request.ExpectedRevision);
    }

    [Theory]
    [InlineData("W/\"7\"", "")]
    [InlineData("\"seven\"", "")]
    [InlineData("7", "")]
    [InlineData("\"7\", \"8\"", "")]
    [InlineData("\"7\"", ",\"expectedRevision\":8")]
    public async Task Condition_ThatNamesNoRevisionOfAPair_IsRefusedByItsName(string condition, string more)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), condition, more);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull((await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!["errors"]!["If-Match"]);
        Assert.Empty(hub.Operations.Submitted);
    }

    [Fact]
    public void AnyRevision_IsNoCondition()
    {
        Assert.Null(RevisionTag.TryRead("*", out long? revision));
        Assert.Null(revision);
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient script, string condition, string more = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/pairs/web/operations");
        request.Headers.TryAddWithoutValidation("If-Match", condition);
        request.Content = new StringContent($$"""{"type":"switchover","reason":"test"{{more}}}""", Encoding.UTF8, "application/json");
        return await script.SendAsync(request, Stop);
    }
}
