using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Bgp.Messages;

// The path attributes of one UPDATE, each at most once; null (or an empty list for those that say so) means absent. One attribute is
//
//  +-+-+-+-+-------+---------------+---------------+---------------+
//  |O|T|P|E|   0   |   Type code   | Length: 1 octet, or 2 if E    |  value ...
//  +-+-+-+-+-------+---------------+---------------+---------------+
//   O optional, T transitive, P partial, E extended length (RFC 4271 4.3)
//
// Settable, because the decoder fills it attribute by attribute; nobody keeps one that is still being filled.
internal sealed record PathAttributes
{
    public Origin? Origin { get; set; }

    // Null: absent. Empty: there and empty, as within an AS.
    public ImmutableArray<AsPathSegment>? AsPath { get; set; }

    public IPAddress? NextHop { get; set; }

    public uint? MultiExitDisc { get; set; }

    public uint? LocalPref { get; set; }

    public bool AtomicAggregate { get; set; }

    public Aggregator? Aggregator { get; set; }

    // Empty: absent (an empty attribute is malformed, RFC 7606 7.8).
    public ImmutableArray<Community> Communities { get; set; } = [];

    // A router id (RFC 4456 8).
    public uint? OriginatorId { get; set; }

    // Cluster ids, the last one that the route went through first (RFC 4456 8). Empty: absent.
    public ImmutableArray<uint> ClusterList { get; set; } = [];

    // Eight octets each (RFC 4360 2). Empty: absent.
    public ImmutableArray<ulong> ExtendedCommunities { get; set; } = [];

    // Empty: absent. In ascending order, none twice (LargeCommunity.Canonical).
    public ImmutableArray<LargeCommunity> LargeCommunities { get; set; } = [];

    // Empty: absent.
    public ImmutableArray<Ipv6ExtendedCommunity> Ipv6ExtendedCommunities { get; set; } = [];

    // The path in four octets beside a two-octet AS_PATH (RFC 6793).
    public ImmutableArray<AsPathSegment>? As4Path { get; set; }

    // Beside an AGGREGATOR of two octets (RFC 6793).
    public Aggregator? As4Aggregator { get; set; }

    public PmsiTunnel? PmsiTunnel { get; set; }

    // Empty: absent.
    public ImmutableArray<Tunnel> Tunnels { get; set; } = [];

    // As it came (RFC 5543 3): nothing here looks into it.
    public ReadOnlyMemory<byte>? TrafficEngineering { get; set; }

    // The accumulated metric (RFC 7311 3).
    public ulong? Aigp { get; set; }

    // The AS that has marked the route as one for its customers only (RFC 9234 5).
    public uint? OnlyToCustomer { get; set; }

    public AttributeSet? AttributeSet { get; set; }

    public MpReach? MpReach { get; set; }

    public MpUnreach? MpUnreach { get; set; }

    // Optional transitive attributes that we do not know, as they came.
    public ImmutableArray<OtherAttribute> Other { get; set; } = [];
}

// AS_PATH is a list of   segment type (1) | number of AS numbers (1) | AS numbers (2 or 4 octets each).
internal sealed record AsPathSegment(AsPathSegmentType Type, ImmutableArray<uint> AsNumbers);

internal enum AsPathSegmentType : byte
{
    Set = 1,
    Sequence = 2,
    ConfederationSequence = 3,
    ConfederationSet = 4,
}

// AGGREGATOR and AS4_AGGREGATOR (RFC 4271 5.1.7):   AS number (2 or 4) | router id (4)
internal readonly record struct Aggregator(uint As, uint RouterId);

// IPv6 address specific extended community (RFC 5701 2):   type (1) | subtype (1) | IPv6 address (16) | local administrator (2)
internal sealed record Ipv6ExtendedCommunity(byte Type, byte Subtype, IPAddress Global, ushort Local);

// PMSI_TUNNEL (RFC 6514 5):   flags (1) | tunnel type (1) | MPLS label (3) | tunnel identifier
internal sealed record PmsiTunnel(byte Flags, byte Type, uint Label, ReadOnlyMemory<byte> Identifier);

// TUNNEL_ENCAPSULATION (RFC 9012 2) is a list of   tunnel type (2) | length (2) | sub-TLVs
internal sealed record Tunnel(ushort Type, ImmutableArray<TunnelSubTlv> SubTlvs);

// type (1) | length: 1 octet for types up to 127, 2 above | value
internal sealed record TunnelSubTlv(byte Type, ReadOnlyMemory<byte> Value);

// ATTR_SET (RFC 6368 5), the attributes that a customer's route had before it crossed a provider:   origin AS (4) | path attributes
internal sealed record AttributeSet(uint OriginAs, PathAttributes Attributes);

// MP_REACH_NLRI (RFC 4760 3):   AFI (2) | SAFI (1) | next hop length (1) | next hop | reserved (1) | prefixes
// The next hop of IPv6, and of IPv4 by RFC 8950, has 16 octets (global) or 32 (global, link-local: RFC 2545 3).
internal sealed record MpReach(AfiSafi Family, IPAddress NextHop, IPAddress? LinkLocalNextHop, ImmutableArray<IPNetwork> Prefixes);

// MP_UNREACH_NLRI (RFC 4760 4):   AFI (2) | SAFI (1) | prefixes
internal sealed record MpUnreach(AfiSafi Family, ImmutableArray<IPNetwork> Prefixes);

internal sealed record OtherAttribute(byte Flags, byte Code, ReadOnlyMemory<byte> Value);
