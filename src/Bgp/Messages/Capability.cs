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

    // RFC 6793 3, code 65:   AS number (4)
    public sealed record FourOctetAs(uint As) : Capability;

    public sealed record Other(byte Code, ReadOnlyMemory<byte> Value) : Capability;
}

// "Routes of this family may have a next hop of that address family."
internal readonly record struct ExtendedNextHopEntry(ushort Afi, ushort Safi, ushort NextHopAfi)
{
    public static readonly ExtendedNextHopEntry Ipv4OverIpv6 = new(AfiSafi.Ipv4, AfiSafi.Unicast, AfiSafi.Ipv6);
}
