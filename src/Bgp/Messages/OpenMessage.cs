using System.Collections.Immutable;

namespace FailoverHub.Bgp.Messages;

// OPEN (RFC 4271 4.2):
//
//  +---------------+-------------------------------+-------------------------------+
//  | Version  (1)  |   My Autonomous System (2)    |          Hold Time (2)        |
//  +---------------+-------------------------------+-------------------------------+
//  |                         BGP Identifier (4)                                    |
//  +---------------+---------------------------------------------------------------+
//  | Opt len  (1)  |   optional parameters: type (1) | length (1) | value ...
//  +---------------+-----------------------------------------------
//
// The fields are what the wire says, not what may stand there: whether it is acceptable is decided by OpenNegotiation, which can
// name the right NOTIFICATION for each.
internal sealed record OpenMessage : BgpMessage
{
    // Stands in the two-octet field for an AS number that does not fit (RFC 6793 9).
    public const ushort AsTrans = 23456;

    public override BgpMessageType Type => BgpMessageType.Open;

    public byte Version { get; init; } = 4;

    public required ushort MyAs { get; init; }

    public required ushort HoldTimeSeconds { get; init; }

    public required uint BgpIdentifier { get; init; }

    public ImmutableArray<Capability> Capabilities { get; init; } = [];
}
