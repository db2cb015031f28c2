using System.Buffers.Binary;
using CsCheck;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire;

// Whatever arrives, reading it ends, and ends in a message, in a request for more bytes, or in the session fault that carries a NOTIFICATION.
public sealed class RandomBytesTests
{
    [Fact]
    public void RandomBytes_ThrowNothingButTheSessionFault() =>
        Gen.Select(Gen.Byte.Array[0, 5000], Gen.Int[0, 16]).Sample(
            (bytes, marker) =>
            {
                // Mostly with a whole marker in front: without one, all that is told is that it is missing.
                bytes.AsSpan(0, Math.Min(bytes.Length, marker < 4 ? marker : 16)).Fill(0xff);
                Read(bytes);
            },
            iter: 5000);

    [Fact]
    public void RandomBodies_BehindAValidHeader_ThrowNothingButTheSessionFault() =>
        Gen.Select(Gen.Byte[0, 6], Gen.Byte.Array[0, 300]).Sample((type, body) => Read(Frame(type, body)), iter: 20_000);

    [Fact]
    public void RandomAttributes_InAnUpdateOfTheRightForm_ThrowNothingButTheSessionFault() =>
        Gen.Select(Gen.Byte.Where(flags => (flags & 0x10) == 0), Gen.OneOf(Gen.Byte[0, 20], Gen.Byte), Gen.Byte.Array[0, 60]).Array[0, 8].Sample(
            attributes =>
            {
                var list = attributes.SelectMany(a => new byte[] { a.Item1, a.Item2, (byte)a.Item3.Length }.Concat(a.Item3)).ToArray();
                byte[] body = [0, 0, (byte)(list.Length >> 8), (byte)list.Length, .. list, 32, 192, 0, 2, 1];
                Read(Frame(2, body));
            },
            iter: 20_000);

    [Fact]
    public void ValidMessages_WithOctetsChanged_ThrowNothingButTheSessionFault() =>
        Gen.Select(Generators.Message, Gen.Select(Gen.Int[0, 4095], Gen.Byte).Array[1, 5]).Sample(
            (message, changes) =>
            {
                var bytes = Codec.Encode(message);
                foreach (var (at, value) in changes)
                {
                    bytes[at % bytes.Length] = value;
                }

                Read(bytes);
            },
            iter: 10_000);

    [Fact]
    public void ValidMessages_CutAnywhere_ThrowNothingButTheSessionFault() =>
        Gen.Select(Generators.Message, Gen.Int[0, 4095]).Sample(
            (message, cut) =>
            {
                var bytes = Codec.Encode(message);
                var kept = bytes.AsSpan(0, cut % bytes.Length).ToArray();
                Read(kept);
                if (kept.Length >= WireWriter.HeaderLength)
                {
                    // And with a header that fits the shorter message.
                    BinaryPrimitives.WriteUInt16BigEndian(kept.AsSpan(16), (ushort)kept.Length);
                    Read(kept);
                }
            },
            iter: 5000);

    private static void Read(byte[] bytes)
    {
        foreach (var context in (UpdateContext[])[Codec.FourOctets, Codec.TwoOctets, Codec.Internal, Codec.Extended, default])
        {
            try
            {
                foreach (var (message, fault) in Codec.DecodeAll(bytes, context))
                {
                    Assert.NotEqual(AttributeFault.SessionReset, fault);
                    Assert.NotEmpty(MessageText.Of(message));
                }
            }
            catch (SessionFaultException fault)
            {
                // It can be said to the neighbor and to the operator.
                var notification = MessageCodec.Write(fault.ToNotification());
                Assert.InRange(notification.Length, 21, WireWriter.MaxMessageLength);
                Assert.NotEmpty(fault.Message);
                Assert.Contains(fault.Code.Code, (byte[])[1, 2, 3, 7]);
            }
        }
    }

    private static byte[] Frame(byte type, byte[] body)
    {
        var message = new byte[WireWriter.HeaderLength + body.Length];
        message.AsSpan(0, 16).Fill(0xff);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(16), (ushort)message.Length);
        message[18] = type;
        body.CopyTo(message, WireWriter.HeaderLength);
        return message;
    }
}
