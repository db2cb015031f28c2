using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Wire;

// What an UPDATE said and the worst that was wrong with it: None, Discard or TreatAsWithdraw. Problem says it in words, null when nothing was.
internal readonly record struct DecodedUpdate(UpdateMessage Message, AttributeFault Worst, string? Problem)
{
    // The family whose End-of-RIB this is (RFC 4724 2); null: an ordinary UPDATE.
    public RouteFamily? EndOfRib { get; init; }
}

// The body of an UPDATE, with the error handling of RFC 7606.
internal static class UpdateCodec
{
    // The two length fields.
    private const int BareBody = 4;

    // The body of an End-of-RIB that is not the bare one: MP_UNREACH_NLRI of three octets, with its length in one octet or in two.
    private const int LongestEndOfRib = BareBody + 4 + 3;

    // What is left for attributes and prefixes.
    public static int MaxContent(UpdateContext context) => context.MaxMessageLength - WireWriter.HeaderLength - BareBody;

    public static DecodedUpdate Read(ReadOnlySpan<byte> body, UpdateContext context)
    {
        var reader = new WireReader(body);
        if (!reader.TryUInt16(out var withdrawnLength) || !reader.TryBytes(withdrawnLength, out var withdrawnBytes)
            || !reader.TryUInt16(out var attributesLength) || !reader.TryBytes(attributesLength, out var attributeBytes))
        {
            throw new SessionFaultException(NotificationCode.MalformedAttributeList, "the lengths inside of the UPDATE do not fit its own");
        }

        if (!PrefixCodec.TryRead(withdrawnBytes, ipv6: false, out var withdrawn) || !PrefixCodec.TryRead(reader.Rest, ipv6: false, out var announced))
        {
            throw new SessionFaultException(NotificationCode.InvalidNetworkField, "the UPDATE has a prefix that cannot be one");
        }

        if (!context.Ipv4Unicast)
        {
            // As with MP_REACH_NLRI of a family that was not negotiated.
            (withdrawn, announced) = ([], []);
        }

        var faults = new FaultLog();
        var attributes = new PathAttributes();
        ReadAttributes(attributeBytes, context, attributes, ref faults);
        CheckMandatory(attributes, announced, ref faults);
        CheckSomethingToWithdraw(attributes, announced, faults);
        return new DecodedUpdate(new UpdateMessage { Withdrawn = withdrawn, Attributes = attributes, Announced = announced }, faults.Worst, faults.Problem)
        {
            EndOfRib = EndOfRib(body, attributes),
        };
    }

    // Told by the length: attributes that were passed over, or prefixes of a family that was not agreed on, would otherwise look like nothing at all.
    private static RouteFamily? EndOfRib(ReadOnlySpan<byte> body, PathAttributes attributes) =>
        body.Length == BareBody ? RouteFamily.Ipv4Unicast
        : body.Length <= LongestEndOfRib && attributes.MpUnreach is { Prefixes.IsEmpty: true } unreach ? unreach.Family.Known
        : null;

    private static void ReadAttributes(ReadOnlySpan<byte> bytes, UpdateContext context, PathAttributes into, ref FaultLog faults)
    {
        Span<bool> seen = stackalloc bool[256];
        seen.Clear();
        ImmutableArray<OtherAttribute>.Builder? others = null;
        var reader = new WireReader(bytes);
        while (reader.Remaining > 0)
        {
            var start = reader.Rest;
            if (!TryHeader(ref reader, out var flags, out var code, out var value))
            {
                // RFC 7606 4: where the next attribute begins is unknown, but where the prefixes begin is known.
                faults.Add(AttributeFault.TreatAsWithdraw, "the attributes overrun their length");
                break;
            }

            var whole = start[..(start.Length - reader.Remaining)];
            var row = AttributeTable.Find(code);
            if (seen[code])
            {
                if (code is AttributeTable.MpReachCode or AttributeTable.MpUnreachCode)
                {
                    throw new SessionFaultException(NotificationCode.MalformedAttributeList, $"the UPDATE has two {row!.Name}");
                }

                faults.Add(AttributeFault.Discard, $"attribute {code} is there twice, the first counts");
                continue;
            }

            seen[code] = true;
            if (row is not null)
            {
                ReadKnown(row, flags, value, whole, context, into, ref faults);
            }
            else if ((flags & AttributeFlags.Optional) == 0)
            {
                throw new SessionFaultException(NotificationCode.UnrecognizedWellKnownAttribute, $"attribute {code} claims to be well-known and is not", whole);
            }
            else if ((flags & AttributeFlags.Transitive) != 0)
            {
                others ??= ImmutableArray.CreateBuilder<OtherAttribute>();
                others.Add(new OtherAttribute((byte)flags, code, value.ToArray()));
            }
        }

        into.Other = others?.DrainToImmutable() ?? [];
    }

