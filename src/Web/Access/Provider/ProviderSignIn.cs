using System.Security.Claims;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace FailoverHub.Web.Access.Provider;

/// <summary>
/// OpenID Connect: authorization code with PKCE. The provider only says who somebody is; from then on it is a session of ours like any other, and no
/// token of the provider is kept.
/// </summary>
internal static class ProviderSignIn
{
    public const string Scheme = "provider";

    private const string Callback = "/sign-in/provider/callback";

    public static void Add(AuthenticationBuilder authentication, ProviderOptions provider)
    {
        authentication.Services.AddSingleton(provider);
        authentication.Services.AddSingleton<ProviderAccounts>();
        authentication.AddOpenIdConnect(Scheme, provider.Name, oidc =>
        {
            oidc.Authority = provider.Authority.AbsoluteUri;
            oidc.RequireHttpsMetadata = provider.Authority.Scheme == Uri.UriSchemeHttps;
            oidc.ClientId = provider.ClientId;
            oidc.ClientSecret = provider.ClientSecret;
            oidc.ResponseType = OpenIdConnectResponseType.Code;

            // The answer comes as a GET: cookies that are Lax come along, and no other site ever posts to us.
            oidc.ResponseMode = OpenIdConnectResponseMode.Query;
            oidc.UsePkce = true;
            oidc.CallbackPath = Callback;

            // Who is signed out here stays signed in there, and the other way round: sessions are ours.
            oidc.RemoteSignOutPath = PathString.Empty;
            oidc.SignedOutCallbackPath = PathString.Empty;
            oidc.SaveTokens = false;
            oidc.MapInboundClaims = false;
            oidc.GetClaimsFromUserInfoEndpoint = true;
            oidc.ClaimActions.MapJsonKey(provider.RoleClaim, provider.RoleClaim);
            oidc.Scope.Clear();
            oidc.Scope.Add("openid");
            foreach (string scope in provider.Scopes)
            {
                oidc.Scope.Add(scope);
            }

            foreach (CookieBuilder cookie in (CookieBuilder[])[oidc.CorrelationCookie, oidc.NonceCookie])
            {
                cookie.SameSite = SameSiteMode.Lax;
                cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            }

            oidc.Events.OnTicketReceived = TakeAsync;
            oidc.Events.OnRemoteFailure = FailAsync;
        });
    }

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/sign-in/provider", BeginAsync).RequireRateLimiting(AccessLimits.SignIn);

        // The handler of the provider answers before this is reached. It stands here so that the limit applies: each answer that is wrong is an audit entry.
        pages.MapGet(Callback, () => TypedResults.NotFound()).RequireRateLimiting(AccessLimits.SignIn);
    }

    private static async Task<IResult> BeginAsync(HttpContext context, SignInForm form)
    {
        string returnUrl = BrowserGuards.LocalOrHome(context.Request.Query["returnUrl"]);
        if (context.RequestServices.GetService<ProviderOptions>() is not { } provider)
        {
            return await SignInEndpoints.StartAsync(context, form, returnUrl, "This hub has no provider to sign in with.", StatusCodes.Status404NotFound);
        }

        try
        {
            await context.ChallengeAsync(Scheme, new AuthenticationProperties { RedirectUri = returnUrl });
            return TypedResults.Empty;
        }
        catch (Exception fault) when (fault is InvalidOperationException or HttpRequestException or IOException)
        {
            string problem = $"{provider.Name} cannot be asked: {fault.GetBaseException().Message} Its configuration is expected at {provider.Authority.AbsoluteUri.TrimEnd('/')}/.well-known/openid-configuration.";
            return await SignInEndpoints.StartAsync(context, form, returnUrl, problem, StatusCodes.Status502BadGateway);
        }
    }

    private static async Task TakeAsync(TicketReceivedContext ticket)
    {
        HttpContext context = ticket.HttpContext;
        ticket.HandleResponse();
        ProviderOptions provider = context.RequestServices.GetRequiredService<ProviderOptions>();
        var accounts = context.RequestServices.GetRequiredService<ProviderAccounts>();
        Actor nobody = RequestActor.Named(context, "nobody");
        CredentialResult result = VouchedOf(ticket.Principal!, provider) is { } vouched
            ? await accounts.SignInAsync(vouched, SignInForm.BrowserOf(context), nobody, context.RequestAborted)
            : await accounts.RefuseAsync(nobody, "The provider did not say who you are: its answer has no claim 'sub'.", context.RequestAborted);
        if (result.Principal is { } principal)
        {
            await SignInForm.LetInAsync(context, principal);
            context.Response.Redirect(BrowserGuards.LocalOrHome(ticket.ReturnUri));
            return;
        }

        await ShowAsync(context, result.Problem, SignInSteps.StatusOf(result));
    }

    private static async Task FailAsync(RemoteFailureContext failed)
    {
        HttpContext context = failed.HttpContext;
        failed.HandleResponse();
        var accounts = context.RequestServices.GetRequiredService<ProviderAccounts>();
        string why = $"The provider did not sign you in: {failed.Failure?.GetBaseException().Message ?? "it gave no reason"}";
        CredentialResult refused = await accounts.RefuseAsync(RequestActor.Named(context, "nobody"), why.Length <= 400 ? why : why[..400], context.RequestAborted);
        await ShowAsync(context, refused.Problem, SignInSteps.StatusOf(refused));
    }

    private static async Task ShowAsync(HttpContext context, string? problem, int status)
    {
        IResult page = await SignInEndpoints.StartAsync(context, context.RequestServices.GetRequiredService<SignInForm>(), "/", problem, status);
        await page.ExecuteAsync(context);
    }

    /// <summary>Null: without a subject nobody can be told from anybody.</summary>
    private static Vouched? VouchedOf(ClaimsPrincipal principal, ProviderOptions provider) => principal.FindFirstValue("sub") is { Length: > 0 } subject
        ? new Vouched(
            provider.Authority.AbsoluteUri,
            subject,
            principal.FindFirstValue("preferred_username") ?? principal.FindFirstValue("email") ?? principal.FindFirstValue("name") ?? subject,
            provider.RolesOf(principal.FindAll(provider.RoleClaim).Select(claim => claim.Value)),
            provider.RoleClaim)
        : null;
}
