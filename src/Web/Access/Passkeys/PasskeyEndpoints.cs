using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;

namespace FailoverHub.Web.Access.Passkeys;

/// <summary>
/// Passkeys (WebAuthn): made on the account page, used on the sign-in page. The browser verifies its owner, so one is both factors. What a ceremony
/// begins with waits encrypted in a cookie for its end.
/// </summary>
internal static class PasskeyEndpoints
{
    private const int LongestName = 60;

    public static void Map(IEndpointRouteBuilder app)
    {
        RouteGroupBuilder open = app.MapGroup("/sign-in/passkey").WithMetadata(ServedOn.Browser).AllowAnonymous().ExcludeFromDescription().RequireRateLimiting(AccessLimits.SignIn);
        open.MapPost("/options", RequestOptionsAsync);
        open.MapPost("", SignInAsync);

        RouteGroupBuilder own = app.MapGroup("/account/passkeys").WithMetadata(ServedOn.Browser).RequireAuthorization(AccessPolicies.PageView).ExcludeFromDescription().RequireRateLimiting(AccessLimits.SignIn);
        own.MapPost("/options", CreationOptionsAsync);
        own.MapPost("", AddAsync);
    }

    private static async Task<IResult> RequestOptionsAsync(HttpContext context, SignInForm form, IPasskeyHandler<HubUser> passkeys, PasskeyCeremonies ceremonies)
    {
        if (!await form.IsOwnAsync(context))
        {
            return Foreign();
        }

        PasskeyRequestOptionsResult options = await passkeys.MakeRequestOptionsAsync(null, context);
        ceremonies.Keep(context, options.AssertionState);
        return TypedResults.Text(options.RequestOptionsJson, "application/json", Encoding.UTF8);
    }

    private static async Task<IResult> SignInAsync(HttpContext context, SignInForm form, IPasskeyHandler<HubUser> passkeys, PasskeyCeremonies ceremonies, Credentials credentials)
    {
        if (await form.ReadAsync(context) is not { } sent)
        {
            return SignInForm.Html(SignInPage.Refused(SignInForm.Foreign), StatusCodes.Status400BadRequest);
        }

        string returnUrl = BrowserGuards.LocalOrHome(sent["returnUrl"]);
        PasskeyCeremony? ceremony = ceremonies.Take(context);
        PasskeyAssertionResult<HubUser>? result = ceremony is null
            ? null
            : await passkeys.PerformAssertionAsync(new PasskeyAssertionContext { HttpContext = context, CredentialJson = sent["credential"].ToString(), AssertionState = ceremony.State });
        Actor nobody = RequestActor.Named(context, "nobody");
        CredentialResult opened;
        if (result is { Succeeded: true, User.PasswordHash: null })
        {
            // Who has been sent away by the provider must not come in past it.
            opened = await credentials.RefuseAsync(nobody, AccountMapping.Target(result.User.UserName!), "the account is the provider's, who has to vouch for it at each sign-in", context.RequestAborted);
        }
        else if (result is { Succeeded: true } && !ceremonies.TrySpend(ceremony!))
        {
            // Right, and a copy: the browser asks for another challenge each time.
            opened = await credentials.RefuseAsync(nobody, AccountMapping.Target(result.User.UserName!), "the passkey's answer was used already", context.RequestAborted);
        }
        else if (result is { Succeeded: true })
        {
            Actor actor = nobody with { Name = result.User.UserName! };
            opened = await credentials.OpenAsync(result.User, "passkey", Secret.New(), SignInForm.BrowserOf(context), actor, context.RequestAborted, result.Passkey);
        }
        else
        {
            opened = await credentials.RefuseAsync(nobody, "hub", result is null ? "the passkey's ceremony is too old" : $"the passkey is not accepted: {result.Failure?.Message}", context.RequestAborted);
        }

        if (opened.Principal is { } principal)
        {
            await SignInForm.LetInAsync(context, principal);
            return TypedResults.LocalRedirect(returnUrl);
        }

        string problem = opened.IsUnavailable ? opened.Problem! : "This passkey opens no account of this hub, or the account is locked.";
        return await SignInEndpoints.StartAsync(context, form, returnUrl, problem, SignInSteps.StatusOf(opened));
    }

    private static async Task<IResult> CreationOptionsAsync(HttpContext context, SignInForm form, IPasskeyHandler<HubUser> passkeys, PasskeyCeremonies ceremonies)
    {
        if (!await form.IsOwnAsync(context))
        {
            return Foreign();
        }

        if (SignedIn.AccountOf(context.User) is not { } id || context.User.Identity?.Name is not { } name)
        {
            return NoAccount();
        }

        PasskeyCreationOptionsResult options = await passkeys.MakeCreationOptionsAsync(new PasskeyUserEntity { Id = id, Name = name, DisplayName = name }, context);
        ceremonies.Keep(context, options.AttestationState ?? "");
        return TypedResults.Text(options.CreationOptionsJson, "application/json", Encoding.UTF8);
    }

