using System.Globalization;
using System.Security.Claims;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Access;

/// <summary>
/// Who may do what. Each way in names one of these; what names none needs the right to view, in a browser whose session is open: the fallback denies.
/// Policies of the API take a token, those of pages an open session; reading the API takes either.
/// </summary>
internal static class AccessPolicies
{
    /// <summary>Reading the API: a signed-in browser, or a token.</summary>
    public const string ApiRead = "api-read";

    /// <summary>Reading the audit by the API: a signed-in browser, or a token.</summary>
    public const string ApiAudit = "api-audit";

    /// <summary>Changing by the API: a token of scope operate. A cookie never does.</summary>
    public const string ApiOperate = "api-operate";

    /// <summary>Approving by the API: a token of scope approve.</summary>
    public const string ApiApprove = "api-approve";

    /// <summary>Join tokens, certificates, settings by the API: a token of scope admin.</summary>
    public const string ApiAdmin = "api-admin";

    /// <summary>Looking at a page.</summary>
    public const string PageView = "page-view";

    /// <summary>Looking at the audit.</summary>
    public const string PageAudit = "page-audit";

    /// <summary>Changing by a page: a browser whose session is open at that moment. Asked again before each change.</summary>
    public const string PageOperate = "page-operate";

    /// <summary>May approve what somebody else asked for. Asked again before each approval.</summary>
    public const string PageApprove = "page-approve";

    /// <summary>Users, tokens, nodes that join, revocation, settings. Asked again before each change.</summary>
    public const string PageAdmin = "page-admin";

    /// <summary>Forwards to <see cref="ApiScheme"/> or to the cookie, by the path.</summary>
    public const string SiteScheme = "site";

    /// <summary>Bearer tokens; without one the cookie of a signed-in browser, which may only read. Answers in problem documents.</summary>
    public const string ApiScheme = "api";

    /// <summary>Claim with the scope of a token.</summary>
    public const string ScopeClaim = "scope";

    private const string TokenClaim = "token";
    private const string TokenOwnerClaim = "token-owner";
    private const string TokenOfMachineClaim = "token-of-machine";

    /// <summary>Who signed in by the one-time link: whoever runs the hub, without an account.</summary>
    public const string Operator = "operator";

    /// <summary>A person with roles.</summary>
    public static ClaimsPrincipal Person(string name, IEnumerable<string> roles, string scheme) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.Name, name), .. roles.Select(role => new Claim(ClaimTypes.Role, role))], scheme, ClaimTypes.Name, ClaimTypes.Role));

    /// <summary>A script with a token.</summary>
    public static ClaimsPrincipal Script(ApiTokenUse use)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, use.ActorName), new Claim(ScopeClaim, ApiScopes.Word(use.Scope))], ApiScheme, ClaimTypes.Name, ClaimTypes.Role);
        identity.AddClaim(new Claim(TokenClaim, use.Id.ToString(CultureInfo.InvariantCulture)));
        if (use.Owner is Requester.Account owner)
        {
            identity.AddClaim(new Claim(TokenOwnerClaim, owner.Id));
        }
        else if (use.Owner is Requester.Machine)
        {
            identity.AddClaim(new Claim(TokenOfMachineClaim, "yes"));
        }

        return new ClaimsPrincipal(identity);
    }

    /// <summary>Who is behind it: a token, an account, or by a session without one whoever runs the machine. Null: nobody who is known. Pure.</summary>
    public static Requester? RequesterOf(ClaimsPrincipal user) =>
        user.Identity is not { IsAuthenticated: true } ? null
        : IsByToken(user) ? long.TryParse(user.FindFirstValue(TokenClaim), NumberStyles.None, CultureInfo.InvariantCulture, out long token) ? new Requester.Token(token, OwnerOf(user)) : null
        : user.FindFirstValue(Sessions.Claim) is null ? null
        : SignedIn.AccountOf(user) is { } account ? new Requester.Account(account)
        : new Requester.Machine();

    private static Requester? OwnerOf(ClaimsPrincipal token) =>
        token.FindFirstValue(TokenOwnerClaim) is { } owner ? new Requester.Account(owner)
        : token.FindFirstValue(TokenOfMachineClaim) is not null ? new Requester.Machine()
        : null;

    /// <summary>What roles and scope come to. Pure.</summary>
    public static Rights RightsOf(ClaimsPrincipal user)
    {
        Rights rights = Rights.None;
        foreach (ClaimsIdentity identity in user.Identities.Where(i => i.IsAuthenticated))
        {
            foreach (Claim claim in identity.Claims)
            {
                rights |= claim.Type == ClaimTypes.Role ? HubRoles.RightsOf(claim.Value)
                    : claim.Type == ScopeClaim && identity.AuthenticationType == ApiScheme ? ApiScopes.RightsOf(claim.Value)
                    : Rights.None;
            }
        }

        return rights;
    }

    /// <summary>It came with a token, not with a cookie that any page can make a browser send along.</summary>
    public static bool IsByToken(ClaimsPrincipal user) => user.Identity is { IsAuthenticated: true, AuthenticationType: ApiScheme };
}

/// <summary>What a token may do.</summary>
internal enum ApiScope
{
    /// <summary>See everything, the audit too.</summary>
    Read,

    /// <summary>See everything and set operations going.</summary>
    Operate,

    /// <summary>See everything and approve what somebody else asked for.</summary>
    Approve,

    /// <summary>Everything.</summary>
    Admin,
}

/// <summary>Scopes as they are stored, written and read.</summary>
internal static class ApiScopes
{
    public const string Read = "read";
    public const string Operate = "operate";
    public const string Approve = "approve";
    public const string Admin = "admin";

    public static string Word(ApiScope scope) => scope switch
    {
        ApiScope.Operate => Operate,
        ApiScope.Approve => Approve,
        ApiScope.Admin => Admin,
        _ => Read,
    };

    /// <summary>Null: no such scope.</summary>
    public static ApiScope? Parse(string word) => word switch
    {
        Read => ApiScope.Read,
        Operate => ApiScope.Operate,
        Approve => ApiScope.Approve,
        Admin => ApiScope.Admin,
        _ => null,
    };

    /// <summary>What a scope comes to; an unknown word comes to nothing.</summary>
    public static Rights RightsOf(string word) => Parse(word) switch
    {
        ApiScope.Read => Rights.View | Rights.Audit,
        ApiScope.Operate => HubRoles.RightsOf(HubRoles.Operator),
        ApiScope.Approve => HubRoles.RightsOf(HubRoles.Approver),
        ApiScope.Admin => Rights.All,
        _ => Rights.None,
    };
}
