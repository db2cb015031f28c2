using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Bgp.Wire;

// Lists of prefixes: length in bits (1) | as many octets as that needs (RFC 4271 4.3, RFC 4760 5).
internal static class PrefixCodec
{
    // False: a length past the address's own or an octet missing. Where the next prefix begins is then unknown, which is why
    // RFC 7606 5.3 knows no smaller answer than ending the session.
    public static bool TryRead(ReadOnlySpan<byte> bytes, bool ipv6, out ImmutableArray<IPNetwork> prefixes)
    {
        prefixes = [];
        if (bytes.IsEmpty)
        {
            return true;
        }

        var list = ImmutableArray.CreateBuilder<IPNetwork>();
        Span<byte> address = stackalloc byte[ipv6 ? 16 : 4];
        var reader = new WireReader(bytes);
        while (reader.TryByte(out var bits))
        {
            if (bits > address.Length * 8 || !reader.TryBytes((bits + 7) / 8, out var octets))
            {
                return false;
            }

            address.Clear();
            octets.CopyTo(address);
            if (bits % 8 != 0)
            {
                // Trailing bits mean nothing (RFC 4271 4.3), and IPNetwork refuses them.
                address[bits / 8] &= (byte)(0xff << (8 - (bits % 8)));
            }

            list.Add(new IPNetwork(new IPAddress(address), bits));
        }

        prefixes = list.DrainToImmutable();
        return true;
    }

    // Of an IPv6 prefix of 128 bits.
    public const int MaxLength = 17;

    public static int LengthOf(IPNetwork prefix) => 1 + ((prefix.PrefixLength + 7) / 8);

    public static void Write(WireWriter writer, ImmutableArray<IPNetwork> prefixes)
    {
        foreach (var prefix in prefixes)
        {
            Write(writer, prefix);
        }
    }

    public static void Write(WireWriter writer, IPNetwork prefix)
    {
        Span<byte> address = stackalloc byte[16];
        _ = prefix.BaseAddress.TryWriteBytes(address, out _);
        writer.Byte((byte)prefix.PrefixLength);
        writer.Bytes(address[..((prefix.PrefixLength + 7) / 8)]);
    }
}
