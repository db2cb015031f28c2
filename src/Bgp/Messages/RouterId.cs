using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Bgp.Messages;

/// <summary>A BGP Identifier: four octets, not zero, unique within the AS (RFC 6286 2.1), written as an IPv4 address.</summary>
public readonly record struct RouterId
{
    /// <summary>The four octets as a number.</summary>
    public uint Value { get; }

    /// <summary>Makes a router id.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero.</exception>
    public RouterId(uint value)
    {
        ArgumentOutOfRangeException.ThrowIfZero(value);
        Value = value;
    }

    /// <summary>Reads the usual notation, <c>192.0.2.1</c>.</summary>
    public static bool TryParse(string? text, out RouterId routerId)
    {
        routerId = default;
        if (text is null || text.Count(c => c == '.') != 3 || !IPAddress.TryParse(text, out var address) || address.AddressFamily != AddressFamily.InterNetwork)
        {
            return false;
        }

        var value = BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());
        if (value == 0)
        {
            return false;
        }

        routerId = new RouterId(value);
        return true;
    }

    /// <summary>The usual notation, <c>192.0.2.1</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Value >> 24}.{(Value >> 16) & 0xff}.{(Value >> 8) & 0xff}.{Value & 0xff}");
}
