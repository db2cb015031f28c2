using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire.Attributes;

// A list of path attributes to its end, with the error handling of RFC 7606 3 and 4. Nothing is thrown: what is wrong is in the log.
internal static class AttributeListCodec
{
    // Octets that BeginPrefixes writes.
    public const int PrefixesHeader = 4;

    // Inside of ATTR_SET AS numbers have four octets (RFC 6368 5), and everything comes from within one AS.
    private static readonly UpdateContext InsideOfSet = new() { FourOctetAs = true, InternalPeer = true };

    // Which of the 256 attributes were there, readable or not, by code.
    public static void Read(ReadOnlySpan<byte> bytes, UpdateContext context, PathAttributes into, FaultLog faults, scoped Span<bool> seen)
    {
        ImmutableArray<OtherAttribute>.Builder? others = null;
        var reader = new WireReader(bytes);
        while (reader.Remaining > 0 && ReadOne(ref reader, context, into, faults, seen, ref others))
        {
        }

        into.Other = others?.DrainToImmutable() ?? [];
        Reconcile(into);
    }

    // The attributes inside of ATTR_SET. False: malformed (RFC 6368 5). No set within a set: that has no meaning, and its depth would have no end.
    public static bool TryReadSet(ReadOnlySpan<byte> bytes, out PathAttributes attributes)
    {
        attributes = new PathAttributes();
        var faults = new FaultLog();
        Span<bool> seen = stackalloc bool[256];
        seen.Clear();
        ImmutableArray<OtherAttribute>.Builder? others = null;
        var reader = new WireReader(bytes);
        while (reader.Remaining > 0)
        {
            if (reader.Remaining > 1
                && reader.Rest[1] is AttributeTable.AttributeSetCode or AttributeTable.MpReachCode or AttributeTable.MpUnreachCode)
            {
                return false;
            }

            if (!ReadOne(ref reader, InsideOfSet, attributes, faults, seen, ref others))
            {
                return false;
            }
        }

        attributes.Other = others?.DrainToImmutable() ?? [];
        return faults.Worst < AttributeFault.TreatAsWithdraw;
    }

    // False: what stands behind cannot be read.
    private static bool ReadOne(
        ref WireReader reader, UpdateContext context, PathAttributes into, FaultLog faults, scoped Span<bool> seen, ref ImmutableArray<OtherAttribute>.Builder? others)
    {
        var start = reader.Rest;
        if (!TryHeader(ref reader, out var flags, out var code, out var value))
        {
            if (code is AttributeTable.MpReachCode or AttributeTable.MpUnreachCode)
            {
                // RFC 7606 3 j: which routes it is about has to be known.
                return faults.AddReset(NotificationCode.MalformedAttributeList, $"{AttributeTable.Find(code)!.Name} overruns the attributes");
            }

            // RFC 7606 4: where the next attribute begins is unknown, but where the prefixes begin is known.
            faults.Add(AttributeFault.TreatAsWithdraw, "the attributes overrun their length");
            seen[code] = true;
            return false;
        }

        var whole = start[..(start.Length - reader.Remaining)];
        var row = AttributeTable.Find(code);
        if (seen[code])
        {
            // RFC 7606 3 g.
            if (code is AttributeTable.MpReachCode or AttributeTable.MpUnreachCode)
            {
                return faults.AddReset(NotificationCode.MalformedAttributeList, $"the UPDATE has two {row!.Name}");
            }

            faults.Add(AttributeFault.Discard, $"{row?.Name ?? "attribute " + code} is there twice, the first counts");
            return true;
        }

        seen[code] = true;
        if (row is not null)
        {
            return ReadKnown(row, flags, value, whole, context, into, faults);
        }

        if ((flags & AttributeFlags.Optional) == 0)
        {
            // RFC 4271 6.3, which RFC 7606 leaves as it is.
            return faults.AddReset(NotificationCode.UnrecognizedWellKnownAttribute, $"attribute {code} claims to be well-known and is not", whole);
        }

        if ((flags & AttributeFlags.Transitive) != 0)
        {
            others ??= ImmutableArray.CreateBuilder<OtherAttribute>();
            others.Add(new OtherAttribute((byte)flags, code, value.ToArray()));
        }

        return true;
    }

