using FailoverHub.Web.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Access;

/// <summary>What somebody is told whose change was refused: a role is another matter than a session that has ended.</summary>
public sealed class PageGateTests
{
    [Theory]
    [InlineData(true, AccessPolicies.PageAdmin, "Needs the role Admin; an admin of the hub can give it to you.")]
    [InlineData(true, AccessPolicies.PageOperate, "Needs the role Operator; an admin of the hub can give it to you.")]
    [InlineData(false, AccessPolicies.PageAdmin, PageGate.SignedOut)]
    public async Task WhyClosed_SaysWhichOfTheTwoItIs(bool signedIn, string policy, string said)
    {
        await using ServiceProvider services = new ServiceCollection()
            .AddLogging()
            .AddAuthorizationCore(rules => rules.AddPolicy(AccessPolicies.PageView, asked => asked.RequireAssertion(_ => signedIn)))
            .BuildServiceProvider();
        var gate = new PageGate(new Viewer(), services.GetRequiredService<IAuthorizationService>(), null!);

        Assert.Equal(said, await gate.WhyClosedAsync(policy));
    }

    private sealed class Viewer : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() =>
            Task.FromResult(new AuthenticationState(AccessPolicies.Person("vic", [HubRoles.Viewer], "test")));
    }
}
