using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Tests.Wire;

// A message as one line that says everything it holds: two messages are equal when their lines are, and a difference can be read.
internal static class MessageText
{
    public static string Of(BgpMessage message) => message switch
    {
        OpenMessage open => $"OPEN v{open.Version} as={open.MyAs} hold={open.HoldTimeSeconds} id={open.BgpIdentifier:x8} [{string.Join(' ', open.Capabilities.Select(Capability))}]",
        UpdateMessage update => $"UPDATE -[{Prefixes(update.Withdrawn)}] {Attributes(update.Attributes)} +[{Prefixes(update.Announced)}]",
        NotificationMessage notification => $"NOTIFICATION {notification.Code.Code}/{notification.Code.Subcode} {Convert.ToHexString(notification.Data.Span)}",
        RouteRefreshMessage refresh => $"REFRESH {refresh.Family} {refresh.Subtype}",
        _ => message.Type.ToString(),
    };

    private static string Capability(Capability capability) => capability switch
    {
        Capability.Multiprotocol multiprotocol => $"mp:{multiprotocol.Family.Afi}/{multiprotocol.Family.Safi}",
        Capability.ExtendedNextHop extended => $"enh:{string.Join(',', extended.Entries.Select(entry => $"{entry.Afi}/{entry.Safi}/{entry.NextHopAfi}"))}",
        Messages.Capability.ExtendedMessage => "extended",
        Messages.Capability.EnhancedRouteRefresh => "enhanced",
        Capability.GracefulRestart graceful => $"restart:{graceful.Restarted}/{graceful.Notification}/{graceful.RestartTimeSeconds}[{string.Join(',', graceful.Families)}]",
        Capability.FourOctetAs four => $"as4:{four.As}",
        Capability.Other other => $"{other.Code}:{Convert.ToHexString(other.Value.Span)}",
        _ => "refresh",
    };

    private static string Attributes(PathAttributes a) => string.Join(' ', new[]
    {
        $"origin={a.Origin}",
        $"path={Path(a.AsPath)}",
        $"nexthop={a.NextHop}",
        $"med={a.MultiExitDisc}",
        $"localpref={a.LocalPref}",
        $"atomic={a.AtomicAggregate}",
        $"communities={string.Join(',', a.Communities)}",
        $"large={string.Join(',', a.LargeCommunities)}",
        $"as4path={Path(a.As4Path)}",
        $"aggregator={a.Aggregator}/{a.As4Aggregator}",
        $"reflected={a.OriginatorId}:{string.Join(',', a.ClusterList)}",
        $"extended={string.Join(',', a.ExtendedCommunities)}/{string.Join(',', a.Ipv6ExtendedCommunities)}",
        $"pmsi={a.PmsiTunnel?.Flags},{a.PmsiTunnel?.Type},{a.PmsiTunnel?.Label},{Convert.ToHexString((a.PmsiTunnel?.Identifier ?? default).Span)}",
        $"tunnels={string.Join(' ', a.Tunnels.Select(tunnel => tunnel.Type + "(" + string.Join(',', tunnel.SubTlvs.Select(one => one.Type + ":" + Convert.ToHexString(one.Value.Span))) + ")"))}",
        $"te={(a.TrafficEngineering is { } te ? Convert.ToHexString(te.Span) : "none")} aigp={a.Aigp} otc={a.OnlyToCustomer}",
        a.AttributeSet is { } set ? $"set={set.OriginAs}({Attributes(set.Attributes)})" : "",
        a.MpReach is { } reach ? $"reach={reach.Family}:{reach.NextHop}:{reach.LinkLocalNextHop}[{Prefixes(reach.Prefixes)}]" : "",
        a.MpUnreach is { } unreach ? $"unreach={unreach.Family}[{Prefixes(unreach.Prefixes)}]" : "",
        string.Join(' ', a.Other.Select(other => $"{other.Code}({other.Flags & 0xe0:x2}):{Convert.ToHexString(other.Value.Span)}")),
    });

    private static string Path(ImmutableArray<AsPathSegment>? path) =>
        path is null ? "none" : string.Join(' ', path.Value.Select(segment => $"{segment.Type}({string.Join(',', segment.AsNumbers)})"));

    private static string Prefixes(ImmutableArray<IPNetwork> prefixes) => string.Join(',', prefixes);
}
