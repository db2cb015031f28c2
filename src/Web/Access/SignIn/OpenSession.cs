using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>The session has to be open at this moment, not only when the page was loaded.</summary>
internal sealed class OpenSession : IAuthorizationRequirement;

/// <summary>Asks for it.</summary>
internal sealed class OpenSessionHandler(Sessions sessions) : AuthorizationHandler<OpenSession>
{
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, OpenSession requirement)
    {
        if (await sessions.IsOpenAsync(context.User, CancellationToken.None))
        {
            context.Succeed(requirement);
        }
    }
}

/// <summary>Who a circuit belongs to. A circuit makes no requests, so its session is looked up while it is open; when it has ended, the circuit is nobody's.</summary>
internal sealed class CircuitSession(ILoggerFactory logger, Sessions sessions) : RevalidatingServerAuthenticationStateProvider(logger)
{
    /// <summary>The longest that a page goes on showing the present after its session has ended.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(30);

    protected override TimeSpan RevalidationInterval => Every;

    protected override Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        sessions.IsOpenAsync(authenticationState.User, cancellationToken);
}
