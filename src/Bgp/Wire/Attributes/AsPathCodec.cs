using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire.Attributes;

// AS_PATH in two octets or in four (RFC 6793), and AS4_PATH, which is always in four.
internal static class AsPathCodec
{
    // False: an unknown segment type, an empty segment, a segment that overruns (RFC 7606 7.2), or AS 0 (RFC 7607).
    public static bool TryRead(ReadOnlySpan<byte> value, bool fourOctetAs, out ImmutableArray<AsPathSegment> path)
    {
        path = [];
        var segments = ImmutableArray.CreateBuilder<AsPathSegment>();
        var reader = new WireReader(value);
        while (reader.TryByte(out var type))
        {
            if (type is < (byte)AsPathSegmentType.Set or > (byte)AsPathSegmentType.ConfederationSet || !reader.TryByte(out var count) || count == 0)
            {
                return false;
            }

            var numbers = ImmutableArray.CreateBuilder<uint>(count);
            for (var i = 0; i < count; i++)
            {
                if (!TryReadNumber(ref reader, fourOctetAs, out var number) || number == 0)
                {
                    return false;
                }

                numbers.Add(number);
            }

            segments.Add(new AsPathSegment((AsPathSegmentType)type, numbers.MoveToImmutable()));
        }

        path = segments.DrainToImmutable();
        return true;
    }

    public static void Write(WireWriter writer, ImmutableArray<AsPathSegment> path, bool fourOctetAs)
    {
        foreach (var segment in path)
        {
            writer.Byte((byte)segment.Type);
            writer.Byte(checked((byte)segment.AsNumbers.Length));
            foreach (var number in segment.AsNumbers)
            {
                WriteNumber(writer, number, fourOctetAs);
            }
        }
    }

    public static void WriteNumber(WireWriter writer, uint number, bool fourOctetAs)
    {
        if (fourOctetAs)
        {
            writer.UInt32(number);
        }
        else
        {
            writer.UInt16(number > ushort.MaxValue ? OpenMessage.AsTrans : (ushort)number);
        }
    }

    public static bool TryReadNumber(ref WireReader reader, bool fourOctetAs, out uint number)
    {
        if (fourOctetAs)
        {
            return reader.TryUInt32(out number);
        }

        var read = reader.TryUInt16(out var two);
        number = two;
        return read;
    }
}
