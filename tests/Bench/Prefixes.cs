using System.Buffers.Binary;
using System.Globalization;

namespace FailoverHub.Bench;

/// <summary>What the subjects announce: 2001:db8:0:1::/64 and so on, numbered from 1, so that the peer keeps a table with an array.</summary>
internal static class Prefixes
{
    /// <summary>Bits of each of them.</summary>
    public const int Length = 64;

    /// <summary>The most that one subject announces.</summary>
    public const int Most = 10_000;

    /// <summary>The prefixes 1 to <paramref name="count"/> in CIDR notation.</summary>
    public static IEnumerable<string> Texts(int count) => Enumerable.Range(1, count).Select(number => $"{Base(number)}/{Length}");

    /// <summary>The network's own address.</summary>
    public static string Base(int number) => string.Create(CultureInfo.InvariantCulture, $"2001:db8:0:{number:x}::");

    /// <summary>Reads the eight octets behind the length in an NLRI; 0: none of ours.</summary>
    public static int Number(ReadOnlySpan<byte> octets) =>
        BinaryPrimitives.ReadUInt32BigEndian(octets) == 0x2001_0db8 && BinaryPrimitives.ReadUInt16BigEndian(octets[4..]) == 0
        && BinaryPrimitives.ReadUInt16BigEndian(octets[6..]) is var number and <= Most
            ? number
            : 0;
}
