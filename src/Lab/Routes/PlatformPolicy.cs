using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
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
            if (WhyRefused(update, prefix) is { } reason)
            {
                refused.Add(new RefusedRoute(prefix, reason));
            }
            else
            {
                accepted.Add(ToOffer(update, prefix));
            }
        }

        return new ImportedUpdate(accepted.ToImmutable(), [.. update.Withdrawn, .. refused.Select(route => route.Prefix)], refused.ToImmutable());
    }

    private static string? WhyRefused(ReceivedRoutes update, IPNetwork prefix)
    {
        var isIpv4 = prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
        return PreferenceOf(update) is null ? $"it carries neither community {Primary} nor {Secondary}"
            : update.NextHop is null ? "it has no next hop"
            : isIpv4 ? prefix.PrefixLength != 32 ? "of IPv4 only a /32 can be shared" : null
            : prefix.PrefixLength is not (56 or 64) ? "of IPv6 only a /64 or /56 can be shared"
            : null;
    }

    private static OfferedRoute ToOffer(ReceivedRoutes update, IPNetwork prefix) => new()
    {
        Prefix = prefix,
        NextHop = update.NextHop!.IsIPv4MappedToIPv6 ? update.NextHop.MapToIPv4() : update.NextHop,
        Preference = PreferenceOf(update)!.Value,
        AsPathLength = update.AsPath.Length,
        Origin = update.Origin,
    };

    private static RoutePreference? PreferenceOf(ReceivedRoutes update) =>
        update.Communities.Contains(Primary) ? RoutePreference.Primary
        : update.Communities.Contains(Secondary) ? RoutePreference.Secondary
        : null;
}

/// <summary>An UPDATE after the import policy.</summary>
internal sealed record ImportedUpdate(ImmutableArray<OfferedRoute> Accepted, ImmutableArray<IPNetwork> Withdrawn, ImmutableArray<RefusedRoute> Refused);

/// <summary>An announcement that is not accepted, and why.</summary>
internal sealed record RefusedRoute(IPNetwork Prefix, string Reason);
