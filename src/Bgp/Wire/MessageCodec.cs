using System.Buffers.Binary;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Wire;

// The messages whose body is plain; OPEN and UPDATE have a codec each.
internal static class MessageCodec
{
    // One array and one value for every keepalive of every session.
    public static readonly ReadOnlyMemory<byte> Keepalive = MakeKeepalive();

    private const int RouteRefreshBody = 4;
    private const int SubtypeOffset = 2;

    // What fits behind header, code and subcode.
    // Also where extended messages were agreed on: nothing that we have to say needs more, and a neighbor in trouble may not be able to read it.
    public const int MaxNotificationData = WireWriter.MaxMessageLength - WireWriter.HeaderLength - 2;

    public static NotificationMessage ReadNotification(ReadOnlySpan<byte> body) =>
        body.Length >= 2
            ? new NotificationMessage(new NotificationCode(body[0], body[1]), body[2..].ToArray())
            : throw new SessionFaultException(NotificationCode.BadMessageLength, "the NOTIFICATION is cut short");

    // enhanced: RFC 7313 was agreed on. Else its octet means nothing, and every message is a request.
    public static RouteRefreshMessage ReadRouteRefresh(ReadOnlySpan<byte> body, bool enhanced = false)
    {
        var reader = new WireReader(body);
        if (body.Length == RouteRefreshBody && reader.TryUInt16(out var afi) && reader.TryByte(out var subtype) && reader.TryByte(out var safi))
        {
            return new RouteRefreshMessage(new AfiSafi(afi, safi), enhanced ? (RouteRefreshSubtype)subtype : RouteRefreshSubtype.Request);
        }

        if (enhanced && body.Length > SubtypeOffset && (RouteRefreshSubtype)body[SubtypeOffset] > RouteRefreshSubtype.End)
        {
            // RFC 7313 5: ignored, and what is not known may have any length.
            return new RouteRefreshMessage(new AfiSafi(BinaryPrimitives.ReadUInt16BigEndian(body), body.Length > SubtypeOffset + 1 ? body[SubtypeOffset + 1] : (byte)0), (RouteRefreshSubtype)body[SubtypeOffset]);
        }

        var text = $"a ROUTE-REFRESH of {WireWriter.HeaderLength + body.Length} octets cannot be one";
        var header = Header(BgpMessageType.RouteRefresh, body.Length);
        // RFC 7313 5 speaks of the subtypes 1 and 2 only. A message too short to have one cannot be told from those.
        throw enhanced && (body.Length <= SubtypeOffset || (RouteRefreshSubtype)body[SubtypeOffset] is RouteRefreshSubtype.Begin or RouteRefreshSubtype.End)
            ? new SessionFaultException(NotificationCode.InvalidRefreshLength, text, [.. header, .. body])
            : new SessionFaultException(NotificationCode.BadMessageLength, text, header.AsSpan(16, 2));
    }

    public static ReadOnlyMemory<byte> Write(OpenMessage open)
    {
        var writer = new WireWriter();
        OpenCodec.Write(writer, open);
        return writer.Finish();
    }

    // Data past what fits is cut: a goodbye that says less is better than none.
    public static ReadOnlyMemory<byte> Write(NotificationMessage notification)
    {
        var data = notification.Data.Span;
        var writer = new WireWriter(WireWriter.HeaderLength + 2 + Math.Min(data.Length, MaxNotificationData));
        writer.BeginMessage(BgpMessageType.Notification);
        writer.Byte(notification.Code.Code);
        writer.Byte(notification.Code.Subcode);
        writer.Bytes(data[..Math.Min(data.Length, MaxNotificationData)]);
        writer.EndMessage();
        return writer.Finish();
    }

    public static ReadOnlyMemory<byte> Write(RouteRefreshMessage refresh)
    {
        var writer = new WireWriter(WireWriter.HeaderLength + RouteRefreshBody);
        writer.BeginMessage(BgpMessageType.RouteRefresh);
        writer.UInt16(refresh.Family.Afi);
        writer.Byte((byte)refresh.Subtype);
        writer.Byte(refresh.Family.Safi);
        writer.EndMessage();
        return writer.Finish();
    }

    // "That was everything that I have to announce" (RFC 4724 2): an UPDATE that says nothing, for IPv6 in its own attribute.
    public static ReadOnlyMemory<byte> EndOfRib(RouteFamily family)
    {
        var attributes = family == RouteFamily.Ipv4Unicast ? new PathAttributes() : new PathAttributes { MpUnreach = new MpUnreach(AfiSafi.Of(family), []) };
        var writer = new WireWriter(WireWriter.HeaderLength + 11);
        UpdateCodec.Write(writer, new UpdateMessage { Attributes = attributes }, default);
        return writer.Finish();
    }

    private static byte[] Header(BgpMessageType type, int bodyLength)
    {
        var header = new byte[WireWriter.HeaderLength];
        header.AsSpan(0, 16).Fill(0xff);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(16), (ushort)(WireWriter.HeaderLength + bodyLength));
        header[18] = (byte)type;
        return header;
    }

    private static ReadOnlyMemory<byte> MakeKeepalive()
    {
        var writer = new WireWriter(WireWriter.HeaderLength);
        writer.BeginMessage(BgpMessageType.Keepalive);
        writer.EndMessage();
        return writer.Finish();
    }
}
