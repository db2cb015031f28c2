using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Agent.Configuration;

/// <summary>
/// The addresses of a data center's four route servers. The pattern has two places, both written <c>%d</c> as in the vendor's client:
/// the data center's id, in decimal digits (id 18 stands as <c>18</c> in the hextet, not as 0x12), and the number of the route server.
/// </summary>
internal static class NeighborPattern
{
    public const string Default = "2600:3c0f:%d:34::%d";

    private const string Place = "%d";
    private const int RouteServers = 4;

    /// <summary>False: the pattern has not two places, or what comes out is no IPv6 address.</summary>
    public static bool TryExpand(string pattern, int dataCenter, int port, out ImmutableArray<NeighborEndpoint> neighbors)
    {
        neighbors = [];
        var parts = pattern.Split(Place);
        if (parts.Length != 3)
        {
            return false;
        }

        var builder = ImmutableArray.CreateBuilder<NeighborEndpoint>(RouteServers);
        for (var number = 1; number <= RouteServers; number++)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{parts[0]}{dataCenter}{parts[1]}{number}{parts[2]}");
            if (!IPAddress.TryParse(text, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6)
            {
                return false;
            }

            builder.Add(new NeighborEndpoint(address, port));
        }

        neighbors = builder.MoveToImmutable();
        return true;
    }
}
