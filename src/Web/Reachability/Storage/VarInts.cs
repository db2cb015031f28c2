using System.Buffers;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>
/// Whole numbers in as few bytes as they need: seven bits a byte, the lowest first, the top bit says that another follows; at most nine bytes (63 bits).
/// Numbers that may be negative are folded first: 0, -1, 1, -2 … become 0, 1, 2, 3 ….
/// </summary>
internal sealed class VarIntWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    public void Byte(byte value) => _bytes.Write([value]);

    public void Bytes(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    public void Unsigned(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Span<byte> room = _bytes.GetSpan(9);
        int length = 0;
        for (; value > 0x7f; value >>= 7)
        {
            room[length++] = (byte)(value | 0x80);
        }

        room[length++] = (byte)value;
        _bytes.Advance(length);
    }

    public void Signed(long value) => Unsigned(Fold(value));

    public static long Fold(long value) => (value << 1) ^ (value >> 63);

    public static long Unfold(long value) => (value >>> 1) ^ -(value & 1);
}

/// <summary>Reads what <see cref="VarIntWriter"/> wrote. Whatever cannot be read fails it for good: everything after that is 0, and <see cref="Failed"/> says so.</summary>
internal ref struct VarIntReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Something could not be read.</summary>
    public bool Failed { get; private set; }

    /// <summary>Nothing is left.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    /// <summary>Bytes that are left.</summary>
    public readonly int Left => _rest.Length;

    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            Fail();
            return 0;
        }

        byte value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ReadOnlySpan<byte> Bytes(long length)
    {
        if (length < 0 || length > _rest.Length)
        {
            Fail();
            return [];
        }

        ReadOnlySpan<byte> taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    /// <summary>A number from 0 to the most that makes sense there.</summary>
    public long Unsigned(long most)
    {
        long value = 0;
        for (int shift = 0; shift < 63; shift += 7)
        {
            byte part = Byte();
            value |= (long)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                if (value <= most)
                {
                    return value;
                }

                break;
            }
        }

        Fail();
        return 0;
    }

    public long Signed(long most) => VarIntWriter.Unfold(Unsigned(2 * most + 1));

    public void Fail()
    {
        Failed = true;
        _rest = [];
    }
}
