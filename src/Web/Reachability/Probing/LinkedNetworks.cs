using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Numerics;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>The networks that the hub's machine reaches without a gateway, as Linux tells of them in /proc/net: whoever answers from there says nothing of the way out.</summary>
internal static class LinkedNetworks
{
    private static readonly ImmutableArray<IPNetwork> Itself = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")];

    /// <summary>Reads them; the machine itself alone of a family whose table cannot be read.</summary>
    public static ImmutableArray<IPNetwork> Read() => Read(RouteTables.Folder);

    /// <summary>Reads them in a folder like /proc/net.</summary>
    internal static ImmutableArray<IPNetwork> Read(string folder) => [.. Itself.Concat(RouteTables.IPv4(folder, OfIPv4)).Concat(RouteTables.IPv6(folder, OfIPv6)).Distinct()];

    /// <summary>Half of the Internet by a tunnel is no network of the hub's own.</summary>
    private const int ShortestPrefix = 8;

    // RTF_UP, RTF_GATEWAY and RTF_REJECT of linux/route.h.
    private const uint Up = 0x0001;
    private const uint Gateway = 0x0002;
    private const uint Reject = 0x0200;

    /// <summary>Interface, destination, gateway, flags, …, mask; addresses as numbers in the machine's order of bytes.</summary>
    internal static IEnumerable<IPNetwork> OfIPv4(IEnumerable<string> lines) =>
        from line in lines.Skip(1)
        let part = line.Split('\t', StringSplitOptions.TrimEntries)
        where part.Length > 7 && IsLink(part[3])
        let length = BitOperations.PopCount(Number(part[7]))
        where length >= ShortestPrefix
        select new IPNetwork(new IPAddress(BitConverter.GetBytes(Number(part[1]))), length);

    /// <summary>Destination, its length, source, its length, next hop, metric, references, use, flags, interface; all in hexadecimal digits.</summary>
    internal static IEnumerable<IPNetwork> OfIPv6(IEnumerable<string> lines) =>
        from line in lines
        let part = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        where part.Length > 9 && IsLink(part[8])
        let length = (int)Number(part[1])
        where length >= ShortestPrefix
        select new IPNetwork(new IPAddress(Convert.FromHexString(part[0])), length);

    private static bool IsLink(string flags) => (Number(flags) & (Up | Gateway | Reject)) == Up;

    private static uint Number(string hexadecimal) => uint.Parse(hexadecimal, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
