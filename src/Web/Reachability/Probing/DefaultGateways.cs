using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>The machine's default gateways, as Linux tells of them in /proc/net. A default route that names none (a tunnel) is told as the family's unspecified address.</summary>
internal static class DefaultGateways
{
    /// <summary>Reads them; none of a family whose table cannot be read.</summary>
    public static ImmutableArray<IPAddress> Read() => Read(RouteTables.Folder);

    /// <summary>Reads them in a folder like /proc/net.</summary>
    internal static ImmutableArray<IPAddress> Read(string folder) =>
        [.. RouteTables.IPv4(folder, OfIPv4).Concat(RouteTables.IPv6(folder, lines => OfIPv6(lines, ScopeOf))).Distinct()];

    // RTF_UP and RTF_REJECT of linux/route.h: a route that leads nowhere is none.
    private const uint Up = 0x0001;
    private const uint Reject = 0x0200;

    /// <summary>Interface, destination, gateway, flags, …; addresses as numbers in the machine's order of bytes.</summary>
    internal static IEnumerable<IPAddress> OfIPv4(IEnumerable<string> lines) =>
        from line in lines.Skip(1)
        let part = line.Split('\t', StringSplitOptions.TrimEntries)
        where part.Length > 7 && part[1] == "00000000" && part[7] == "00000000" && LeadsOut(part[3])
        select new IPAddress(BitConverter.GetBytes(uint.Parse(part[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture)));

    /// <summary>Destination, its length, source, its length, next hop, metric, references, use, flags, interface; all in hexadecimal digits.</summary>
    internal static IEnumerable<IPAddress> OfIPv6(IEnumerable<string> lines, Func<string, long> scopeOf) =>
        from line in lines
        let part = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        where part.Length > 9 && part[0].All(c => c == '0') && part[1] == "00" && LeadsOut(part[8])
        let address = new IPAddress(Convert.FromHexString(part[4]))
        select address.IsIPv6LinkLocal ? new IPAddress(address.GetAddressBytes(), scopeOf(part[9])) : address;

    private static bool LeadsOut(string flags) => (uint.Parse(flags, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (Up | Reject)) == Up;

    private static long ScopeOf(string device)
    {
        string index = $"/sys/class/net/{device}/ifindex";
        return File.Exists(index) ? long.Parse(File.ReadAllText(index), CultureInfo.InvariantCulture) : 0;
    }
}
