using System.Buffers.Binary;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>Messages as a neighbor puts them on the wire, by hand, so that nothing of ours checks itself.</summary>
internal static class Octets
{
    public const byte OpenType = 1;
    public const byte UpdateType = 2;
    public const byte NotificationType = 3;
    public const byte KeepaliveType = 4;
    public const byte RouteRefreshType = 5;

    /// <summary>IPv4 unicast, route refresh, AS 65000 in four octets.</summary>
    public static readonly byte[] Capabilities = [1, 4, 0, 1, 0, 1, 2, 0, 65, 4, 0, 0, 0xfd, 0xe8];

    public static readonly byte[] Keepalive = Message(KeepaliveType);

    public static byte[] Message(byte type, params byte[] body)
    {
        var message = Header(type, 19 + body.Length).Concat(body).ToArray();
        return message;
    }

    /// <summary>A header that may say anything of its length.</summary>
    public static byte[] Header(byte type, int length)
    {
        var header = new byte[19];
        header.AsSpan(0, 16).Fill(0xff);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(16), (ushort)length);
        header[18] = type;
        return header;
    }

    public static byte[] Open(ushort asNumber = 65000, ushort holdTime = 9, byte version = 4, uint routerId = 0xc0000201, byte[]? capabilities = null)
    {
        capabilities ??= Capabilities;
        var parameters = capabilities.Length == 0 ? [] : Parameter(2, capabilities);
        return OpenWith(asNumber, holdTime, version, routerId, parameters);
    }

    /// <summary>An OPEN with optional parameters of any kind.</summary>
    public static byte[] OpenWith(ushort asNumber, ushort holdTime, byte version, uint routerId, byte[] parameters)
    {
        var body = new byte[10];
        body[0] = version;
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(1), asNumber);
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(3), holdTime);
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(5), routerId);
        body[9] = (byte)parameters.Length;
        return Message(OpenType, [.. body, .. parameters]);
    }

    public static byte[] Parameter(byte type, byte[] value) => [type, (byte)value.Length, .. value];

    public static byte[] Notification(byte code, byte subcode, params byte[] data) => Message(NotificationType, [code, subcode, .. data]);

    public static byte[] RouteRefresh(ushort afi, byte safi) => Message(RouteRefreshType, (byte)(afi >> 8), (byte)afi, 0, safi);

    /// <summary>An UPDATE that announces so many IPv4 prefixes of length 24, from a number on.</summary>
    public static byte[] Announce(int from, int count)
    {
        byte[] attributes =
        [
            0x40, 1, 1, 0,
            0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe8,
            0x40, 3, 4, 192, 0, 2, 1,
        ];
        var prefixes = new byte[4 * count];
        for (var index = 0; index < count; index++)
        {
            var number = from + index;
            BinaryPrimitives.WriteUInt32BigEndian(prefixes.AsSpan(4 * index), 0x18000000u | (0x010000u + (uint)number));
        }

        return Message(UpdateType, [0, 0, 0, (byte)attributes.Length, .. attributes, .. prefixes]);
    }
}
