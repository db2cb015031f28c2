using System.Net;
using FailoverHub.Web.Access.Proxies;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data.Requests;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Access;

/// <summary>Who makes this request, as the audit keeps it.</summary>
internal static class RequestActor
{
    public static Actor Of(HttpContext context) => Named(context, context.User.Identity?.Name ?? "nobody") with
    {
        Rights = AccessPolicies.RightsOf(context.User),
        Session = context.User.FindFirst(Sessions.Claim)?.Value,
        Behind = AccessPolicies.RequesterOf(context.User),
    };

    public static Actor Named(HttpContext context, string name)
    {
        IPAddress? remote = Plain(context.Connection.RemoteIpAddress);
        ForwardedClaim? claim = context.Features.Get<ForwardedClaim>();
        IPAddress? peer = Plain(claim?.Peer);
        return new Actor(
            name,
            remote?.ToString(),

            // A trusted proxy was asked by whom the address is of: then the proxy stands here.
            claim is null ? null : Equals(peer, remote) ? claim.Header : $"{claim.Header} via {peer}")
        {
            Request = context.Features.Get<RepeatableRequest>(),
        };
    }

    private static IPAddress? Plain(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
}
