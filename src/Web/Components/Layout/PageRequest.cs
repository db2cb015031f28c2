using System.Security.Claims;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Layout;

/// <summary>
/// What the request for a page said, carried into its circuit: there is no HTTP request there any more. Blazor signs and
/// encrypts it on the way through the browser, so the audit may rely on the address.
/// </summary>
/// <param name="RemoteAddress">Address that the request came from.</param>
/// <param name="ForwardedFor">What the request said for whom it was forwarded.</param>
public sealed record PageRequest(string? RemoteAddress, string? ForwardedFor)
{
    /// <summary>Nothing is known.</summary>
    public static PageRequest Unknown { get; } = new(null, null);

    internal static PageRequest From(HttpContext? http)
    {
        if (http is null)
        {
            return Unknown;
        }

        Actor actor = RequestActor.Of(http);
        return new(actor.RemoteAddress, actor.ForwardedFor);
    }

    /// <summary>Who acts on this page.</summary>
    internal Actor ActorOf(ClaimsPrincipal user) => new(user.Identity?.Name ?? "unknown", RemoteAddress, ForwardedFor)
    {
        Rights = AccessPolicies.RightsOf(user),
        Session = user.FindFirstValue(Sessions.Claim),
        Behind = AccessPolicies.RequesterOf(user),
    };
}
