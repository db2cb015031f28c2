using System.Buffers.Binary;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// Cuts a stream of bytes, split anyhow, into messages. Whole messages are handed out from the caller's own bytes without a copy; only a message that
// is split over two reads is put together here, in a buffer of one message's size, which is the most that is ever kept.
internal sealed class MessageFramer
{
    private readonly byte[] _partial = new byte[WireWriter.MaxMessageLength];
    private int _partialLength;

    public void Reset() => _partialLength = 0;

    // Takes one message off the front of input. False: input is used up. The body is valid until the next call.
    public bool TryNext(ref ReadOnlySpan<byte> input, out BgpMessageType type, out ReadOnlySpan<byte> body)
    {
        if (_partialLength == 0)
        {
            if (input.Length >= WireWriter.HeaderLength)
            {
                var length = CheckHeader(input, out type);
                if (input.Length >= length)
                {
                    body = input[WireWriter.HeaderLength..length];
                    input = input[length..];
                    return true;
                }
            }
        }
        else if (Fill(ref input, WireWriter.HeaderLength))
        {
            var length = CheckHeader(_partial, out type);
            if (Fill(ref input, length))
            {
                _partialLength = 0;
                body = _partial.AsSpan(WireWriter.HeaderLength, length - WireWriter.HeaderLength);
                return true;
            }
        }

        // What is left is less than one message: CheckHeader has seen its length as soon as there was one.
        input.CopyTo(_partial.AsSpan(_partialLength));
        _partialLength += input.Length;
        input = default;
        type = default;
        body = default;
        return false;
    }

    private bool Fill(ref ReadOnlySpan<byte> input, int wanted)
    {
        var take = Math.Clamp(wanted - _partialLength, 0, input.Length);
        input[..take].CopyTo(_partial.AsSpan(_partialLength));
        _partialLength += take;
        input = input[take..];
        return _partialLength >= wanted;
    }

    // RFC 4271 6.1. Checked as soon as the header is there: nobody waits for the body of a message that cannot be one.
    private static int CheckHeader(ReadOnlySpan<byte> header, out BgpMessageType type)
    {
        if (header[..16].ContainsAnyExcept((byte)0xff))
        {
            throw new SessionFaultException(NotificationCode.ConnectionNotSynchronized, "a message does not begin with the marker");
        }

        var lengthField = header.Slice(16, 2);
        var length = BinaryPrimitives.ReadUInt16BigEndian(lengthField);
        type = (BgpMessageType)header[18];
        var (least, most) = type switch
        {
            BgpMessageType.Open => (29, WireWriter.MaxMessageLength),
            BgpMessageType.Update => (23, WireWriter.MaxMessageLength),
            BgpMessageType.Notification => (21, WireWriter.MaxMessageLength),
            BgpMessageType.Keepalive => (19, 19),
            BgpMessageType.RouteRefresh => (23, 23),
            _ => (WireWriter.HeaderLength, WireWriter.MaxMessageLength),
        };

        if (length < least || length > most)
        {
            throw new SessionFaultException(NotificationCode.BadMessageLength, $"a message of type {header[18]} says that it is {length} octets long", lengthField);
        }

        if (type is < BgpMessageType.Open or > BgpMessageType.RouteRefresh)
        {
            throw new SessionFaultException(NotificationCode.BadMessageType, $"there is no message type {header[18]}", header.Slice(18, 1));
        }

        return length;
    }
}
