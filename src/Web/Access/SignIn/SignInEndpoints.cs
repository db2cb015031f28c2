using System.Security.Claims;
using FailoverHub.Web.Access.Provider;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>GET /sign-in shows every way in, POST /sign-in uses a link's code up, POST /sign-out ends the session; /setup makes the first account.</summary>
internal static class SignInEndpoints
{
    private const string LinkEnded = "This browser was signed in by a one-time link. Such sessions end when the hub gets its first admin account: sign in with an account, or make a new link on the hub's machine.";

    public static void Map(IEndpointRouteBuilder app)
    {
        RouteGroupBuilder pages = app.MapGroup("").WithMetadata(ServedOn.Browser).AllowAnonymous().ExcludeFromDescription();
        pages.MapGet("/sign-in", ShowAsync);
        pages.MapPost("/sign-in", SignInAsync).RequireRateLimiting(AccessLimits.SignIn);
        pages.MapPost("/sign-out", SignOutAsync);
        PasswordEndpoints.Map(pages);
        ProviderSignIn.Map(pages);

        RouteGroupBuilder setup = app.MapGroup("").WithMetadata(ServedOn.Browser).RequireAuthorization(AccessPolicies.PageAdmin).ExcludeFromDescription();
        setup.MapGet("/setup", ShowSetupAsync);
        setup.MapPost("/setup", SetUpAsync).RequireRateLimiting(AccessLimits.SignIn);
    }

    /// <summary>The page with every way in, as an answer to an attempt that failed as well.</summary>
    public static async Task<IResult> StartAsync(HttpContext context, SignInForm form, string? returnUrl, string? problem, int status)
    {
        Accounts accounts = context.RequestServices.GetRequiredService<Accounts>();
        ProviderOptions? provider = context.RequestServices.GetService<ProviderOptions>();
        bool withAccounts = !await accounts.NoneYetAsync(context.RequestAborted);
        return SignInForm.Html(SignInPage.Start(form.FieldsFor(context, returnUrl), withAccounts, provider?.Name, problem), status);
    }

    private static async Task<IResult> ShowAsync(HttpContext context, SignInForm form, Sessions sessions)
    {
        string code = context.Request.Query["code"].ToString();
        string returnUrl = BrowserGuards.LocalOrHome(context.Request.Query["returnUrl"]);
        if (code.Length > 0)
        {
            return SignInForm.Html(SignInPage.WithButton(code, form.FieldsFor(context, returnUrl)));
        }

        if (context.User.Identity?.IsAuthenticated == true)
        {
            return TypedResults.LocalRedirect(returnUrl);
        }

        bool byLink = context.Items[Sessions.Refused] is ClaimsPrincipal before && await sessions.IsEndedLinkAsync(before, context.RequestAborted);
        return await StartAsync(context, form, returnUrl, byLink ? LinkEnded : null, StatusCodes.Status200OK);
    }

    private static async Task<IResult> SignInAsync(HttpContext context, SignInForm form, SignInCodes codes)
    {
        if (await form.ReadAsync(context) is not { } sent)
        {
            return SignInForm.Html(SignInPage.Refused(SignInForm.Foreign), StatusCodes.Status400BadRequest);
        }

        Actor actor = RequestActor.Named(context, AccessPolicies.Operator);
        var session = new NewSession(Secret.New(), actor.Name, null, "link", actor.RemoteAddress, SignInForm.BrowserOf(context));
        switch (await codes.UseAsync(sent["code"].ToString(), session, actor, context.RequestAborted))
        {
            case SignInOutcome.Refused:
                return SignInForm.Html(SignInPage.Refused("This link was used already, or is older than 15 minutes."), StatusCodes.Status403Forbidden);
            case SignInOutcome.NotAudited:
                return SignInForm.Html(SignInPage.Refused("The hub cannot write its audit, so nobody can sign in. Its log says why."), StatusCodes.Status503ServiceUnavailable);
        }

        // Whoever can make a link runs the hub on its machine, and can make himself an account with any role.
        await SignInForm.LetInAsync(context, SignedIn.As(actor.Name, null, [HubRoles.Admin], session.Id));
        return TypedResults.LocalRedirect(BrowserGuards.LocalOrHome(sent["returnUrl"]));
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, SignInForm form, Sessions sessions)
    {
        if (!await form.IsOwnAsync(context))
        {
            return SignInForm.Html(SignInPage.Refused("This did not come from a page of the hub in this browser."), StatusCodes.Status400BadRequest);
        }

        // This browser lets go of its cookie in any case; a copy of it, and other open pages, end with the session.
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return await sessions.CloseAsync(context.User, RequestActor.Of(context), context.RequestAborted)
            ? TypedResults.LocalRedirect("/sign-in")
            : SignInForm.Html(SignInPage.Refused("This browser is signed out, but the hub cannot write its audit, so pages that are still open stay so. Close them."), StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> ShowSetupAsync(HttpContext context, SignInForm form, Accounts accounts) =>
        await accounts.NoneYetAsync(context.RequestAborted) ? SignInForm.Html(SignInPage.Setup(form.FieldsFor(context, "/"), null)) : TypedResults.LocalRedirect("/");

    private static async Task<IResult> SetUpAsync(HttpContext context, SignInForm form, Accounts accounts, Credentials credentials)
    {
        if (await form.ReadAsync(context) is not { } sent)
        {
            return SignInForm.Html(SignInPage.Refused(SignInForm.Foreign), StatusCodes.Status400BadRequest);
        }

        string name = sent["name"].ToString().Trim();
        string password = sent["password"].ToString();
        string? problem = password != sent["again"].ToString() ? "The two passwords are not the same."
            : PasswordRules.ProblemsOf(name, password) is { Count: > 0 } problems ? string.Join(' ', problems)
            : (await accounts.CreateAsync(name, [HubRoles.Admin], password, onlyAsFirst: true, RequestActor.Of(context), context.RequestAborted)).Problem;
        if (problem is null)
        {
            Actor actor = RequestActor.Named(context, name);
            CredentialResult right = await credentials.ConfirmPasswordAsync(name, password, actor, context.RequestAborted);
            CredentialResult opened = right.User is { } user
                ? await credentials.OpenAsync(user, "password", Secret.New(), SignInForm.BrowserOf(context), actor, context.RequestAborted)
                : right;
            if (opened.Principal is { } principal)
            {
                await SignInForm.LetInAsync(context, principal);
                return TypedResults.LocalRedirect("/");
            }

            problem = opened.Problem;
        }

        return SignInForm.Html(SignInPage.Setup(form.FieldsFor(context, "/"), problem), StatusCodes.Status400BadRequest);
    }
}
