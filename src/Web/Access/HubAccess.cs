using FailoverHub.Web.Access.Passkeys;
using FailoverHub.Web.Access.Provider;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace FailoverHub.Web.Access;

/// <summary>Who is let in, and what for. Everything is denied that does not say otherwise.</summary>
internal static class HubAccess
{
    private static readonly TimeSpan SessionLength = TimeSpan.FromHours(12);

    public static IServiceCollection AddHubAccess(this IServiceCollection services, ProviderOptions? provider)
    {
        services.AddSingleton<BrowserConnections>();
        services.AddExceptionHandler<DatabaseAway>();
        services.AddSingleton<SignInCodes>();
        services.AddSingleton<ApiTokens>();
        services.AddSingleton<TokenUses>();
        services.AddSingleton<WrongApiTokens>();
        services.AddSingleton<TokenGate>();
        services.AddSingleton<SessionSignals>();
        services.AddSingleton<Sessions>();
        AddAccounts(services);
        services.AddSingleton<IAuthorizationHandler, OpenSessionHandler>();
        services.AddScoped<AuthenticationStateProvider, CircuitSession>();
        services.AddScoped<PageGate>().AddScoped<PageRights>();

        services.AddDataProtection().SetApplicationName("FailoverHub");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(all => new ConfigureOptions<KeyManagementOptions>(
            keys => keys.XmlRepository = new KeyFiles(all.GetRequiredService<HubOptions>().DataDirectory, all.GetRequiredService<ILoggerFactory>())));

        services.AddAntiforgery(form =>
        {
            form.Cookie.Name = "failoverhub.form";
            form.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        AuthenticationBuilder authentication = services.AddAuthentication(AccessPolicies.SiteScheme)
            .AddPolicyScheme(AccessPolicies.SiteScheme, null, site => site.ForwardDefaultSelector = context =>
                IsForScripts(context.Request.Path) ? AccessPolicies.ApiScheme : CookieAuthenticationDefaults.AuthenticationScheme)
            .AddScheme<AuthenticationSchemeOptions, ApiTokenHandler>(AccessPolicies.ApiScheme, null)
            .AddCookie(ConfigureCookie);
        if (provider is not null)
        {
            ProviderSignIn.Add(authentication, provider);
        }

        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(InOpenSession(Rights.View))
            .SetDefaultPolicy(InOpenSession(Rights.View))
            .AddPolicy(AccessPolicies.PageView, InOpenSession(Rights.View))
            .AddPolicy(AccessPolicies.PageAudit, InOpenSession(Rights.Audit))
            .AddPolicy(AccessPolicies.PageOperate, InOpenSession(Rights.Operate))
            .AddPolicy(AccessPolicies.PageApprove, InOpenSession(Rights.Approve))
            .AddPolicy(AccessPolicies.PageAdmin, InOpenSession(Rights.Administer))
            .AddPolicy(AccessPolicies.ApiRead, With(Rights.View))
            .AddPolicy(AccessPolicies.ApiAudit, With(Rights.Audit))
            .AddPolicy(AccessPolicies.ApiOperate, ByToken(Rights.Operate))
            .AddPolicy(AccessPolicies.ApiApprove, ByToken(Rights.Approve))
            .AddPolicy(AccessPolicies.ApiAdmin, ByToken(Rights.Administer));

        services.AddRateLimiter(AccessLimits.Configure);
        return services;
    }

    public static void MapHubAccess(this IEndpointRouteBuilder app)
    {
        SignInEndpoints.Map(app);
        PasskeyEndpoints.Map(app);
    }

    private static void AddAccounts(IServiceCollection services)
    {
        services.AddHubAccounts();
        services.AddSingleton<SecretBox>();
        services.AddSingleton<SecondFactorRule>();
        services.AddSingleton<PasswordChecks>();
        services.AddSingleton<Credentials>();
        services.AddSingleton<OwnAccount>();
        services.AddSingleton<AccountDesk>();
        services.AddSingleton<SpentTickets>();
        services.AddSingleton<PendingSignIns>();
        services.AddSingleton<SignInForm>();
        services.AddSingleton<SignInSteps>();
        services.AddSingleton<PasskeyCeremonies>();
        services.AddSingleton<PasskeyDesk>();
        services.AddScoped<IPasskeyHandler<HubUser>, PasskeyHandler<HubUser>>();
        services.Configure<IdentityPasskeyOptions>(passkeys =>
        {
            // One that the browser finds by itself: nobody types a name.
            passkeys.ResidentKeyRequirement = "required";
            passkeys.UserVerificationRequirement = "required";
        });
    }

    private static AuthorizationPolicy With(Rights right) => new AuthorizationPolicyBuilder()
        .RequireAuthenticatedUser().AddRequirements(new OpenSession()).RequireAssertion(asked => AccessPolicies.RightsOf(asked.User).HasFlag(right)).Build();

    private static AuthorizationPolicy ByToken(Rights right) => new AuthorizationPolicyBuilder(With(right)).RequireAssertion(asked => AccessPolicies.IsByToken(asked.User)).Build();

    private static AuthorizationPolicy InOpenSession(Rights right) => new AuthorizationPolicyBuilder(With(right)).RequireAssertion(asked => !AccessPolicies.IsByToken(asked.User)).Build();

    private static bool IsForScripts(PathString path) => path.StartsWithSegments("/api") || path.StartsWithSegments("/openapi") || path.StartsWithSegments("/hubs") || path.StartsWithSegments("/metrics");

    private static void ConfigureCookie(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = "failoverhub.session";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;

        // Strict would sign out whoever follows a link from a chat. What Lax lets through are GETs, and those change nothing.
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.ExpireTimeSpan = SessionLength;
        cookie.SlidingExpiration = true;
        cookie.LoginPath = "/sign-in";
        cookie.ReturnUrlParameter = "returnUrl";
        cookie.Events.OnValidatePrincipal = async validate =>
        {
            Sessions sessions = validate.HttpContext.RequestServices.GetRequiredService<Sessions>();
            if (validate.Principal is not { } user || !await sessions.IsOpenAsync(user, validate.HttpContext.RequestAborted))
            {
                validate.HttpContext.Items[Sessions.Refused] = validate.Principal;
                validate.RejectPrincipal();
            }
        };
        cookie.Events.OnRedirectToAccessDenied = denied => IsPage(denied.Request)
            ? SignInForm.Html(SignInPage.NotAllowed(denied.HttpContext.User.Identity?.Name ?? "nobody"), StatusCodes.Status403Forbidden).ExecuteAsync(denied.HttpContext)
            : TypedResults.StatusCode(StatusCodes.Status403Forbidden).ExecuteAsync(denied.HttpContext);
        cookie.Events.OnRedirectToLogin = redirect =>
        {
            // A script, a WebSocket or a fetch can do nothing with a page to sign in on.
            if (IsPage(redirect.Request))
            {
                // Relative: what the Host header says, or a proxy changed, does not matter then.
                HttpRequest request = redirect.Request;
                redirect.Response.Redirect($"/sign-in?returnUrl={Uri.EscapeDataString($"{request.Path}{request.QueryString}")}");
            }
            else
            {
                redirect.Response.StatusCode = StatusCodes.Status401Unauthorized;
            }

            return Task.CompletedTask;
        };
    }

    private static bool IsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
