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

    // Empty: absent (an empty attribute is malformed, RFC 7606 7.8).
    public ImmutableArray<Community> Communities { get; set; } = [];

    // Empty: absent. In ascending order, none twice (LargeCommunity.Canonical).
    public ImmutableArray<LargeCommunity> LargeCommunities { get; set; } = [];

    // The path in four octets beside a two-octet AS_PATH (RFC 6793).
    public ImmutableArray<AsPathSegment>? As4Path { get; set; }

    public MpReach? MpReach { get; set; }

    public MpUnreach? MpUnreach { get; set; }

    // Optional transitive attributes that we do not interpret, as they came.
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

// MP_REACH_NLRI (RFC 4760 3):   AFI (2) | SAFI (1) | next hop length (1) | next hop | reserved (1) | prefixes
// The next hop of IPv6, and of IPv4 by RFC 8950, has 16 octets (global) or 32 (global, link-local: RFC 2545 3).
internal sealed record MpReach(AfiSafi Family, IPAddress NextHop, IPAddress? LinkLocalNextHop, ImmutableArray<IPNetwork> Prefixes);

// MP_UNREACH_NLRI (RFC 4760 4):   AFI (2) | SAFI (1) | prefixes
internal sealed record MpUnreach(AfiSafi Family, ImmutableArray<IPNetwork> Prefixes);

internal sealed record OtherAttribute(byte Flags, byte Code, ReadOnlyMemory<byte> Value);
