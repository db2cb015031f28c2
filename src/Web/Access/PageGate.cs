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
    /// <summary>Both reasons in one sentence, where nobody asks <see cref="WhyClosedAsync"/> which of them it is.</summary>
    public const string Closed = "You are not signed in any more, or your role does not allow this. Sign in again.";

    /// <summary>The session has ended.</summary>
    public const string SignedOut = "You are not signed in any more. Sign in again.";

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

    /// <summary>Why it was refused just now, and what helps: somebody whose role does not allow it signs in again in vain.</summary>
    /// <param name="policy">One of <see cref="AccessPolicies"/>, as it was asked for.</param>
    public async Task<string> WhyClosedAsync(string policy)
    {
        ClaimsPrincipal user = (await authentication.GetAuthenticationStateAsync()).User;
        return (await authorization.AuthorizeAsync(user, AccessPolicies.PageView)).Succeeded ? Needs(RoleFor(policy)) : SignedOut;
    }

    /// <summary>What stands beside a button that somebody may not press.</summary>
    /// <param name="role">One of <see cref="HubRoles"/>.</param>
    public static string Needs(string role) => $"Needs the role {role}; an admin of the hub can give it to you.";

    private static string RoleFor(string policy) => policy switch
    {
        AccessPolicies.PageAdmin => HubRoles.Admin,
        AccessPolicies.PageApprove => HubRoles.Approver,
        AccessPolicies.PageAudit => HubRoles.Auditor,
        AccessPolicies.PageOperate => HubRoles.Operator,
        _ => HubRoles.Viewer,
    };
}
