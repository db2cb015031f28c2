using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Wire;

// How far an error in an UPDATE reaches (RFC 7606 2), smallest first: the worst one of an UPDATE decides (RFC 7606 3 h).
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

// What reading and writing messages depends on, agreed in the OPENs.
internal readonly record struct UpdateContext(bool FourOctetAs, bool Ipv4Unicast, bool Ipv6Unicast)
{
    // RFC 8654: both sides offered it.
    public bool ExtendedMessages { get; init; }

    // RFC 7313: both sides offered it, and a ROUTE-REFRESH has a subtype.
    public bool EnhancedRouteRefresh { get; init; }

    // The neighbor is in our own AS: attributes that only mean something within an AS are believed (RFC 7606 7.5, 7.9, 7.10).
    public bool InternalPeer { get; init; }

    // Of an UPDATE, in octets, with its header.
    public int MaxMessageLength => ExtendedMessages ? WireWriter.MaxExtendedMessageLength : WireWriter.MaxMessageLength;

    public bool Has(AfiSafi family) => family.Known switch
    {
        RouteFamily.Ipv4Unicast => Ipv4Unicast,
        RouteFamily.Ipv6Unicast => Ipv6Unicast,
        _ => false,
    };
}
