using System.Collections.Immutable;

namespace FailoverHub.Bgp.Messages;

// One capability of an OPEN (RFC 5492 4):
//
//  +---------------+---------------+-------------------------------+
//  |     Code      |    Length     |   value (Length octets) ...
//  +---------------+---------------+-------------------------------+
//
// A closed family. What we do not know is kept as it came: it is no error, and diagnostics can show it.
internal abstract record Capability
{
    private Capability()
    {
    }

    // RFC 4760 8, code 1:   AFI (2) | reserved (1) | SAFI (1)
    public sealed record Multiprotocol(AfiSafi Family) : Capability;

    // RFC 2918 2, code 2, empty.
    public sealed record RouteRefresh : Capability
    {
        public static readonly RouteRefresh Instance = new();

        private RouteRefresh()
        {
        }
    }

    // RFC 8950 4, code 5: any number of   NLRI AFI (2) | NLRI SAFI (2!) | next hop AFI (2)
    public sealed record ExtendedNextHop(ImmutableArray<ExtendedNextHopEntry> Entries) : Capability;

    // RFC 8654 3, code 6, empty: "I can read messages of up to 65535 octets."
    public sealed record ExtendedMessage : Capability
    {
        public static readonly ExtendedMessage Instance = new();

        private ExtendedMessage()
        {
        }
    }

    // RFC 4724 3, RFC 8538 2, code 64:   R (1 bit) | N (1 bit) | reserved (2 bits) | restart time in seconds (12 bits), then for each family
    // AFI (2) | SAFI (1) | F (1 bit), reserved (7 bits)
    //   R: has restarted.  N: ends a session with a NOTIFICATION gracefully, and knows Hard Reset.  F: has kept the family's forwarding state.
    // Without families: "I send End-of-RIB and can help you to restart." Of several the last one counts (RFC 4724 3).
    public sealed record GracefulRestart(bool Restarted, bool Notification, ushort RestartTimeSeconds, ImmutableArray<GracefulRestartFamily> Families) : Capability
    {
        public const ushort MaxRestartTimeSeconds = 0xfff;
    }

    // RFC 6793 3, code 65:   AS number (4)
    public sealed record FourOctetAs(uint As) : Capability;

    // RFC 7313 3.1, code 70, empty: "I mark where a refresh begins and ends."
    public sealed record EnhancedRouteRefresh : Capability
    {
        public static readonly EnhancedRouteRefresh Instance = new();

        private EnhancedRouteRefresh()
        {
        }
    }

    public sealed record Other(byte Code, ReadOnlyMemory<byte> Value) : Capability;
}

// "Routes of this family may have a next hop of that address family."
internal readonly record struct ExtendedNextHopEntry(ushort Afi, ushort Safi, ushort NextHopAfi)
{
    public static readonly ExtendedNextHopEntry Ipv4OverIpv6 = new(AfiSafi.Ipv4, AfiSafi.Unicast, AfiSafi.Ipv6);
}

internal readonly record struct GracefulRestartFamily(AfiSafi Family, bool ForwardingPreserved);
