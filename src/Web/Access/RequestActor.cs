using System.Net;
using FailoverHub.Web.Data.Requests;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Access;

/// <summary>Who makes this request, as the audit keeps it.</summary>
internal static class RequestActor
{
    /// <summary>What a caller claims must not fill the database.</summary>
    private const int LongestForwardedFor = 200;

    public static Actor Of(HttpContext context) => Named(context, context.User.Identity?.Name ?? "nobody") with { Rights = AccessPolicies.RightsOf(context.User) };

    public static Actor Named(HttpContext context, string name)
    {
        IPAddress? remote = context.Connection.RemoteIpAddress;
        string forwarded = context.Request.Headers["X-Forwarded-For"].ToString();
        return new Actor(
            name,
            (remote is { IsIPv4MappedToIPv6: true } ? remote.MapToIPv4() : remote)?.ToString(),
            forwarded.Length == 0 ? null : forwarded.Length <= LongestForwardedFor ? forwarded : forwarded[..LongestForwardedFor])
        {
            Request = context.Features.Get<RepeatableRequest>(),
        };
    }
}
