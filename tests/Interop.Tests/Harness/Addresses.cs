namespace FailoverHub.Interop.Tests.Harness;

/// <summary>The addresses of the imitated data center: those of the platform with dcid 18, and documentation prefixes.</summary>
internal static class Addresses
{
    public const string RouteServerNetwork = "servers";
    public const string DataCenterId = "18";
    public const string SharedIpv4 = "203.0.113.10/32";
    public const string SharedRange64 = "2001:db8:e001:1b8c::/64";
    public const string SharedRange56 = "2001:db8:e002:1b00::/56";
    public const string Gateway = "2600:3c0f:18:1::1";
    public const string Primary = "65000:1";
    public const string Secondary = "65000:2";

    /// <summary>One of every kind of prefix that the platform can share.</summary>
    public static readonly string[] Shared = [SharedIpv4, SharedRange64, SharedRange56];

    /// <summary>Nodes that the route servers know.</summary>
    public static readonly string[] Nodes = ["a", "b"];

    /// <summary>Where the nodes' packets for the IPv4 addresses of the route servers go.</summary>
    public const string GatewayIpv4 = "192.0.2.1";

    /// <summary>Where the fabric speaks BGP with the route servers, when there is one that forwards.</summary>
    public const string Fabric = "2600:3c0f:18:34::ff";

    /// <summary>Network namespace of the client, behind the fabric.</summary>
    public const string ClientNetwork = "client";

    /// <summary>What the client asks for: an address of the shared /32 and one of the shared /64.</summary>
    public static readonly string[] SharedHosts = ["203.0.113.10", "2001:db8:e001:1b8c::1"];

    /// <summary>Address of a route server, 1 to 4.</summary>
    public static string RouteServer(int number) => $"2600:3c0f:{DataCenterId}:34::{number}";

    /// <summary>Its address where sessions run over IPv4, which the platform does not do.</summary>
    public static string RouteServerIpv4(int number) => $"198.51.100.{number}";

    /// <summary>Address of a node, by its one hexadecimal letter.</summary>
    public static string Node(string letter) => $"2600:3c0f:18:1::{letter}";

    /// <summary>Its address where sessions run over IPv4.</summary>
    public static string NodeIpv4(string letter) => $"192.0.2.{Convert.ToInt32(letter, 16)}";

    /// <summary>So many prefixes that could be shared, half of them IPv4 /32, half IPv6 /64. The first is the one that every node has an address of.</summary>
    public static IReadOnlyList<string> Many(int count) =>
    [
        SharedIpv4,
        .. Enumerable.Range(0, (count / 2) - 1).Select(n => $"198.18.{n / 256}.{n % 256}/32"),
        .. Enumerable.Range(1, count - (count / 2)).Select(n => $"2001:db8:f000:{n:x}::/64"),
    ];

    /// <summary>Network namespace of a node.</summary>
    public static string NodeNetwork(string letter) => $"node-{letter}";
}
