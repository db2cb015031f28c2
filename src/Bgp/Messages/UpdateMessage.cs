using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Bgp.Messages;

// UPDATE (RFC 4271 4.3):
//
//  +-------------------------------------------+
//  | Withdrawn Routes Length (2)               |
//  | Withdrawn Routes (IPv4 unicast)           |
//  | Total Path Attribute Length (2)           |
//  | Path Attributes                           |
//  | NLRI (IPv4 unicast), to the end           |
//  +-------------------------------------------+
//
// A prefix is   length in bits (1) | as many octets as that needs.
// Other families, and IPv4 with an IPv6 next hop, are inside of the attributes MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760).
internal sealed record UpdateMessage : BgpMessage
{
    public override BgpMessageType Type => BgpMessageType.Update;

    public ImmutableArray<IPNetwork> Withdrawn { get; init; } = [];

    public PathAttributes Attributes { get; init; } = new();

    public ImmutableArray<IPNetwork> Announced { get; init; } = [];
}
