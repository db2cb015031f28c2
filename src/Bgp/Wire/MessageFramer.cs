using System.Buffers.Binary;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// Cuts a stream of bytes, split anyhow, into messages. Whole messages are handed out from the caller's own bytes without a copy; only a message that
// is split over two reads is put together here, in a buffer of one message's size, which is the most that is ever kept: 4096 octets, and more only
// when a longer message is on its way, which takes extended messages to be agreed on. The longer buffer is kept for the rest of the session.
internal sealed class MessageFramer
{
    private byte[] _partial = new byte[WireWriter.MaxMessageLength];
    private int _partialLength;

    // RFC 8654 3: both sides offered them. Counts from the next message on; until the next Reset.
    public bool ExtendedMessages { get; set; }

    // RFC 7313: both sides offered it. Which NOTIFICATION a ROUTE-REFRESH of the wrong length calls for then depends on what is inside, so it is let
    // through for MessageCodec to judge. Like the one above.
    public bool EnhancedRouteRefresh { get; set; }

    // The header that TryNext has just refused.
    public ReadOnlyMemory<byte> Refused { get; private set; }

    // A new connection.
    public void Reset()
    {
        _partialLength = 0;
        ExtendedMessages = EnhancedRouteRefresh = false;
        if (_partial.Length > WireWriter.MaxMessageLength)
        {
            _partial = new byte[WireWriter.MaxMessageLength];
        }
    }

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
        MakeRoom(_partialLength + input.Length);
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
        MakeRoom(_partialLength + take);
        input[..take].CopyTo(_partial.AsSpan(_partialLength));
        _partialLength += take;
        input = input[take..];
        return _partialLength >= wanted;
    }

    private void MakeRoom(int needed)
    {
        if (needed > _partial.Length)
        {
            Array.Resize(ref _partial, Math.Min(Math.Max(needed, _partial.Length * 2), WireWriter.MaxExtendedMessageLength));
        }
    }

    // RFC 4271 6.1. Checked as soon as the header is there: nobody waits for the body of a message that cannot be one.
    private int CheckHeader(ReadOnlySpan<byte> header, out BgpMessageType type)
    {
        if (header[..16].ContainsAnyExcept((byte)0xff))
        {
            throw Refuse(header, NotificationCode.ConnectionNotSynchronized, "a message does not begin with the marker");
        }

        var lengthField = header.Slice(16, 2);
        var length = BinaryPrimitives.ReadUInt16BigEndian(lengthField);
        type = (BgpMessageType)header[18];
        var longest = ExtendedMessages ? WireWriter.MaxExtendedMessageLength : WireWriter.MaxMessageLength;
        var (least, most) = type switch
        {
            BgpMessageType.Open => (29, WireWriter.MaxMessageLength),
            BgpMessageType.Update => (23, longest),
            BgpMessageType.Notification => (21, longest),
            BgpMessageType.Keepalive => (WireWriter.HeaderLength, WireWriter.HeaderLength),
            BgpMessageType.RouteRefresh when !EnhancedRouteRefresh => (23, 23),
            _ => (WireWriter.HeaderLength, longest),
        };

        if (length < least || length > most)
        {
            throw Refuse(header, NotificationCode.BadMessageLength, $"a message of type {header[18]} says that it is {length} octets long", lengthField);
        }

        if (type is < BgpMessageType.Open or > BgpMessageType.RouteRefresh)
        {
            throw Refuse(header, NotificationCode.BadMessageType, $"there is no message type {header[18]}", header.Slice(18, 1));
        }

        return length;
    }

    private SessionFaultException Refuse(ReadOnlySpan<byte> header, NotificationCode code, string problem, ReadOnlySpan<byte> data = default)
    {
        Refused = header[..WireWriter.HeaderLength].ToArray();
        return new SessionFaultException(code, problem, data);
    }
}
