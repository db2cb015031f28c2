namespace FailoverHub.Bgp.Messages;

// ROUTE-REFRESH (RFC 2918 3, RFC 7313 3.2): "send me that family again", and where it was agreed on, the marks around the answer.
//
//  +-------------------------------+---------------+---------------+
//  |             AFI               |    subtype    |     SAFI      |
//  +-------------------------------+---------------+---------------+
//
// The subtype was a reserved octet before RFC 7313: a neighbor that did not agree on it writes zero there, or anything.
internal sealed record RouteRefreshMessage(AfiSafi Family, RouteRefreshSubtype Subtype = RouteRefreshSubtype.Request) : BgpMessage
{
    public override BgpMessageType Type => BgpMessageType.RouteRefresh;
}

// Any other number is possible on the wire and is to be ignored (RFC 7313 5).
internal enum RouteRefreshSubtype : byte
{
    Request = 0,

    // BoRR: from here on comes everything again.
    Begin = 1,

    // EoRR: that was everything. What was not among it is gone.
    End = 2,
}
