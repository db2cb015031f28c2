using System.Buffers.Binary;
using System.Net;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// Writes whole messages, one behind the other, into one array that grows: a batch of UPDATEs is one buffer and one write to the socket.
internal sealed class WireWriter
{
    public const int HeaderLength = 19;
    public const int MaxMessageLength = 4096;

    // RFC 8654, not for OPEN and KEEPALIVE.
    public const int MaxExtendedMessageLength = 65535;

    private byte[] _bytes;
    private int _messageStart = -1;

    public WireWriter(int capacity = 256)
    {
        _bytes = new byte[capacity];
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    // To write something else into the same array.
    public void Clear() => Length = 0;

    // Makes room for that many more octets at once.
    public void Reserve(int octets)
    {
        if (_bytes.Length - Length < octets)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + octets));
        }
    }

    // Hands the bytes over. They belong to the reader from then on, so this is the writer's last act.
    public ReadOnlyMemory<byte> Finish()
    {
        var written = _bytes.AsMemory(0, Length);
        _bytes = [];
        Length = 0;
        return written;
    }

    public void BeginMessage(BgpMessageType type)
    {
        _messageStart = Length;
        Take(16).Fill(0xff);
        UInt16(0);
        Byte((byte)type);
    }

    public void EndMessage(int maxLength = MaxMessageLength)
    {
        var length = Length - _messageStart;
        if (length > maxLength)
        {
            throw new InvalidOperationException($"A message of {length} octets does not fit in {maxLength} (RFC 4271 4.1, RFC 8654 4): the caller has to split it.");
        }

        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(_messageStart + 16), (ushort)length);
    }

    public void Byte(byte value) => Take(1)[0] = value;

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Address(IPAddress address)
    {
        var room = Take(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? 16 : 4);
        _ = address.TryWriteBytes(room, out _);
    }

    // A length that is known only after what it counts: reserve, write, then patch.
    public int ReserveByte()
    {
        Byte(0);
        return Length;
    }

    public void PatchByte(int mark) => _bytes[mark - 1] = checked((byte)(Length - mark));

    public int ReserveUInt16()
    {
        UInt16(0);
        return Length;
    }

    public void PatchUInt16(int mark) => BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(mark - 2), checked((ushort)(Length - mark)));

    // Makes the one-octet length that was reserved at mark a two-octet one.
    public void Widen(int mark)
    {
        var length = Length - mark;
        _ = Take(1);
        _bytes.AsSpan(mark, length).CopyTo(_bytes.AsSpan(mark + 1));
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(mark - 1), checked((ushort)length));
    }

    public void SetByte(int at, byte value) => _bytes[at] = value;

    private Span<byte> Take(int count)
    {
        Reserve(count);
        var room = _bytes.AsSpan(Length, count);
        Length += count;
        return room;
    }
}
