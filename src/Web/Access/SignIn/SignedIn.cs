using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>Who a browser is, as its cookie says.</summary>
internal static class SignedIn
{
    /// <summary>With an account, whose id is the name identifier.</summary>
    public static ClaimsPrincipal As(string name, string? userId, IEnumerable<string> roles, string session)
    {
        ClaimsPrincipal user = AccessPolicies.Person(name, roles, CookieAuthenticationDefaults.AuthenticationScheme);
        var identity = (ClaimsIdentity)user.Identity!;
        identity.AddClaim(new Claim(Sessions.Claim, session));
        if (userId is not null)
        {
            identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, userId));
        }

        return user;
    }

    /// <summary>Id of the account; null: signed in by the one-time link, without one.</summary>
    public static string? AccountOf(ClaimsPrincipal user) => user.FindFirstValue(ClaimTypes.NameIdentifier);
}
