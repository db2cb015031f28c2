using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session;

// Makes our OPEN and judges the neighbor's: what both add up to, or the NOTIFICATION that says why not (RFC 4271 6.2).
internal static class OpenNegotiation
{
    private const byte Version = 4;

    // Without capabilities only towards a neighbor that refused the parameter (RFC 5492 3).
    public static OpenMessage OurOpen(SessionOptions options, bool withCapabilities) => new()
    {
        MyAs = options.LocalAs > ushort.MaxValue ? OpenMessage.AsTrans : (ushort)options.LocalAs,
        HoldTimeSeconds = options.HoldTime.Seconds,
        BgpIdentifier = options.RouterId.Value,
        Capabilities = withCapabilities ? OurCapabilities(options) : [],
    };

    private static ImmutableArray<Capability> OurCapabilities(SessionOptions options)
    {
        var capabilities = ImmutableArray.CreateBuilder<Capability>();
        foreach (var family in options.Families)
        {
            capabilities.Add(new Capability.Multiprotocol(AfiSafi.Of(family)));
        }

        capabilities.Add(Capability.RouteRefresh.Instance);
        if (options.Families.Contains(RouteFamily.Ipv4Unicast))
        {
            // Offered on IPv4 sessions too, where it is not needed: what we can do does not depend on the connection.
            capabilities.Add(new Capability.ExtendedNextHop([ExtendedNextHopEntry.Ipv4OverIpv6]));
        }

        capabilities.Add(new Capability.FourOctetAs(options.LocalAs));
        AddOptional(capabilities, options);
        return capabilities.DrainToImmutable();
    }

    // Behind all others, so that an OPEN without them is a beginning of one with them.
    private static void AddOptional(ImmutableArray<Capability>.Builder capabilities, SessionOptions options)
    {
        if (options.ExtendedMessages)
        {
            capabilities.Add(Capability.ExtendedMessage.Instance);
        }

        if (options.GracefulRestartHelper)
        {
            // Without families: nothing of ours is to be kept when we are gone (RFC 4724 3, then the restart time means nothing). Our routes must move on.
            capabilities.Add(new Capability.GracefulRestart(Restarted: false, Notification: true, RestartTimeSeconds: 0, []));
        }

        if (options.EnhancedRouteRefresh)
        {
            capabilities.Add(Capability.EnhancedRouteRefresh.Instance);
        }
    }