    private static async Task<IResult> AddAsync(HttpContext context, NewPasskey made, SignInForm form, IPasskeyHandler<HubUser> passkeys, PasskeyDesk desk)
    {
        if (!await form.IsOwnAsync(context))
        {
            return Foreign();
        }

        if (SignedIn.AccountOf(context.User) is not { } id || await desk.AccountAsync(context.User.Identity?.Name ?? "", context.RequestAborted) is not { } account || account.Id != id)
        {
            return NoAccount();
        }

        PasskeyCeremony? ceremony = desk.Ceremonies.Take(context);
        PasskeyAttestationResult? result = ceremony is not null
            ? await passkeys.PerformAttestationAsync(new PasskeyAttestationContext { HttpContext = context, CredentialJson = made.Credential, AttestationState = ceremony.State })
            : null;
        if (result is not { Succeeded: true } || result.UserEntity.Id != id || !desk.Ceremonies.TrySpend(ceremony!))
        {
            return TypedResults.Problem($"The browser's passkey was not accepted: {result?.Failure?.Message ?? "it took too long, or was used already"}.", statusCode: StatusCodes.Status400BadRequest, title: "No passkey");
        }

        string name = made.Name.Trim();
        result.Passkey.Name = name.Length is > 0 and <= LongestName ? name : "passkey";
        AccountResult added = await desk.Own.AddPasskeyAsync(account, made.Password ?? "", result.Passkey, RequestActor.Of(context), context.RequestAborted);
        return added.Succeeded ? TypedResults.NoContent() : TypedResults.Problem(added.Problem, statusCode: StatusCodes.Status409Conflict, title: "No passkey");
    }

    private static ProblemHttpResult Foreign() => TypedResults.Problem(SignInForm.Foreign, statusCode: StatusCodes.Status400BadRequest, title: "Refused");

    private static ProblemHttpResult NoAccount() =>
        TypedResults.Problem("This browser is signed in by a one-time link, without an account: there is nothing to keep a passkey for.", statusCode: StatusCodes.Status409Conflict, title: "No account");
}

/// <summary>What the account page's script sends.</summary>
/// <param name="Credential">The browser's answer, as JSON.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="Password">Of the account, once more.</param>
internal sealed record NewPasskey(string Credential, string Name, string? Password);

/// <summary>What adding a passkey needs beside the ceremony itself.</summary>
internal sealed class PasskeyDesk(PasskeyCeremonies ceremonies, Accounts accounts, OwnAccount own)
{
    public PasskeyCeremonies Ceremonies => ceremonies;

    public OwnAccount Own => own;

    public Task<AccountView?> AccountAsync(string name, CancellationToken cancellationToken) => accounts.FindAsync(name, cancellationToken);
}

/// <summary>What the first half of a ceremony left for the second.</summary>
/// <param name="Id">Random, of this one.</param>
/// <param name="State">With the challenge.</param>
internal sealed record PasskeyCeremony(string Id, string State);

/// <summary>Between the two halves of a ceremony: its challenge, encrypted, in a cookie that succeeds once, for five minutes.</summary>
internal sealed class PasskeyCeremonies(IDataProtectionProvider keys, SpentTickets spent, TimeProvider time)
{
    private const string Cookie = "failoverhub.passkey";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly ITimeLimitedDataProtector _protector = keys.CreateProtector("FailoverHub.Passkey.v1", spent.Run).ToTimeLimitedDataProtector();

    public void Keep(HttpContext context, string? state) =>
        context.Response.Cookies.Append(Cookie, _protector.Protect(JsonSerializer.Serialize(new PasskeyCeremony(Secret.New(), state ?? "")), Lifetime), Options(context, Lifetime));

    /// <summary>Null: there is none, or it is too old.</summary>
    public PasskeyCeremony? Take(HttpContext context)
    {
        string? cookie = context.Request.Cookies[Cookie];
        context.Response.Cookies.Delete(Cookie, Options(context, null));
        try
        {
            return string.IsNullOrEmpty(cookie) ? null : JsonSerializer.Deserialize<PasskeyCeremony>(_protector.Unprotect(cookie));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The browser's answer was right. False: and was given before; this is a copy of it.</summary>
    public bool TrySpend(PasskeyCeremony ceremony) => spent.TrySpend(ceremony.Id, time.GetUtcNow() + Lifetime);

    private static CookieOptions Options(HttpContext context, TimeSpan? lifetime) =>
        new() { HttpOnly = true, Secure = context.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = lifetime, IsEssential = true };
}
