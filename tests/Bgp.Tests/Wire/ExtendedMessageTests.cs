using System.Buffers.Binary;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Tests.Session;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire;

// RFC 8654: which messages may be longer than 4096 octets, and when.
public sealed class ExtendedMessageTests
{
    [Theory]
    [InlineData(2, 4097)]
    [InlineData(2, 65535)]
    [InlineData(3, 65535)]
    public void LongUpdateOrNotification_IsReadOnlyWhereAgreedOn(byte type, int length)
    {
        var bytes = Message(type, length);

        Assert.Equal(length - WireWriter.HeaderLength, BodyLength(new MessageFramer { ExtendedMessages = true }, bytes));
        var fault = Assert.Throws<SessionFaultException>(() => BodyLength(new MessageFramer(), bytes));
        Assert.Equal(NotificationCode.BadMessageLength, fault.Code);
        Assert.Equal(bytes[16..18], fault.NotificationData.ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void LongOpenOrKeepalive_IsNeverRead(byte type)
    {
        var fault = Assert.Throws<SessionFaultException>(() => BodyLength(new MessageFramer { ExtendedMessages = true }, Message(type, 4097)));

        Assert.Equal(NotificationCode.BadMessageLength, fault.Code);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(4096)]
    [InlineData(65534)]
    public void LongMessage_ArrivingInPieces_IsPutTogether(int piece)
    {
        var bytes = Message(2, 65535);
        var framer = new MessageFramer { ExtendedMessages = true };
        var read = 0;
        for (var at = 0; at < bytes.Length; at += piece)
        {
            ReadOnlySpan<byte> input = bytes.AsSpan(at, Math.Min(piece, bytes.Length - at));
            while (framer.TryNext(ref input, out _, out var body))
            {
                Assert.Equal(Convert.ToHexString(bytes.AsSpan(WireWriter.HeaderLength)), Convert.ToHexString(body));
                read++;
            }
        }

        Assert.Equal(1, read);
    }

    [Fact]
    public void NewConnection_BeginsWithTheShortLength()
    {
        var framer = new MessageFramer { ExtendedMessages = true };
        _ = BodyLength(framer, Message(2, 65535));

        framer.Reset();

        Assert.Throws<SessionFaultException>(() => BodyLength(framer, Message(2, 4097)));
    }

    [Fact]
    public void Update_OfUpTo65535Octets_IsWrittenOnlyWhereAgreedOn()
    {
        var update = new UpdateMessage { Withdrawn = [.. Enumerable.Range(0, 10_000).Select(i => Announcements.Ipv4(prefix: $"10.{i / 256}.{i % 256}.1/32").Prefix)] };

        var bytes = Codec.Encode(update, Codec.Extended);

        Assert.Equal(50_023, bytes.Length);
        Assert.Equal(update.Withdrawn, Assert.IsType<UpdateMessage>(Codec.Decode(bytes, Codec.Extended)).Withdrawn);
        Assert.Throws<InvalidOperationException>(() => Codec.Encode(update));
    }

    private static byte[] Message(byte type, int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan(0, 16).Fill(0xff);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(16), (ushort)length);
        bytes[18] = type;
        for (var i = WireWriter.HeaderLength; i < length; i++)
        {
            bytes[i] = (byte)i;
        }

        return bytes;
    }

    private static int BodyLength(MessageFramer framer, byte[] bytes)
    {
        ReadOnlySpan<byte> input = bytes;
        Assert.True(framer.TryNext(ref input, out _, out var body));
        Assert.True(input.IsEmpty);
        return body.Length;
    }
}