    // What counts is what we *sent*, not what we are configured for: hence our own OPEN as an argument.
    public static NegotiatedParameters Negotiate(SessionOptions options, OpenMessage ours, OpenMessage theirs)
    {
        if (theirs.Version != Version)
        {
            throw new SessionFaultException(NotificationCode.UnsupportedVersion, $"the neighbor speaks BGP version {theirs.Version}", [0, Version]);
        }

        var theirFourOctetAs = theirs.Capabilities.OfType<Capability.FourOctetAs>().LastOrDefault();
        var peerAs = theirFourOctetAs?.As ?? theirs.MyAs;
        if (peerAs != options.PeerAs || peerAs == 0)
        {
            throw new SessionFaultException(NotificationCode.BadPeerAs, $"the neighbor is in AS {peerAs} and should be in AS {options.PeerAs}");
        }

        // RFC 7607 2: zero is nobody's. Beside the capability the short field holds the same number or AS_TRANS (RFC 6793 4.1); FRR refuses anything else too.
        if (theirs.MyAs == 0 || (theirs.MyAs != OpenMessage.AsTrans && theirs.MyAs != peerAs))
        {
            throw new SessionFaultException(NotificationCode.BadPeerAs, $"the neighbor says AS {theirs.MyAs} in its OPEN and AS {peerAs} in the capability");
        }

        // RFC 6286 2.1: between two ASes both may have the same identifier, within one AS not.
        if (theirs.BgpIdentifier == 0 || (options.PeerAs == options.LocalAs && theirs.BgpIdentifier == options.RouterId.Value))
        {
            throw new SessionFaultException(
                NotificationCode.BadBgpIdentifier, theirs.BgpIdentifier == 0 ? "the neighbor's router id is zero" : "the neighbor has our own router id");
        }

        if (!HoldTime.IsAcceptable(theirs.HoldTimeSeconds))
        {
            throw new SessionFaultException(NotificationCode.UnacceptableHoldTime, $"the neighbor wants a hold time of {theirs.HoldTimeSeconds} s");
        }

        // RFC 4271 4.2: one MAY refuse a connection for its hold time. Without one, a neighbor that has died would never be noticed, and whoever
        // dials asked for better. The side that is dialled takes what it is offered.
        if (theirs.HoldTimeSeconds == 0 && !options.HoldTime.IsZero && !options.Passive)
        {
            throw new SessionFaultException(NotificationCode.UnacceptableHoldTime, "the neighbor wants no hold time, its death would never be noticed");
        }

        var families = Families(ours);
        var common = families.Where(Families(theirs).Contains).ToImmutableArray();
        if (common.IsEmpty)
        {
            // RFC 5492 5: the data names the capabilities that we miss.
            throw new SessionFaultException(NotificationCode.UnsupportedCapability, "the neighbor offers none of our address families", Multiprotocol(families));
        }

        // RFC 4724 3: of several the last one counts.
        var ourRestart = ours.Capabilities.OfType<Capability.GracefulRestart>().LastOrDefault();
        var theirRestart = ourRestart is null ? null : theirs.Capabilities.OfType<Capability.GracefulRestart>().LastOrDefault();
        return new NegotiatedParameters
        {
            PeerRouterId = new RouterId(theirs.BgpIdentifier),
            PeerAs = peerAs,
            HoldTime = HoldTime.Negotiate(options.HoldTime, new HoldTime(theirs.HoldTimeSeconds)),
            FourOctetAs = theirFourOctetAs is not null && ours.Capabilities.OfType<Capability.FourOctetAs>().Any(),
            Families = common,
            Ipv4WithIpv6NextHop = common.Contains(RouteFamily.Ipv4Unicast) && HasExtendedNextHop(ours) && HasExtendedNextHop(theirs),
            RouteRefresh = theirs.Capabilities.OfType<Capability.RouteRefresh>().Any(),
            ExtendedMessages = Both<Capability.ExtendedMessage>(ours, theirs),
            EnhancedRouteRefresh = Both<Capability.EnhancedRouteRefresh>(ours, theirs),
            GracefulRestart = theirRestart is not null,
            GracefulNotification = ourRestart is { Notification: true } && theirRestart is { Notification: true },
            PeerRestarted = theirRestart is { Restarted: true },
            PeerRestartTime = TimeSpan.FromSeconds(theirRestart?.RestartTimeSeconds ?? 0),
        };
    }

    private static bool Both<T>(OpenMessage ours, OpenMessage theirs)
        where T : Capability => ours.Capabilities.OfType<T>().Any() && theirs.Capabilities.OfType<T>().Any();

    // RFC 4760 8: a speaker that says nothing of families means IPv4 unicast.
    private static List<RouteFamily> Families(OpenMessage open)
    {
        var multiprotocol = open.Capabilities.OfType<Capability.Multiprotocol>().ToList();
        return multiprotocol.Count == 0
            ? [RouteFamily.Ipv4Unicast]
            : multiprotocol.Select(capability => capability.Family.Known).OfType<RouteFamily>().Distinct().ToList();
    }

    private static bool HasExtendedNextHop(OpenMessage open) =>
        open.Capabilities.OfType<Capability.ExtendedNextHop>().Any(capability => capability.Entries.Contains(ExtendedNextHopEntry.Ipv4OverIpv6));

    private static ReadOnlySpan<byte> Multiprotocol(List<RouteFamily> families)
    {
        var writer = new WireWriter(6 * families.Count);
        foreach (var family in families)
        {
            CapabilityCodec.Write(writer, new Capability.Multiprotocol(AfiSafi.Of(family)));
        }

        return writer.Finish().Span;
    }
}
