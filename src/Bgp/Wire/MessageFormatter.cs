using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire.Attributes;

namespace FailoverHub.Bgp.Wire;

// Any message, right or wrong, as one line for whoever reads a trace. Bounded in length, free of control characters, and nothing is thrown: what cannot be
// read is said to be so, with its first octets.
internal static class MessageFormatter
{
    private const int ShownOctets = 32;

    // wholeMessage: with its header. context: what was agreed on when it was read or written; for messages before that, the default will do.
    public static string Describe(ReadOnlySpan<byte> wholeMessage, UpdateContext context)
    {
        if (wholeMessage.Length < WireWriter.HeaderLength)
        {
            return Unreadable("a message", wholeMessage, "its header is cut short");
        }

        return Describe((BgpMessageType)wholeMessage[WireWriter.HeaderLength - 1], wholeMessage[WireWriter.HeaderLength..], context);
    }

    public static string DescribeRefused(ReadOnlySpan<byte> header) => Unreadable("no message", header, "its header is wrong");

    // body: what stands behind the header.
    public static string Describe(BgpMessageType type, ReadOnlySpan<byte> body, UpdateContext context)
    {
        try
        {
            return type switch
            {
                BgpMessageType.Open => Describe(OpenCodec.Read(body)),
                BgpMessageType.Update => Describe(UpdateCodec.Read(body, context), body, context),
                BgpMessageType.Notification => Describe(MessageCodec.ReadNotification(body)),
                BgpMessageType.Keepalive when body.IsEmpty => "KEEPALIVE",
                BgpMessageType.RouteRefresh => Describe(MessageCodec.ReadRouteRefresh(body, context.EnhancedRouteRefresh)),
                _ => Unreadable(NameOf(type), body, "there is no such message"),
            };
        }
        catch (SessionFaultException fault)
        {
            return Unreadable(NameOf(type), body, $"{fault.Message} ({fault.Code})");
        }
    }

    public static string NameOf(BgpMessageType type) => type switch
    {
        BgpMessageType.Open => "OPEN",
        BgpMessageType.Update => "UPDATE",
        BgpMessageType.Notification => "NOTIFICATION",
        BgpMessageType.Keepalive => "KEEPALIVE",
        BgpMessageType.RouteRefresh => "ROUTE-REFRESH",
        _ => "message of type " + ((byte)type).ToString(CultureInfo.InvariantCulture),
    };

    private static string Describe(OpenMessage open) => string.Create(
        CultureInfo.InvariantCulture,
        $"OPEN version {open.Version}, AS {open.MyAs}, hold time {open.HoldTimeSeconds} s, id {AttributeText.OfRouterId(open.BgpIdentifier)}, "
        + $"capabilities: {(open.Capabilities.IsEmpty ? "none" : AttributeText.List(open.Capabilities, Describe, ", ", 32))}");

    private static string Describe(Capability capability) => capability switch
    {
        Capability.Multiprotocol multiprotocol => AttributeText.Of(multiprotocol.Family),
        Capability.RouteRefresh => "route refresh",
        Capability.ExtendedNextHop extended => "next hops of another family for " + AttributeText.List(
            extended.Entries,
            static entry => entry == ExtendedNextHopEntry.Ipv4OverIpv6
                ? "IPv4 over IPv6"
                : string.Create(CultureInfo.InvariantCulture, $"{entry.Afi}/{entry.Safi} over {entry.NextHopAfi}")),
        Capability.ExtendedMessage => "extended messages",
        Capability.GracefulRestart graceful => Describe(graceful),
        Capability.FourOctetAs fourOctetAs => $"four-octet AS {AttributeText.Of(fourOctetAs.As)}",
        Capability.EnhancedRouteRefresh => "enhanced route refresh",
        Capability.Other other => string.Create(CultureInfo.InvariantCulture, $"code {other.Code} {AttributeText.Octets(other.Value.Span)}"),
        _ => capability.ToString(),
    };

    private static string Describe(Capability.GracefulRestart graceful) => string.Create(
        CultureInfo.InvariantCulture,
        $"graceful restart {graceful.RestartTimeSeconds} s{(graceful.Restarted ? " restarted" : "")}{(graceful.Notification ? " notification" : "")}")
        + (graceful.Families.IsEmpty
            ? ""
            : " for " + AttributeText.List(graceful.Families, static one => AttributeText.Of(one.Family) + (one.ForwardingPreserved ? " kept" : "")));

