using System.Security.Claims;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;

namespace FailoverHub.Web.Access;

/// <summary>
/// Asked by a page before each change: the page may be older than its owner's right to act. Buttons are only disabled so that nobody presses them in vain.
/// </summary>
internal sealed class PageGate(AuthenticationStateProvider authentication, IAuthorizationService authorization, AuditLog audit)
{
    public const string Closed = "You are not signed in any more, or your role does not allow this. Sign in again.";

    /// <summary>Who may do it, with his rights of this moment; null: nobody here, and that is audited.</summary>
    /// <param name="actor">As the page knows who acts.</param>
    /// <param name="policy">One of <see cref="AccessPolicies"/>.</param>
    /// <param name="what">What is tried, for the audit.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="target">On what.</param>
    public async Task<Actor?> AskAsync(Actor actor, string policy, string what, CancellationToken cancellationToken, string target = "hub")
    {
        ClaimsPrincipal user = (await authentication.GetAuthenticationStateAsync()).User;
        if ((await authorization.AuthorizeAsync(user, policy)).Succeeded)
        {
            return actor with { Rights = AccessPolicies.RightsOf(user) };
        }

        try
        {
            await audit.WriteAsync(new AuditDraft { Actor = actor, Action = what, Target = target, Outcome = $"refused: not allowed ({policy})" }, cancellationToken);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            // Refused all the same; nothing was changed.
        }

        return null;
    }
}
