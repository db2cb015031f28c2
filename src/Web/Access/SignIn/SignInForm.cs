using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>What the endpoints of signing in have in common: forms that only our own pages can send, pages as answers, and the cookie in the end.</summary>
internal sealed class SignInForm(IAntiforgery antiforgery)
{
    public const string Foreign = "This did not come from the sign-in page of this browser, or the page was too old.";

    public FormFields FieldsFor(HttpContext context, string? returnUrl)
    {
        AntiforgeryTokenSet tokens = antiforgery.GetAndStoreTokens(context);
        return new FormFields(tokens.FormFieldName, tokens.RequestToken!, BrowserGuards.LocalOrHome(returnUrl));
    }

    /// <summary>Null: it is no form of ours, or did not come to its end.</summary>
    public async Task<IFormCollection?> ReadAsync(HttpContext context)
    {
        try
        {
            return context.Request.HasFormContentType && await antiforgery.IsRequestValidAsync(context) ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
        }
        catch (Exception unfinished) when (unfinished is IOException or InvalidDataException or AntiforgeryValidationException)
        {
            // Too slow, too large, or no form: whoever sends such a thing must not fill the log with a stack trace each time.
            return null;
        }
    }

    /// <summary>From a script of ours, which sends the form's token as a header.</summary>
    public Task<bool> IsOwnAsync(HttpContext context) => antiforgery.IsRequestValidAsync(context);

    public static string? BrowserOf(HttpContext context) => context.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? agent : null;

    /// <summary>The cookie names the session; it is open already. One by a link that this browser had before ends: nobody could end it any more.</summary>
    public static async Task LetInAsync(HttpContext context, ClaimsPrincipal user)
    {
        PendingSignIns.Forget(context);
        if (context.User.Identity is { IsAuthenticated: true } && SignedIn.AccountOf(context.User) is null)
        {
            Sessions sessions = context.RequestServices.GetRequiredService<Sessions>();
            await sessions.CloseAsync(context.User, RequestActor.Of(context), context.RequestAborted, "this browser signed in anew");
        }

        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, user);
    }

    public static ContentHttpResult Html(string page, int status = StatusCodes.Status200OK) => TypedResults.Text(page, "text/html; charset=utf-8", Encoding.UTF8, status);
}
