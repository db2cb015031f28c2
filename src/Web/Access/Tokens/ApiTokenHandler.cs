using System.Text.Encodings.Web;
using FailoverHub.Web.History;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace FailoverHub.Web.Access.Tokens;

/// <summary>`Authorization: Bearer fh_…`, and the answers 401 and 403 of the API.</summary>
internal sealed class ApiTokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, TokenGate gate)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private const string Prefix = "Bearer ";
    private const int LongestPath = 200;

    private bool _isTooOften;

    private string Target => $"{Request.Method} {Cut.To(Request.Path.ToString(), LongestPath)}";

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

        TokenVerdict verdict = await gate.AdmitAsync(header[Prefix.Length..].Trim(), Context.Connection.RemoteIpAddress, RequestActor.Named(Context, "nobody"), Target, Context.RequestAborted);
        _isTooOften = verdict is TokenVerdict.TooOften;
        return verdict is TokenVerdict.Good { Use: { } use }
            ? AuthenticateResult.Success(new AuthenticationTicket(AccessPolicies.Script(use), Scheme.Name))
            : AuthenticateResult.Fail("unknown, expired or revoked token");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        bool sent = Request.Headers.Authorization.Count > 0;
        if (_isTooOften)
        {
            Response.Headers.RetryAfter = "60";
            await TypedResults.Problem(
                $"More than {WrongApiTokens.PerAddressAndMinute} tokens that open nothing came from this address within a minute; this one was not looked up. Try again in a minute.",
                statusCode: StatusCodes.Status429TooManyRequests,
                title: "Too many wrong tokens").ExecuteAsync(Context);
            return;
        }

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
        await gate.RefuseAsync(
            RequestActor.Of(Context), Target, Request.Headers.Authorization.Count > 0 ? "the token's scope does not allow it" : "the cookie of a browser may only read", Context.RequestAborted);
        await TypedResults.Problem(
            Request.Headers.Authorization.Count > 0
                ? "This token's scope does not allow it. Make one with `failoverhub token create --name NAME --scope SCOPE`; the scopes are read, operate, approve and admin."
                : "Changes need a token as `Authorization: Bearer …`; the cookie of a signed-in browser only reads, because any page could send it along.",
            statusCode: StatusCodes.Status403Forbidden,
            title: "Not allowed").ExecuteAsync(Context);
    }
}
