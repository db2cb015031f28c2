using System.Buffers.Binary;

namespace FailoverHub.Bgp.Wire;

// Reads big-endian fields from the front of a span. Running out of bytes is an answer, not an exception: how bad it is depends on what was read.
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    public ReadOnlySpan<byte> Rest { get; private set; } = bytes;

    public readonly int Remaining => Rest.Length;

    public bool TryByte(out byte value)
    {
        if (Rest.IsEmpty)
        {
            value = 0;
            return false;
        }

        value = Rest[0];
        Rest = Rest[1..];
        return true;
    }

    public bool TryUInt16(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(Rest, out value))
        {
            return false;
        }

        Rest = Rest[2..];
        return true;
    }

    public bool TryUInt32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(Rest, out value))
        {
            return false;
        }

        Rest = Rest[4..];
        return true;
    }

    public bool TryBytes(int count, out ReadOnlySpan<byte> value)
    {
        if (Rest.Length < count)
        {
            value = default;
            return false;
        }

        value = Rest[..count];
        Rest = Rest[count..];
        return true;
    }
}
