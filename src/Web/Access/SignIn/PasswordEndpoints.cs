using System.Globalization;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>Name and password first, then whatever is still asked for, one page each; the session is opened in the end.</summary>
internal static class PasswordEndpoints
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/sign-in/password", PasswordAsync).RequireRateLimiting(AccessLimits.SignIn);
        pages.MapGet("/sign-in/next", (HttpContext context, SignInSteps steps) => steps.ShowAsync(context));
        pages.MapPost("/sign-in/next", (HttpContext context, SignInSteps steps) => steps.TakeAsync(context)).RequireRateLimiting(AccessLimits.SignIn);
    }

    private static async Task<IResult> PasswordAsync(HttpContext context, SignInForm form, Credentials credentials, SignInSteps steps)
    {
        if (await form.ReadAsync(context) is not { } sent)
        {
            return SignInForm.Html(SignInPage.Refused(SignInForm.Foreign), StatusCodes.Status400BadRequest);
        }

        string name = sent["name"].ToString().Trim();
        string returnUrl = BrowserGuards.LocalOrHome(sent["returnUrl"]);
        CredentialResult result = await credentials.CheckPasswordAsync(name, sent["password"].ToString(), RequestActor.Named(context, name), context.RequestAborted);
        if (result.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = wait.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
        }

        return result.User is { } user
            ? await steps.GoOnAsync(context, user, new PendingSignIn(user.Id, user.SecurityStamp ?? "", false, null, returnUrl))
            : await SignInEndpoints.StartAsync(context, form, returnUrl, result.Problem, SignInSteps.StatusOf(result));
    }
}

/// <summary>The steps between a right password and an open session.</summary>
internal sealed class SignInSteps(SignInForm form, PendingSignIns pendings, Credentials credentials, OwnAccount own, SecondFactorRule rule)
{
    private const string TooOld = "This took too long, was used already, or the account has changed. Begin again.";

    public static int StatusOf(CredentialResult refused) => refused.IsUnavailable || refused.RetryAfter is not null ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status403Forbidden;

    /// <summary>Opens the session, or asks for what is missing.</summary>
    public async Task<IResult> GoOnAsync(HttpContext context, HubUser user, PendingSignIn pending)
    {
        if (await StageAsync(context, user, pending) != SignInStage.Done)
        {
            pendings.Keep(context, pending);
            return TypedResults.LocalRedirect("/sign-in/next");
        }

        CredentialResult opened = await OpenAsync(context, user);
        return opened.Principal is null ? await StartAsync(context, opened.Problem, StatusOf(opened)) : TypedResults.LocalRedirect(pending.ReturnUrl);
    }

    public async Task<IResult> ShowAsync(HttpContext context)
    {
        PendingSignIn? pending = pendings.Of(context);
        if (await UserOfAsync(context, pending) is not { } user || pending is null)
        {
            return await StartAsync(context, TooOld, StatusCodes.Status403Forbidden);
        }

        // Only to look at the page uses nothing up; to be let in by it does.
        return await StageAsync(context, user, pending) == SignInStage.Done && pendings.Take(context) is null
            ? await StartAsync(context, TooOld, StatusCodes.Status403Forbidden)
            : await PageAsync(context, user, pending, null);
    }

    public async Task<IResult> TakeAsync(HttpContext context)
    {
        if (await form.ReadAsync(context) is not { } sent)
        {
            return SignInForm.Html(SignInPage.Refused(SignInForm.Foreign), StatusCodes.Status400BadRequest);
        }

        PendingSignIn? pending = pendings.Take(context);
        if (await UserOfAsync(context, pending) is not { } user || pending is null)
        {
            return await StartAsync(context, TooOld, StatusCodes.Status403Forbidden);
        }

        return await StageAsync(context, user, pending) switch
        {
            SignInStage.Code => await TakeCodeAsync(context, user, pending, sent["code"].ToString()),
            SignInStage.NewPassword => await TakePasswordAsync(context, user, pending, sent["password"].ToString(), sent["again"].ToString()),
            SignInStage.Enroll => await EnrollAsync(context, user, pending, sent["code"].ToString()),
            _ => await GoOnAsync(context, user, pending),
        };
    }

