using System.Security.Claims;
using System.Text;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>GET /sign-in shows a button, POST /sign-in uses the code up, POST /sign-out ends the session.</summary>
internal static class SignInEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        RouteGroupBuilder pages = app.MapGroup("").WithMetadata(ServedOn.Browser).AllowAnonymous().ExcludeFromDescription();
        pages.MapGet("/sign-in", Show);
        pages.MapPost("/sign-in", SignInAsync).RequireRateLimiting(AccessLimits.SignIn);
        pages.MapPost("/sign-out", SignOutAsync);
    }

    private static IResult Show(HttpContext context, IAntiforgery antiforgery)
    {
        string code = context.Request.Query["code"].ToString();
        string returnUrl = BrowserGuards.LocalOrHome(context.Request.Query["returnUrl"]);
        if (code.Length == 0)
        {
            return context.User.Identity?.IsAuthenticated == true ? TypedResults.LocalRedirect(returnUrl) : Html(SignInPage.HowToGetALink());
        }

        AntiforgeryTokenSet tokens = antiforgery.GetAndStoreTokens(context);
        return Html(SignInPage.WithButton(code, returnUrl, tokens.FormFieldName, tokens.RequestToken!));
    }

    private static async Task<IResult> SignInAsync(HttpContext context, IAntiforgery antiforgery, SignInCodes codes)
    {
        if (!context.Request.HasFormContentType || !await antiforgery.IsRequestValidAsync(context))
        {
            return Html(SignInPage.Refused("This did not come from the sign-in page of this browser, or the page was too old."), StatusCodes.Status400BadRequest);
        }

        IFormCollection form = await context.Request.ReadFormAsync(context.RequestAborted);
        Actor actor = RequestActor.Named(context, AccessPolicies.Operator);
        string session = Secret.New();
        switch (await codes.UseAsync(form["code"].ToString(), session, actor, context.RequestAborted))
        {
            case SignInOutcome.Refused:
                return Html(SignInPage.Refused("This link was used already, or is older than 15 minutes."), StatusCodes.Status403Forbidden);
            case SignInOutcome.NotAudited:
                return Html(SignInPage.Refused("The hub cannot write its audit, so nobody can sign in. Its log says why."), StatusCodes.Status503ServiceUnavailable);
        }

        // Whoever can make a link runs the hub on its machine, and can make himself an account with any role.
        ClaimsPrincipal user = AccessPolicies.Person(actor.Name, [HubRoles.Admin], CookieAuthenticationDefaults.AuthenticationScheme);
        user.AddIdentity(new ClaimsIdentity([new Claim(Sessions.Claim, session)], CookieAuthenticationDefaults.AuthenticationScheme));
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, user);
        return TypedResults.LocalRedirect(BrowserGuards.LocalOrHome(form["returnUrl"]));
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, IAntiforgery antiforgery, Sessions sessions)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            return Html(SignInPage.Refused("This did not come from a page of the hub in this browser."), StatusCodes.Status400BadRequest);
        }

        // This browser lets go of its cookie in any case; a copy of it, and other open pages, end with the session.
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return await sessions.CloseAsync(context.User, RequestActor.Of(context), context.RequestAborted)
            ? TypedResults.LocalRedirect("/sign-in")
            : Html(SignInPage.Refused("This browser is signed out, but the hub cannot write its audit, so pages that are still open stay so. Close them."), StatusCodes.Status503ServiceUnavailable);
    }

    private static ContentHttpResult Html(string page, int status = StatusCodes.Status200OK) => TypedResults.Text(page, "text/html; charset=utf-8", Encoding.UTF8, status);
}
