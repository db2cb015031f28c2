using System.Net;
using System.Net.Http.Headers;
using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Web.Tests.Access;

/// <summary>Requests while the database does not answer: nobody is let in, nobody is told that the hub is broken, and the log stays readable.</summary>
[Trait("Kind", "Hub")]
public sealed class DatabaseAwayTests
{
    private const int Requests = 5;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_WhileTheTablesOfWhoAsksAreAway_AreToldToComeAgainAndToldOfOnce()
    {
        using var log = new LastLines();
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Logging.AddProvider(log));
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        HttpClient browser = await hub.SignedInAsync();
        await ExecuteAsync(hub, """ALTER TABLE "ApiTokens" RENAME TO "TokensAway" """, """ALTER TABLE "Sessions" RENAME TO "SessionsAway" """);

        for (int i = 0; i < Requests; i++)
        {
            foreach (HttpClient client in new[] { script, browser })
            {
                using HttpResponseMessage answer = await client.GetAsync("/api/v1/pairs", Stop);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
                Assert.Equal(DatabaseAway.ComeAgainAfter, answer.Headers.RetryAfter?.Delta);
            }
        }

        using HttpResponseMessage page = await PageAsync(browser);
        string shown = await page.Content.ReadAsStringAsync(Stop);
        await ExecuteAsync(hub, """ALTER TABLE "TokensAway" RENAME TO "ApiTokens" """, """ALTER TABLE "SessionsAway" RENAME TO "Sessions" """);
        HttpStatusCode[] afterwards = [(await script.GetAsync("/api/v1/pairs", Stop)).StatusCode, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode];

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.Contains("database cannot be read now", WebUtility.HtmlDecode(shown), StringComparison.Ordinal);
        Assert.True(page.Headers.Contains("Content-Security-Policy"));
        Assert.All(afterwards, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Single(log.Lines, line => line.Contains("requests are answered with 503", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains("unhandled exception", StringComparison.Ordinal) || line.Contains("DbCommand", StringComparison.Ordinal) || line.Contains("   at ", StringComparison.Ordinal));
    }

    private static async Task<HttpResponseMessage> PageAsync(HttpClient browser)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        return await browser.SendAsync(request, Stop);
    }

    private static async Task ExecuteAsync(WholeHub hub, params string[] statements)
    {
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        foreach (string statement in statements)
        {
            await db.Database.ExecuteSqlRawAsync(statement, Stop);
        }
    }
}