    private static void ReadKnown(
        AttributeRow row, AttributeFlags flags, ReadOnlySpan<byte> value, ReadOnlySpan<byte> whole, UpdateContext context, PathAttributes into, ref FaultLog faults)
    {
        if ((flags & AttributeFlags.Kind) != row.Flags)
        {
            // RFC 7606 3 c. The value is read all the same: it may be the one with the prefixes.
            faults.Add(AttributeFault.TreatAsWithdraw, $"{row.Name} has the wrong flags");
        }

        if (row.Read(value, context, into))
        {
            return;
        }

        if (row.OnFault == AttributeFault.SessionReset)
        {
            throw new SessionFaultException(row.ResetCode, $"{row.Name} is malformed", whole);
        }

        faults.Add(row.OnFault, $"{row.Name} is malformed");
    }

    private static bool TryHeader(ref WireReader reader, out AttributeFlags flags, out byte code, out ReadOnlySpan<byte> value)
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

    // RFC 4271 5, RFC 7606 3 d. Withdrawals need no attributes.
    private static void CheckMandatory(PathAttributes attributes, ImmutableArray<IPNetwork> announced, ref FaultLog faults)
    {
        if (announced.IsEmpty && attributes.MpReach is null)
        {
            return;
        }

        // A malformed attribute is missing too; then it has been said already.
        if (faults.Worst < AttributeFault.TreatAsWithdraw && (attributes.Origin is null || attributes.AsPath is null || (!announced.IsEmpty && attributes.NextHop is null)))
        {
            var missing = attributes.Origin is null ? "ORIGIN" : attributes.AsPath is null ? "AS_PATH" : "NEXT_HOP";
            faults.Add(AttributeFault.TreatAsWithdraw, $"{missing} is missing");
        }
    }

    // RFC 7606 5.2: treat-as-withdraw needs prefixes to withdraw. Without them the error may have hidden them, and nothing smaller than a new start is safe.
    private static void CheckSomethingToWithdraw(PathAttributes attributes, ImmutableArray<IPNetwork> announced, FaultLog faults)
    {
        if (faults.Worst == AttributeFault.TreatAsWithdraw && announced.IsEmpty && attributes.MpReach is null)
        {
            throw new SessionFaultException(NotificationCode.MalformedAttributeList, $"the UPDATE names no route that it is about, and {faults.Problem}");
        }
    }

    public static void Write(WireWriter writer, UpdateMessage update, UpdateContext context)
    {
        writer.BeginMessage(BgpMessageType.Update);
        var withdrawn = writer.ReserveUInt16();
        PrefixCodec.Write(writer, update.Withdrawn);
        writer.PatchUInt16(withdrawn);
        var attributes = writer.ReserveUInt16();
        WriteAttributes(writer, update.Attributes, context);
        writer.PatchUInt16(attributes);
        PrefixCodec.Write(writer, update.Announced);
        writer.EndMessage(context.MaxMessageLength);
    }

    public static void WriteAttributes(WireWriter writer, PathAttributes attributes, UpdateContext context)
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

    // The length is patched in after the value. The prefixes may be long, so their attributes get two octets of length at once, as FRR and BIRD write
    // them; the others are nearly always short and are moved by one octet when they are not.
    private static void WriteOne(WireWriter writer, AttributeRow row, PathAttributes attributes, UpdateContext context)
    {
        if (row.Code is AttributeTable.MpReachCode or AttributeTable.MpUnreachCode)
        {
            writer.Byte((byte)(row.Flags | AttributeFlags.ExtendedLength));
            writer.Byte(row.Code);
            var mark = writer.ReserveUInt16();
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

    // The worst fault of one UPDATE and the words for it.
    private struct FaultLog
    {
        public AttributeFault Worst { get; private set; }

        public string? Problem { get; private set; }

        public void Add(AttributeFault fault, string problem)
        {
            if (fault > Worst)
            {
                Worst = fault;
                Problem = problem;
            }
        }
    }
}