    private static string Describe(DecodedUpdate update, ReadOnlySpan<byte> body, UpdateContext context)
    {
        if (update.EndOfRib is { } family)
        {
            return $"UPDATE End-of-RIB {AttributeText.Of(AfiSafi.Of(family))}";
        }

        var message = update.Message;
        var parts = new List<string>();
        if (!message.Announced.IsEmpty)
        {
            parts.Add("announces " + AttributeText.Of(message.Announced));
        }

        if (!message.Withdrawn.IsEmpty)
        {
            parts.Add("withdraws " + AttributeText.Of(message.Withdrawn));
        }

        var attributes = AttributeText.Of(message.Attributes, context);
        if (attributes.Length > 0)
        {
            parts.Add(attributes);
        }

        if (update.Worst != AttributeFault.None)
        {
            parts.Add((update.Worst == AttributeFault.TreatAsWithdraw ? "counts as withdrawal: " : "but ") + update.Problem);
        }

        if (parts.Count == 0)
        {
            parts.Add("of nothing that was agreed on");
        }

        var hidden = NotShown(body, message.Attributes, context);
        if (!hidden.IsEmpty)
        {
            parts.Add("attributes not shown: " + AttributeText.List(hidden, static code => AttributeTable.Find(code)?.Name ?? code.ToString(CultureInfo.InvariantCulture), ", "));
        }

        return "UPDATE " + string.Join("; ", parts);
    }

    // On the wire and not in the text: what nobody here knows and need not be passed on, what means nothing on this session, what was malformed, the second of two.
    private static ImmutableArray<byte> NotShown(ReadOnlySpan<byte> body, PathAttributes attributes, UpdateContext context)
    {
        var shown = AttributeTable.Rows.Where(row => row.IsPresent(attributes, context)).Select(row => row.Code).Concat(attributes.Other.Select(other => other.Code)).ToList();
        var hidden = ImmutableArray.CreateBuilder<byte>();
        var reader = new WireReader(body);
        if (reader.TryUInt16(out var withdrawn) && reader.TryBytes(withdrawn, out _) && reader.TryUInt16(out var length) && reader.TryBytes(length, out var list))
        {
            var rest = new WireReader(list);
            while (rest.Remaining > 0 && AttributeListCodec.TryHeader(ref rest, out _, out var code, out _))
            {
                if (!shown.Remove(code))
                {
                    hidden.Add(code);
                }
            }
        }

        return hidden.DrainToImmutable();
    }

    private static string Describe(NotificationMessage notification)
    {
        var meaning = notification.Meaning;
        var hard = ReferenceEquals(meaning, notification) ? "" : "Cease/Hard Reset: ";
        var text = meaning.Code == NotificationCode.AdministrativeShutdown || meaning.Code == NotificationCode.AdministrativeReset
            ? ShutdownText.Read(meaning.Data.Span)
            : null;
        var data = meaning.Data.IsEmpty ? "" : text is null ? ", data " + AttributeText.Octets(meaning.Data.Span) : $" \"{text}\"";
        return string.Create(CultureInfo.InvariantCulture, $"NOTIFICATION {hard}{meaning.Code} ({meaning.Code.Code}/{meaning.Code.Subcode}){data}");
    }

    private static string Describe(RouteRefreshMessage refresh)
    {
        var subtype = refresh.Subtype switch
        {
            RouteRefreshSubtype.Request => "",
            RouteRefreshSubtype.Begin => "begins ",
            RouteRefreshSubtype.End => "ends ",
            _ => string.Create(CultureInfo.InvariantCulture, $"of subtype {(byte)refresh.Subtype} "),
        };
        return $"ROUTE-REFRESH {subtype}{AttributeText.Of(refresh.Family)}";
    }

    private static string Unreadable(string what, ReadOnlySpan<byte> octets, string why) => string.Create(
        CultureInfo.InvariantCulture,
        $"{what}, cannot be read: {why}; {octets.Length} octets{(octets.IsEmpty ? "" : ": " + Convert.ToHexStringLower(octets[..Math.Min(octets.Length, ShownOctets)]))}");
}
