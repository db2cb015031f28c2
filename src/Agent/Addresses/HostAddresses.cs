using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace FailoverHub.Agent.Addresses;

/// <summary>What the kernel says about the addresses of this host.</summary>
internal static class HostAddresses
{
    private const string Ipv6Addresses = "/proc/net/if_inet6";
    private const int PermanentFlag = 0x80; // IFA_F_PERMANENT

    /// <exception cref="NetworkInformationException">The kernel did not say.</exception>
    public static List<InterfaceAddress> Read()
    {
        var dynamic = DynamicIpv6Addresses();
        var found = new List<InterfaceAddress>();
        foreach (var @interface in NetworkInterface.GetAllNetworkInterfaces())
        {
            var isLoopback = @interface.NetworkInterfaceType == NetworkInterfaceType.Loopback;
            var properties = @interface.GetIPProperties();
            var towardsGateway = !isLoopback && properties.GatewayAddresses.Any(gateway => gateway.Address.AddressFamily == AddressFamily.InterNetwork);
            var identifier = isLoopback ? null : InterfaceIdentifier(@interface.GetPhysicalAddress().GetAddressBytes());
            foreach (var unicast in properties.UnicastAddresses)
            {
                // Without the scope, so that two spellings of one address are one address.
                var address = new IPAddress(unicast.Address.GetAddressBytes());
                found.Add(new InterfaceAddress(@interface.Name, isLoopback, address, unicast.PrefixLength)
                {
                    IsDynamic = dynamic.Contains(address),
                    IsFromHardware = identifier is not null && address.AddressFamily == AddressFamily.InterNetworkV6 && address.GetAddressBytes().AsSpan(8).SequenceEqual(identifier),
                    IsTowardsGateway = towardsGateway,
                });
            }
        }

        return found;
    }

    /// <summary>The addresses that the kernel would dial these neighbors from. Sends nothing.</summary>
    public static ImmutableArray<IPAddress> SourcesTowards(IEnumerable<IPAddress> neighbors)
    {
        var sources = ImmutableArray.CreateBuilder<IPAddress>();
        foreach (var neighbor in neighbors)
        {
            using var socket = new Socket(neighbor.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                socket.Connect(neighbor, 9);
            }
            catch (SocketException)
            {
                // No route to it: then there is no source either.
                continue;
            }

            if (socket.LocalEndPoint is IPEndPoint local && !sources.Contains(local.Address))
            {
                sources.Add(local.Address);
            }
        }

        return sources.ToImmutable();
    }

    // Lines: address in 32 hex digits, then in hex the interface's index, the length, the scope and the flags, and the interface's name.
    private static HashSet<IPAddress> DynamicIpv6Addresses()
    {
        var dynamic = new HashSet<IPAddress>();
        if (!File.Exists(Ipv6Addresses))
        {
            return dynamic;
        }

        foreach (var line in File.ReadLines(Ipv6Addresses))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [{ Length: 32 } hex, _, _, _, var flags, ..]
                && int.TryParse(flags, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits)
                && (bits & PermanentFlag) == 0)
            {
                dynamic.Add(new IPAddress(Convert.FromHexString(hex)));
            }
        }

        return dynamic;
    }

    // Modified EUI-64 (RFC 4291 appendix A): the MAC with ff:fe in its middle and the universal bit turned over.
    private static byte[]? InterfaceIdentifier(byte[] mac) =>
        mac is [var a, var b, var c, var d, var e, var f] ? [(byte)(a ^ 2), b, c, 0xff, 0xfe, d, e, f] : null;
}
