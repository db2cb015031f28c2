using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// The messages whose body is plain; OPEN and UPDATE have a codec each.
internal static class MessageCodec
{
    // One array and one value for every keepalive of every session.
    public static readonly ReadOnlyMemory<byte> Keepalive = MakeKeepalive();

    // What fits behind header, code and subcode.
    public const int MaxNotificationData = WireWriter.MaxMessageLength - WireWriter.HeaderLength - 2;

    public static NotificationMessage ReadNotification(ReadOnlySpan<byte> body) =>
        body.Length >= 2
            ? new NotificationMessage(new NotificationCode(body[0], body[1]), body[2..].ToArray())
            : throw new SessionFaultException(NotificationCode.BadMessageLength, "the NOTIFICATION is cut short");

    public static RouteRefreshMessage ReadRouteRefresh(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        return reader.TryUInt16(out var afi) && reader.TryByte(out _) && reader.TryByte(out var safi)
            ? new RouteRefreshMessage(new AfiSafi(afi, safi))
            : throw new SessionFaultException(NotificationCode.BadMessageLength, "the ROUTE-REFRESH is cut short");
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
        var writer = new WireWriter(WireWriter.HeaderLength + 4);
        writer.BeginMessage(BgpMessageType.RouteRefresh);
        writer.UInt16(refresh.Family.Afi);
        writer.Byte(0);
        writer.Byte(refresh.Family.Safi);
        writer.EndMessage();
        return writer.Finish();
    }

    private static ReadOnlyMemory<byte> MakeKeepalive()
    {
        var writer = new WireWriter(WireWriter.HeaderLength);
        writer.BeginMessage(BgpMessageType.Keepalive);
        writer.EndMessage();
        return writer.Finish();
    }
}
