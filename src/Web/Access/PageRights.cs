using System.Security.Claims;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;

namespace FailoverHub.Web.Access;

/// <summary>
/// What whoever looks at a page may do at this moment. A page takes it along when it asks for something: it may be older than its owner's session or his roles,
/// and who has no rights any more is refused by whoever is asked, who keeps that in the audit with all that was tried.
/// </summary>
internal sealed class PageRights(AuthenticationStateProvider authentication, IAuthorizationService authorization)
{
    /// <summary>His roles, as they are now; nothing when his session has ended.</summary>
    public async Task<Rights> NowAsync()
    {
        ClaimsPrincipal user = (await authentication.GetAuthenticationStateAsync()).User;
        return (await authorization.AuthorizeAsync(user, AccessPolicies.PageView)).Succeeded ? AccessPolicies.RightsOf(user) : Rights.None;
    }
}
