using System.Security.Cryptography;
using System.Text.Json;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.DataProtection;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>What is still asked for before a session is opened.</summary>
internal enum SignInStage
{
    /// <summary>A code of the authenticator app, or a recovery code.</summary>
    Code,

    /// <summary>Another password instead of the one that somebody else chose.</summary>
    NewPassword,

    /// <summary>The hub wants everybody to have an authenticator app, and there is none yet.</summary>
    Enroll,

    /// <summary>Nothing.</summary>
    Done,
}

/// <summary>Somebody whose password was right and who is not let in yet. Stands encrypted in a cookie of its own, for ten minutes.</summary>
/// <param name="UserId">The account.</param>
/// <param name="Stamp">Its security stamp: a password that changes meanwhile ends this.</param>
/// <param name="CodeGiven">The second factor was given.</param>
/// <param name="Secret">Secret of the authenticator app that is being set up; null: none is.</param>
/// <param name="ReturnUrl">Where to go in the end.</param>
internal sealed record PendingSignIn(string UserId, string Stamp, bool CodeGiven, string? Secret, string ReturnUrl)
{
    /// <summary>Pure. What comes next.</summary>
    public static SignInStage Next(bool hasAuthenticator, bool codeGiven, bool passwordIsTemporary, bool secondFactorRequired) =>
        hasAuthenticator && !codeGiven ? SignInStage.Code
        : passwordIsTemporary ? SignInStage.NewPassword
        : secondFactorRequired && !hasAuthenticator ? SignInStage.Enroll
        : SignInStage.Done;

    public SignInStage NextOf(HubUser user, bool secondFactorRequired) =>
        Next(user.AuthenticatorSecret is not null, CodeGiven, user.PasswordIsTemporary, secondFactorRequired);
}

/// <summary>The cookie that holds it. Each is good for one step: the next step has another, and a copy of one that was used opens nothing.</summary>
internal sealed class PendingSignIns(IDataProtectionProvider keys, SpentTickets spent, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private const string Cookie = "failoverhub.pending";

    private readonly IDataProtector _protector = keys.CreateProtector("FailoverHub.PendingSignIn.v1", spent.Run);

    /// <summary>Gives the browser another one; the one that it came with is spent.</summary>
    public void Keep(HttpContext context, PendingSignIn pending)
    {
        if (Read(context) is { } before)
        {
            spent.TrySpend(before.Id, before.Until);
        }

        context.Response.Cookies.Append(
            Cookie,
            _protector.Protect(JsonSerializer.Serialize(new Kept(pending, time.GetUtcNow() + Lifetime, Secret.New()))),
            new CookieOptions { HttpOnly = true, Secure = context.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/sign-in", MaxAge = Lifetime, IsEssential = true });
    }

    public static void Forget(HttpContext context) => context.Response.Cookies.Delete(Cookie, new CookieOptions { Path = "/sign-in" });

    /// <summary>Only looks. Null: there is none, it is too old, was used, or is not ours.</summary>
    public PendingSignIn? Of(HttpContext context) => Read(context) is { } kept && !spent.IsSpent(kept.Id) ? kept.Pending : null;

    /// <summary>Uses it up. Null: as above; of two requests with the same one at once one gets it.</summary>
    public PendingSignIn? Take(HttpContext context) => Read(context) is { } kept && spent.TrySpend(kept.Id, kept.Until) ? kept.Pending : null;

    private Kept? Read(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is not { Length: > 0 } cookie)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<Kept>(_protector.Unprotect(cookie)) is { } kept && time.GetUtcNow() < kept.Until ? kept : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private sealed record Kept(PendingSignIn Pending, DateTimeOffset Until, string Id);
}
