using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire;

// Whole messages to bytes and back, whatever their type.
internal static class Codec
{
    public static readonly UpdateContext FourOctets = new(FourOctetAs: true, Ipv4Unicast: true, Ipv6Unicast: true);

    public static readonly UpdateContext Extended = FourOctets with { ExtendedMessages = true };

    // A neighbor in our own AS.
    public static readonly UpdateContext Internal = FourOctets with { InternalPeer = true };

    public static readonly UpdateContext TwoOctets = FourOctets with { FourOctetAs = false };

    public static byte[] Encode(BgpMessage message, UpdateContext? context = null)
    {
        switch (message)
        {
            case OpenMessage open:
                return MessageCodec.Write(open).ToArray();
            case NotificationMessage notification:
                return MessageCodec.Write(notification).ToArray();
            case RouteRefreshMessage refresh:
                return MessageCodec.Write(refresh).ToArray();
            case KeepaliveMessage:
                return MessageCodec.Keepalive.ToArray();
            case UpdateMessage update:
                var writer = new WireWriter();
                UpdateCodec.Write(writer, update, context ?? Internal);
                return writer.Finish().ToArray();
            default:
                throw new ArgumentOutOfRangeException(nameof(message));
        }
    }

    // Every message in the bytes, and what was wrong with UPDATEs.
    public static List<(BgpMessage Message, AttributeFault Fault)> DecodeAll(ReadOnlySpan<byte> bytes, UpdateContext? context = null)
    {
        var framer = new MessageFramer { ExtendedMessages = (context ?? Internal).ExtendedMessages, EnhancedRouteRefresh = true };
        var messages = new List<(BgpMessage, AttributeFault)>();
        while (framer.TryNext(ref bytes, out var type, out var body))
        {
            messages.Add(DecodeBody(type, body, context ?? Internal));
        }

        return messages;
    }

    public static (BgpMessage Message, AttributeFault Fault) DecodeBody(BgpMessageType type, ReadOnlySpan<byte> body, UpdateContext context)
    {
        switch (type)
        {
            case BgpMessageType.Open:
                return (OpenCodec.Read(body), AttributeFault.None);
            case BgpMessageType.Notification:
                return (MessageCodec.ReadNotification(body), AttributeFault.None);
            case BgpMessageType.RouteRefresh:
                return (MessageCodec.ReadRouteRefresh(body, enhanced: true), AttributeFault.None);
            case BgpMessageType.Update:
                var update = UpdateCodec.Read(body, context);
                return (update.Message, update.Worst);
            default:
                return (KeepaliveMessage.Instance, AttributeFault.None);
        }
    }

    public static BgpMessage Decode(ReadOnlySpan<byte> bytes, UpdateContext? context = null)
    {
        var (message, fault) = Assert.Single(DecodeAll(bytes, context));
        Assert.Equal(AttributeFault.None, fault);
        return message;
    }

    public static ImmutableArray<byte> Hex(string hex) => [.. Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))];
}
