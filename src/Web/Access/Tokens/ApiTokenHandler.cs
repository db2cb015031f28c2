using System.Text.Encodings.Web;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace FailoverHub.Web.Access.Tokens;

/// <summary>`Authorization: Bearer fh_…`, and the answers 401 and 403 of the API.</summary>
internal sealed partial class ApiTokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiTokens tokens, TokenUses uses)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private const string Prefix = "Bearer ";
    private const int LongestPath = 200;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        string header = Request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            return await Context.AuthenticateAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        }

        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        ApiTokenUse? use = await tokens.AuthenticateAsync(header[Prefix.Length..].Trim(), Context.RequestAborted);
        if (use is null)
        {
            return AuthenticateResult.Fail("unknown, expired or revoked token");
        }

        uses.Note(use.Name);
        return AuthenticateResult.Success(new AuthenticationTicket(AccessPolicies.Script($"token {use.Name}", use.Scope), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        bool sent = Request.Headers.Authorization.Count > 0;
        Response.Headers.WWWAuthenticate = sent ? "Bearer error=\"invalid_token\"" : "Bearer";
        await TypedResults.Problem(
            sent
                ? "The token is unknown, expired or revoked. Make one with `failoverhub token create --name NAME`."
                : "Send a token as `Authorization: Bearer …`. Make one with `failoverhub token create --name NAME`.",
            statusCode: StatusCodes.Status401Unauthorized,
            title: "Not signed in").ExecuteAsync(Context);
    }

    protected override async Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        await AuditRefusalAsync();
        await TypedResults.Problem(
            Request.Headers.Authorization.Count > 0
                ? "This token's scope does not allow it. Make one with `failoverhub token create --name NAME --scope SCOPE`; the scopes are read, operate, approve and admin."
                : "Changes need a token as `Authorization: Bearer …`; the cookie of a signed-in browser only reads, because any page could send it along.",
            statusCode: StatusCodes.Status403Forbidden,
            title: "Not allowed").ExecuteAsync(Context);
    }

    // What is refused here changed nothing, so it stays refused when the audit cannot be written.
    private async Task AuditRefusalAsync()
    {
        string path = Request.Path.ToString();
        string target = $"{Request.Method} {(path.Length <= LongestPath ? path : path[..LongestPath])}";
        Actor actor = RequestActor.Of(Context);
        string why = Request.Headers.Authorization.Count > 0 ? "the token's scope does not allow it" : "the cookie of a browser may only read";
        if (!await tokens.AuditRefusalAsync(actor, target, why, Context.RequestAborted))
        {
            LogNotAudited(Logger, actor.Name, target);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Actor} was refused {Target}, and the audit could not be written")]
    private static partial void LogNotAudited(ILogger logger, string actor, string target);
}
