namespace FailoverHub.Bgp.Messages;

// ROUTE-REFRESH (RFC 2918 3): "send me that family again".
//
//  +-------------------------------+---------------+---------------+
//  |             AFI               |   reserved    |     SAFI      |
//  +-------------------------------+---------------+---------------+
//
// The reserved octet is written as zero and not looked at (RFC 7313 gives it a meaning only where that was negotiated).
internal sealed record RouteRefreshMessage(AfiSafi Family) : BgpMessage
{
    public override BgpMessageType Type => BgpMessageType.RouteRefresh;
}
