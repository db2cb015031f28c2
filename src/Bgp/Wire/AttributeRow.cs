using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// How far an error in an UPDATE reaches (RFC 7606 2), smallest first: the worst one of an UPDATE decides.
internal enum AttributeFault
{
    None,

    // The attribute is forgotten, the routes stand.
    Discard,

    // The routes of the UPDATE count as withdrawn, the session stands.
    TreatAsWithdraw,

    // The session ends: it is no longer known what the neighbor meant.
    SessionReset,
}

[Flags]
internal enum AttributeFlags : byte
{
    None = 0,
    ExtendedLength = 0x10,
    Partial = 0x20,
    Transitive = 0x40,
    Optional = 0x80,

    // What an attribute's definition fixes (RFC 4271 4.3).
    Kind = Optional | Transitive,
}

// What reading and writing path attributes depends on, agreed in the OPENs.
internal readonly record struct UpdateContext(bool FourOctetAs, bool Ipv4Unicast, bool Ipv6Unicast)
{
    // RFC 8654: both sides offered it.
    public bool ExtendedMessages { get; init; }

    // The neighbor is in our own AS: attributes that only mean something within an AS are believed (RFC 7606 7.5, 7.9, 7.10).
    public bool InternalPeer { get; init; }

    // Of an UPDATE, in octets, with its header.
    public int MaxMessageLength => ExtendedMessages ? WireWriter.MaxExtendedMessageLength : WireWriter.MaxMessageLength;

    public bool Has(AfiSafi family) => family.Known switch
    {
        Routes.RouteFamily.Ipv4Unicast => Ipv4Unicast,
        Routes.RouteFamily.Ipv6Unicast => Ipv6Unicast,
        _ => false,
    };
}

// All there is to know about one path attribute. A new attribute is a new row of AttributeTable and nothing else.
internal sealed record AttributeRow
{
    // Reads the value into the set. False: malformed, with the consequence OnFault; the set is as before.
    public delegate bool Reader(ReadOnlySpan<byte> value, UpdateContext context, PathAttributes into);

    public required byte Code { get; init; }

    public required string Name { get; init; }

    public required AttributeFlags Flags { get; init; }

    public required Reader Read { get; init; }

    // What follows from a malformed value (RFC 7606 7).
    public required AttributeFault OnFault { get; init; }

    // What our NOTIFICATION says when OnFault is SessionReset.
    public NotificationCode ResetCode { get; init; } = NotificationCode.OptionalAttributeError;

    public required Func<PathAttributes, UpdateContext, bool> IsPresent { get; init; }

    public required Action<PathAttributes, UpdateContext, WireWriter> Write { get; init; }
}
