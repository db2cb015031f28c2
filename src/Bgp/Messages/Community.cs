using System.Globalization;

namespace FailoverHub.Bgp.Messages;

/// <summary>A standard community (RFC 1997), written <c>65000:1</c>.</summary>
/// <param name="Value">The 32 bits on the wire: AS number in the upper half, value in the lower.</param>
public readonly record struct Community(uint Value) : IComparable<Community>
{
    /// <summary>Makes <c>asn:value</c>.</summary>
    public Community(ushort asn, ushort value)
        : this(((uint)asn << 16) | value)
    {
    }

    /// <summary>GRACEFUL_SHUTDOWN (RFC 8326): this route goes away soon, prefer any other.</summary>
    public static Community GracefulShutdown => new(0xffff, 0);

    /// <inheritdoc/>
    public int CompareTo(Community other) => Value.CompareTo(other.Value);

    /// <summary>The usual notation, <c>65000:1</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value >> 16}:{Value & 0xffff}");

    /// <summary>Ordering by wire value.</summary>
    public static bool operator <(Community left, Community right) => left.Value < right.Value;

    /// <summary>Ordering by wire value.</summary>
    public static bool operator >(Community left, Community right) => left.Value > right.Value;

    /// <summary>Ordering by wire value.</summary>
    public static bool operator <=(Community left, Community right) => left.Value <= right.Value;

    /// <summary>Ordering by wire value.</summary>
    public static bool operator >=(Community left, Community right) => left.Value >= right.Value;
}
