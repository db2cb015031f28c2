using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// The body of an OPEN. Only its form is checked here (RFC 4271 6.2); what it says is OpenNegotiation's to judge.
internal static class OpenCodec
{
    private const byte CapabilitiesParameter = 2;
    private const byte ExtendedLengthMark = 255;

    // Type and length.
    private const int ParameterHeader = 2;

    public static OpenMessage Read(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (!reader.TryByte(out var version) || !reader.TryUInt16(out var myAs) || !reader.TryUInt16(out var holdTime) || !reader.TryUInt32(out var identifier))
        {
            throw new SessionFaultException(NotificationCode.OpenUnspecific, "the OPEN is cut short");
        }

        // Another version's OPEN may look different from here on; only its number can be trusted.
        var capabilities = version == 4 ? ReadParameters(reader.Rest) : [];
        return new OpenMessage { Version = version, MyAs = myAs, HoldTimeSeconds = holdTime, BgpIdentifier = identifier, Capabilities = capabilities };
    }

    // Parameters length (1) | parameters. Where that would say 255 and the first type too, RFC 9072 has two-octet lengths:
    // 255 | 255 | parameters length (2) | parameters with   type (1) | length (2) | value
    private static ImmutableArray<Capability> ReadParameters(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        if (!reader.TryByte(out var shortLength))
        {
            throw Malformed();
        }

        int length = shortLength;
        var extended = shortLength != 0 && reader.Remaining > 0 && reader.Rest[0] == ExtendedLengthMark;
        if (extended)
        {
            if (!reader.TryByte(out _) || !reader.TryUInt16(out var longLength))
            {
                throw Malformed();
            }

            length = longLength;
        }

        if (reader.Remaining != length)
        {
            throw Malformed();
        }

        var capabilities = ImmutableArray.CreateBuilder<Capability>();
        while (reader.TryByte(out var type))
        {
            int valueLength;
            if (extended && reader.TryUInt16(out var two))
            {
                valueLength = two;
            }
            else if (!extended && reader.TryByte(out var one))
            {
                valueLength = one;
            }
            else
            {
                throw Malformed();
            }

            if (!reader.TryBytes(valueLength, out var value))
            {
                throw Malformed();
            }

            if (type != CapabilitiesParameter)
            {
                throw new SessionFaultException(NotificationCode.UnsupportedOptionalParameter, $"the OPEN has an optional parameter of type {type}, which is not known");
            }

            CapabilityCodec.Read(value, capabilities);
        }

        return capabilities.DrainToImmutable();
    }

    // All capabilities in one parameter, as RFC 5492 4 asks for and as the platform's own client does. Two-octet lengths only where one octet does
    // not do (RFC 9072 2): older neighbors cannot read them.
    public static void Write(WireWriter writer, OpenMessage open)
    {
        writer.BeginMessage(BgpMessageType.Open);
        writer.Byte(open.Version);
        writer.UInt16(open.MyAs);
        writer.UInt16(open.HoldTimeSeconds);
        writer.UInt32(open.BgpIdentifier);
        var capabilities = CapabilityBytes(open.Capabilities);
        if (capabilities.IsEmpty)
        {
            writer.Byte(0);
        }
        else if (ParameterHeader + capabilities.Length <= byte.MaxValue)
        {
            writer.Byte((byte)(ParameterHeader + capabilities.Length));
            writer.Byte(CapabilitiesParameter);
            writer.Byte((byte)capabilities.Length);
        }
        else
        {
            writer.Byte(ExtendedLengthMark);
            writer.Byte(ExtendedLengthMark);
            writer.UInt16(checked((ushort)(ParameterHeader + 1 + capabilities.Length)));
            writer.Byte(CapabilitiesParameter);
            writer.UInt16(checked((ushort)capabilities.Length));
        }

        writer.Bytes(capabilities.Span);
        writer.EndMessage();
    }

    private static ReadOnlyMemory<byte> CapabilityBytes(ImmutableArray<Capability> capabilities)
    {
        var writer = new WireWriter();
        foreach (var capability in capabilities)
        {
            CapabilityCodec.Write(writer, capability);
        }

        return writer.Finish();
    }

    private static SessionFaultException Malformed() => new(NotificationCode.OpenUnspecific, "the optional parameters of the OPEN do not fit its length");
}