    private static bool ReadKnown(
        AttributeRow row, AttributeFlags flags, ReadOnlySpan<byte> value, ReadOnlySpan<byte> whole, UpdateContext context, PathAttributes into, FaultLog faults)
    {
        var wrong = (flags & AttributeFlags.Kind) ^ row.Flags;
        if (wrong != AttributeFlags.None)
        {
            // RFC 7606 3 c. With treat-as-withdraw the value is read all the same: it may be the one with the prefixes.
            var consequence = wrong == AttributeFlags.Transitive ? row.OnWrongTransitive : AttributeFault.TreatAsWithdraw;
            faults.Add(consequence, $"{row.Name} has the wrong flags");
            if (consequence < AttributeFault.TreatAsWithdraw)
            {
                return true;
            }
        }

        if (row.InternalOnly && !context.InternalPeer)
        {
            faults.Add(AttributeFault.Discard, $"{row.Name} means nothing from another AS");
            return true;
        }

        var rightLength = row.Length.Allows(value.Length, context);
        if (rightLength && row.Read(value, context, into))
        {
            return true;
        }

        var fault = rightLength ? row.OnFault : row.OnWrongLength ?? row.OnFault;
        var problem = rightLength ? $"{row.Name} is malformed" : $"{row.Name} cannot be {value.Length} octets long";
        if (fault == AttributeFault.SessionReset)
        {
            return faults.AddReset(NotificationCode.OptionalAttributeError, problem, whole);
        }

        faults.Add(fault, problem);
        return true;
    }

    // False: less than the header says is left. The code is what it seems to be, zero when there is none.
    public static bool TryHeader(ref WireReader reader, out AttributeFlags flags, out byte code, out ReadOnlySpan<byte> value)
    {
        code = 0;
        value = default;
        var read = reader.TryByte(out var flagBits);
        flags = (AttributeFlags)flagBits;
        if (!read || !reader.TryByte(out code))
        {
            return false;
        }

        if ((flags & AttributeFlags.ExtendedLength) != 0)
        {
            return reader.TryUInt16(out var two) && reader.TryBytes(two, out value);
        }

        return reader.TryByte(out var one) && reader.TryBytes(one, out value);
    }

    // RFC 6793 4.2.3: when AGGREGATOR names an AS of its own, somebody on the way did not know of four octets and has aggregated: what the AS4
    // attributes say is from before. When it is AS_TRANS, the true one stands in AS4_AGGREGATOR.
    private static void Reconcile(PathAttributes attributes)
    {
        if (attributes.Aggregator is not { } aggregator || attributes.As4Aggregator is not { } truth)
        {
            return;
        }

        attributes.As4Aggregator = null;
        if (aggregator.As == OpenMessage.AsTrans)
        {
            attributes.Aggregator = truth;
        }
        else
        {
            attributes.As4Path = null;
        }
    }

    public static void Write(WireWriter writer, PathAttributes attributes, UpdateContext context)
    {
        foreach (var row in AttributeTable.Rows)
        {
            if (row.IsPresent(attributes, context))
            {
                WriteOne(writer, row, attributes, context);
            }
        }

        foreach (var other in attributes.Other)
        {
            // The extended length is a matter of the length, whatever it came with.
            var extended = other.Value.Length > byte.MaxValue;
            writer.Byte((byte)((other.Flags & ~(byte)AttributeFlags.ExtendedLength) | (extended ? (byte)AttributeFlags.ExtendedLength : 0)));
            writer.Byte(other.Code);
            if (extended)
            {
                writer.UInt16((ushort)other.Value.Length);
            }
            else
            {
                writer.Byte((byte)other.Value.Length);
            }

            writer.Bytes(other.Value.Span);
        }
    }

    // Flags, code and two octets of length, to be patched after the value, of an attribute that holds prefixes.
    public static int BeginPrefixes(WireWriter writer, AttributeRow row)
    {
        writer.Byte((byte)(row.Flags | AttributeFlags.ExtendedLength));
        writer.Byte(row.Code);
        return writer.ReserveUInt16();
    }

    public static void WriteSet(WireWriter writer, PathAttributes attributes) => Write(writer, attributes, InsideOfSet);

    // The length is patched in after the value. The prefixes may be long, so their attributes get two octets of length at once, as FRR and BIRD write
    // them; the others are nearly always short and are moved by one octet when they are not.
    private static void WriteOne(WireWriter writer, AttributeRow row, PathAttributes attributes, UpdateContext context)
    {
        if (row.Code is AttributeTable.MpReachCode or AttributeTable.MpUnreachCode)
        {
            var mark = BeginPrefixes(writer, row);
            row.Write(attributes, context, writer);
            writer.PatchUInt16(mark);
            return;
        }

        var start = writer.Length;
        writer.Byte((byte)row.Flags);
        writer.Byte(row.Code);
        var shortMark = writer.ReserveByte();
        row.Write(attributes, context, writer);
        if (writer.Length - shortMark <= byte.MaxValue)
        {
            writer.PatchByte(shortMark);
        }
        else
        {
            writer.Widen(shortMark);
            writer.SetByte(start, (byte)(row.Flags | AttributeFlags.ExtendedLength));
        }
    }
}
