using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace FailoverHub.Agent.Addresses;

/// <summary>
/// What the kernel says about the addresses of this host. Two small files of the kernel tell whether an address has come or gone since the
/// last time; then every interface is asked, which costs a hundred times as much. An address that moved to another interface changes
/// neither file, so every second reading asks the interfaces in any case. Belongs to one reader.
/// </summary>
/// <param name="readTables">The contents of those files, null: there are none.</param>
/// <param name="readInterfaces">Asks every interface.</param>
internal sealed class HostAddresses(Func<byte[]?> readTables, Func<IReadOnlyList<InterfaceAddress>> readInterfaces)
{
    private const string Ipv6Addresses = "/proc/net/if_inet6";
    private const string Ipv4Routes = "/proc/net/fib_trie";
    private const int PermanentFlag = 0x80; // IFA_F_PERMANENT

    private byte[]? _tables;
    private bool _lastWasShort;
    private IReadOnlyList<InterfaceAddress> _last = [];

    /// <summary>Of the kernel.</summary>
    public HostAddresses()
        : this(ReadTables, ReadInterfaces)
    {
    }

    /// <exception cref="NetworkInformationException">The kernel did not say.</exception>
    /// <exception cref="IOException">Likewise.</exception>
    public IReadOnlyList<InterfaceAddress> Read()
    {
        var tables = readTables();
        var isShort = !_lastWasShort && tables is not null && _tables is not null && tables.AsSpan().SequenceEqual(_tables);
        if (!isShort)
        {
            _last = readInterfaces();

            // Kept only after a whole read, and taken before it: a change in between is seen the next time.
            _tables = tables;
        }

        _lastWasShort = isShort;
        return _last;
    }

    // Every IPv4 address is a local route in the one, every IPv6 address a line in the other. Null: there are no such files here.
    private static byte[]? ReadTables() =>
        File.Exists(Ipv4Routes) ? [.. File.ReadAllBytes(Ipv4Routes), .. File.Exists(Ipv6Addresses) ? File.ReadAllBytes(Ipv6Addresses) : []] : null;

    private static List<InterfaceAddress> ReadInterfaces()
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
    /// <param name="neighbors">Any family.</param>
    /// <param name="newSocket">Makes a datagram socket; null: of the kernel.</param>
    public static ImmutableArray<IPAddress> SourcesTowards(IEnumerable<IPAddress> neighbors, Func<AddressFamily, Socket>? newSocket = null)
    {
        var sources = ImmutableArray.CreateBuilder<IPAddress>();
        foreach (var neighbor in neighbors)
        {
            try
            {
                using var socket = newSocket?.Invoke(neighbor.AddressFamily) ?? new Socket(neighbor.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
                socket.Connect(neighbor, 9);
                if (socket.LocalEndPoint is IPEndPoint local && !sources.Contains(local.Address))
                {
                    sources.Add(local.Address);
                }
            }
            catch (SocketException exception) when (exception.SocketErrorCode != SocketError.TooManyOpenSockets)
            {
                // No route to it, or its family is switched off: then there is no source either. Having no descriptor left says nothing
                // about sources: that reading fails as a whole, and what was known before stays.
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
