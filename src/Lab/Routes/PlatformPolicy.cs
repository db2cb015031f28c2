using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Lab.Routes;

/// <summary>What the platform accepts from a node. Everything else is refused with a sentence.</summary>
internal static class PlatformPolicy
{
    public static readonly Community Primary = new(65000, 1);
    public static readonly Community Secondary = new(65000, 2);

    /// <summary>Judges one UPDATE. A refused announcement takes the place of an accepted one: it counts as withdrawn.</summary>
    public static ImportedUpdate Import(ReceivedRoutes update)
    {
        var accepted = ImmutableArray.CreateBuilder<OfferedRoute>();
        var refused = ImmutableArray.CreateBuilder<RefusedRoute>();
        foreach (var prefix in update.Announced)
        {
            switch (Judge(update, prefix))
            {
                case (OfferedRoute route, _):
                    accepted.Add(route);
                    break;
                case (_, var reason):
                    refused.Add(new RefusedRoute(prefix, reason));
                    break;
            }
        }

        return new ImportedUpdate(accepted.ToImmutable(), [.. update.Withdrawn, .. refused.Select(route => route.Prefix)], refused.ToImmutable());
    }

    private static (OfferedRoute? Route, string Reason) Judge(ReceivedRoutes update, IPNetwork prefix)
    {
        RoutePreference? preference = update.Communities.Contains(Primary) ? RoutePreference.Primary
            : update.Communities.Contains(Secondary) ? RoutePreference.Secondary
            : null;
        if (preference is null)
        {
            return (null, $"it carries neither community {Primary} nor {Secondary}");
        }

        if (update.NextHop is null)
        {
            return (null, "it has no next hop");
        }

        var isHost = prefix.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
        if (isHost ? prefix.PrefixLength != 32 : prefix.PrefixLength is not (56 or 64))
        {
            return (null, "only an IPv4 /32 and an IPv6 /64 or /56 can be shared");
        }

        var route = new OfferedRoute
        {
            Prefix = prefix,
            NextHop = update.NextHop.IsIPv4MappedToIPv6 ? update.NextHop.MapToIPv4() : update.NextHop,
            Preference = preference.Value,
            AsPathLength = update.AsPath.Length,
            Origin = update.Origin,
        };
        return (route, string.Empty);
    }
}

/// <summary>An UPDATE after the import policy.</summary>
internal sealed record ImportedUpdate(ImmutableArray<OfferedRoute> Accepted, ImmutableArray<IPNetwork> Withdrawn, ImmutableArray<RefusedRoute> Refused);

/// <summary>An announcement that is not accepted, and why.</summary>
internal sealed record RefusedRoute(IPNetwork Prefix, string Reason);
