using System.Security.Claims;

namespace FailoverHub.Web.Access;

/// <summary>Who may do what. What names no policy needs a signed-in browser: the fallback denies.</summary>
internal static class AccessPolicies
{
    /// <summary>Reading the API: a signed-in browser, or a token.</summary>
    public const string ApiRead = "api-read";

    /// <summary>Changing by the API: a token of scope operate. A cookie never does.</summary>
    public const string ApiOperate = "api-operate";

    /// <summary>Changing by a page: a browser whose session is open at that moment. Asked again before each change.</summary>
    public const string PageOperate = "page-operate";

    /// <summary>Forwards to <see cref="ApiScheme"/> or to the cookie, by the path.</summary>
    public const string SiteScheme = "site";

    /// <summary>Bearer tokens; without one the cookie of a signed-in browser, which may only read. Answers in problem documents.</summary>
    public const string ApiScheme = "api";

    /// <summary>Claim with one value per scope.</summary>
    public const string ScopeClaim = "scope";

    /// <summary>Who signed in by the one-time link: there are no accounts yet.</summary>
    public const string Operator = "operator";

    public static ClaimsPrincipal Principal(string name, ApiScope scope, string scheme)
    {
        var identity = new ClaimsIdentity(scheme, ClaimTypes.Name, ClaimTypes.Role);
        identity.AddClaim(new Claim(ClaimTypes.Name, name));
        identity.AddClaim(new Claim(ScopeClaim, ApiScopes.Read));
        if (scope == ApiScope.Operate)
        {
            identity.AddClaim(new Claim(ScopeClaim, ApiScopes.Operate));
        }

        return new ClaimsPrincipal(identity);
    }
}

/// <summary>What a token may do.</summary>
internal enum ApiScope
{
    /// <summary>See everything.</summary>
    Read,

    /// <summary>See everything and set operations going.</summary>
    Operate,
}

/// <summary>Scopes as they are stored, written and read.</summary>
internal static class ApiScopes
{
    public const string Read = "read";
    public const string Operate = "operate";

    public static string Word(ApiScope scope) => scope == ApiScope.Operate ? Operate : Read;

    /// <summary>Null: no such scope.</summary>
    public static ApiScope? Parse(string word) => word switch
    {
        Read => ApiScope.Read,
        Operate => ApiScope.Operate,
        _ => null,
    };
}
