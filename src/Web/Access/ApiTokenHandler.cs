using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace FailoverHub.Web.Access;

/// <summary>`Authorization: Bearer fh_…`, and the answers 401 and 403 of the API.</summary>
internal sealed class ApiTokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private const string Prefix = "Bearer ";

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
        return use is null
            ? AuthenticateResult.Fail("unknown, expired or revoked token")
            : AuthenticateResult.Success(new AuthenticationTicket(AccessPolicies.Principal($"token {use.Name}", use.Scope, Scheme.Name), Scheme.Name));
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

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        TypedResults.Problem(
            Request.Headers.Authorization.Count > 0
                ? "This token may only read. Make one with `failoverhub token create --name NAME --scope operate`."
                : "Changes need a token as `Authorization: Bearer …`; the cookie of a signed-in browser only reads, because any page could send it along.",
            statusCode: StatusCodes.Status403Forbidden,
            title: "Not allowed").ExecuteAsync(Context);
}