    private async Task<IResult> TakeCodeAsync(HttpContext context, HubUser user, PendingSignIn pending, string code)
    {
        CredentialResult result = await credentials.UseCodeAsync(user.Id, code, RequestActor.Named(context, user.UserName!), context.RequestAborted);
        return result.User is null
            ? await PageAsync(context, user, pending, result.Problem, StatusOf(result))
            : await GoOnAsync(context, user, pending with { CodeGiven = true });
    }

    private async Task<IResult> TakePasswordAsync(HttpContext context, HubUser user, PendingSignIn pending, string password, string again)
    {
        Actor actor = RequestActor.Named(context, user.UserName!);
        string? problem = password != again
            ? "The two passwords are not the same."
            : (await own.ChangePasswordAsync(ViewOf(user), null, password, null, actor, context.RequestAborted)).Problem;
        return problem is null && await credentials.FindAsync(user.Id, context.RequestAborted) is { } changed
            ? await GoOnAsync(context, changed, pending with { Stamp = changed.SecurityStamp ?? "" })
            : await PageAsync(context, user, pending, problem ?? TooOld, StatusCodes.Status400BadRequest);
    }

    private async Task<IResult> EnrollAsync(HttpContext context, HubUser user, PendingSignIn pending, string code)
    {
        AccountResult added = pending.Secret is { } secret
            ? await own.AddAuthenticatorAsync(ViewOf(user), null, secret, code, RequestActor.Named(context, user.UserName!), context.RequestAborted)
            : new AccountResult(TooOld);
        if (added.Secret is not { } codes)
        {
            return await PageAsync(context, user, pending, added.Problem, StatusCodes.Status400BadRequest);
        }

        CredentialResult opened = await OpenAsync(context, user);
        return opened.Principal is null
            ? await StartAsync(context, opened.Problem, StatusOf(opened))
            : SignInForm.Html(SignInPage.RecoveryCodes(codes, pending.ReturnUrl));
    }

    private async Task<CredentialResult> OpenAsync(HttpContext context, HubUser user)
    {
        CredentialResult opened = await credentials.OpenAsync(user, "password", Secret.New(), SignInForm.BrowserOf(context), RequestActor.Named(context, user.UserName!), context.RequestAborted);
        if (opened.Principal is { } principal)
        {
            await SignInForm.LetInAsync(context, principal);
        }

        return opened;
    }

    private async Task<IResult> PageAsync(HttpContext context, HubUser user, PendingSignIn pending, string? problem, int status = StatusCodes.Status200OK)
    {
        FormFields fields = form.FieldsFor(context, pending.ReturnUrl);
        SignInStage stage = await StageAsync(context, user, pending);

        // One secret for as long as the app is being set up: a page that is loaded again shows the same.
        string secret = pending.Secret ?? TimeCodes.NewSecret();
        if (problem is not null || (stage == SignInStage.Enroll && pending.Secret is null))
        {
            // What failed has used the one before up.
            pendings.Keep(context, stage == SignInStage.Enroll ? pending with { Secret = secret } : pending);
        }

        switch (stage)
        {
            case SignInStage.Code:
                return SignInForm.Html(SignInPage.Code(fields, problem), status);
            case SignInStage.NewPassword:
                return SignInForm.Html(SignInPage.NewPassword(fields, user.UserName!, problem), status);
            case SignInStage.Enroll:
                return SignInForm.Html(SignInPage.Enroll(fields, TimeCodes.UriOf(user.UserName!, secret), secret, problem), status);
            default:
                return await GoOnAsync(context, user, pending);
        }
    }

    private Task<IResult> StartAsync(HttpContext context, string? problem, int status) => SignInEndpoints.StartAsync(context, form, "/", problem, status);

    private async Task<SignInStage> StageAsync(HttpContext context, HubUser user, PendingSignIn pending) =>
        pending.NextOf(user, await rule.IsRequiredAsync(context.RequestAborted));

    private async Task<HubUser?> UserOfAsync(HttpContext context, PendingSignIn? pending) =>
        pending is not null && await credentials.FindAsync(pending.UserId, context.RequestAborted) is { } user && user.SecurityStamp == pending.Stamp ? user : null;

    private static AccountView ViewOf(HubUser user) => AccountMapping.ToView(user, [], 0, DateTimeOffset.MinValue);
}
