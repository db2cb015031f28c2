using System.Security.Claims;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Data;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Access;

/// <summary>
/// Every way into the hub and who may take it. The ways are those of the real application: each route with each of its methods, each page, each gRPC method,
/// each method of a SignalR hub. One without a row fails the test, and so does a row without one.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class AccessTableTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private const string Everybody = "everybody";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryWayIn_IsOpenToThoseOfTheTableAndToNobodyElse()
    {
        WholeHub hub = shared.Fresh();
        Dictionary<string, ClaimsPrincipal> people = await PeopleAsync(hub);
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (WayIn way in WayIn.AllOf(hub.App.Services.GetRequiredService<EndpointDataSource>()))
        {
            found[way.Name] = await WhoAsync(hub, way.Metadata, people);
        }

        string[] wrong =
        [
            .. found.Where(one => AccessTable.Rows.GetValueOrDefault(one.Key) != one.Value).Select(one => $"""["{one.Key}"] = "{one.Value}", // the table says: {AccessTable.Rows.GetValueOrDefault(one.Key) ?? "nothing"}"""),
            .. AccessTable.Rows.Keys.Except(found.Keys).Select(gone => $"""["{gone}"] is gone"""),
        ];

        Assert.True(wrong.Length == 0, $"Who may take a way has changed, or a way is new: say it in AccessTable.\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void EveryWayIn_ThatIsNotOpenToEverybody_NamesItsPolicy()
    {
        WholeHub hub = shared.Fresh();

        // The framework's own fallback for files that are not there has none to give it; the hub's fallback policy answers.
        string[] without =
        [
            .. hub.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                .Where(route => route.Metadata.GetMetadata<IAllowAnonymous>() is null && !route.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(named => named.Policy is not null))
                .Select(route => route.DisplayName ?? "")
                .Except(["Fallback {**path:file}"]),
        ];

        Assert.Empty(without);
    }

    private static async Task<string> WhoAsync(WholeHub hub, IReadOnlyList<object> metadata, Dictionary<string, ClaimsPrincipal> people)
    {
        if (metadata.OfType<IAllowAnonymous>().Any())
        {
            return Everybody;
        }

        var policies = hub.Get<IAuthorizationPolicyProvider>();
        AuthorizationPolicy policy = await AuthorizationPolicy.CombineAsync(policies, metadata.OfType<IAuthorizeData>(), metadata.OfType<AuthorizationPolicy>()) ?? (await policies.GetFallbackPolicyAsync())!;
        var authorization = hub.Get<IAuthorizationService>();
        var allowed = new List<string>();
        foreach ((string who, ClaimsPrincipal user) in people)
        {
            if ((await authorization.AuthorizeAsync(user, null, policy)).Succeeded)
            {
                allowed.Add(who);
            }
        }

        return string.Join(' ', allowed);
    }

    /// <summary>Somebody of each role with an open session, a token of each scope, somebody whose session has ended, and nobody.</summary>
    private static async Task<Dictionary<string, ClaimsPrincipal>> PeopleAsync(WholeHub hub)
    {
        var people = new Dictionary<string, ClaimsPrincipal>();
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        foreach (string role in HubRoles.All)
        {
            string session = $"table-{role}-{Guid.NewGuid():N}";
            await Sessions.OpenAsync(db, new NewSession(session, role, null, "link", null, null), DateTimeOffset.UtcNow, Stop);
            people[role] = SignedIn.As(role, null, [role], session);
        }

        await db.SaveChangesAsync(Stop);
        foreach (ApiScope scope in Enum.GetValues<ApiScope>())
        {
            people[ApiScopes.Word(scope)] = AccessPolicies.Script(new ApiTokenUse("table", scope, 1, null));
        }

        people["signed-out"] = SignedIn.As("gone", null, HubRoles.All, "no such session");
        people["nobody"] = new ClaimsPrincipal(new ClaimsIdentity());
        return people;
    }
}
