using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Api;

/// <summary>A change that somebody asked for in a form that cannot be understood: whoever fails at its form tried it all the same, so it is in the audit.</summary>
internal static class RefusedRequest
{
    /// <summary>Of what is wrong, which may repeat what was sent; in characters.</summary>
    public const int LongestWhy = 300;

    private const int LongestPath = 200;

    /// <summary>It changed nothing, and stays refused when the audit cannot be written; the log says so then.</summary>
    public static Task AuditAsync(HttpContext context, string why) => context.RequestServices.GetRequiredService<AccessAudit>().TryRefuseAsync(
        new AuditDraft
        {
            Actor = RequestActor.Of(context),
            Action = TokenGate.Action,
            Target = $"{context.Request.Method} {Cut.To(context.Request.Path.ToString(), LongestPath)}",
            Outcome = $"refused, malformed: {Cut.To(why, LongestWhy)}",
        },
        context.RequestAborted);
}
