using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses.Netlink;

namespace FailoverHub.Agent.Addresses;

/// <summary>What the kernel says about the addresses of this host. Reads the interfaces; without netlink in an older way. Belongs to one reader at a time.</summary>
/// <param name="byNetlink">Asks the kernel.</param>
/// <param name="withoutNetlink">Asks it in the older way.</param>
internal sealed class HostAddresses(Func<InterfaceTable> byNetlink, Func<InterfaceTable> withoutNetlink)
{
    private const string Ipv4Routes = "/proc/net/route";

    private bool _hasNetlink = true;

    /// <summary>Of the kernel.</summary>
    public HostAddresses()
        : this(NetlinkReader.Read, InterfacesWithoutNetlink.Read)
    {
    }

    /// <summary>As they were read last; null: never.</summary>
    public InterfaceTable? Table { get; private set; }

    /// <exception cref="SocketException">The kernel did not say.</exception>
    /// <exception cref="IOException">Likewise.</exception>
    public IReadOnlyList<InterfaceAddress> Read()
    {
        Table = ReadTable();
        return Table.Addresses(InterfaceTowardsGateway(Ipv4Routes));
    }

    private InterfaceTable ReadTable()
    {
        if (_hasNetlink)
        {
            try
            {
                return byNetlink();
            }
            catch (NetlinkException exception) when (exception.IsUnavailable)
            {
                // Whoever watches says so.
                _hasNetlink = false;
            }
        }

        return withoutNetlink();
    }

    /// <summary>The name of the interface that leads to the IPv4 default gateway, null: there is no such route.</summary>
    /// <param name="routes">Path of a file like <c>/proc/net/route</c>: a heading, then lines of the interface's name, destination, gateway, flags and more, in hex.</param>
    public static string? InterfaceTowardsGateway(string routes)
    {
        if (!File.Exists(routes))
        {
            return null;
        }

        // Ordered by destination, so the default routes come first, and a million others are not looked at.
        foreach (var line in File.ReadLines(routes).Skip(1))
        {
            if (line.Split('\t', 4) is not [var name, var destination, var gateway, _] || !IsZero(destination))
            {
                return null;
            }

            if (!IsZero(gateway))
            {
                return name;
            }
        }

        return null;
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

    /// <summary>Where packets to this address would go. Asks the kernel's routes, and sends nothing.</summary>
    /// <param name="address">Any family.</param>
    public static AddressStanding StandingOf(IPAddress address)
    {
        if (IPAddress.IsLoopback(address))
        {
            return AddressStanding.Own;
        }

        try
        {
            // To an address of its own the kernel sends from just that address.
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(address, 9);
            return socket.LocalEndPoint is IPEndPoint local && local.Address.Equals(address) ? AddressStanding.Own : AddressStanding.Elsewhere;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is not (SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable))
        {
            return AddressStanding.NoRoute;
        }
        catch (SocketException)
        {
            // Nothing is known, and whoever asks will meet the same trouble.
            return AddressStanding.Elsewhere;
        }
    }

    private static bool IsZero(string hex) => uint.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) && number == 0;
}

/// <summary>Where an address is, seen from this machine.</summary>
internal enum AddressStanding
{
    /// <summary>Packets to it leave the machine.</summary>
    Elsewhere,

    /// <summary>This machine answers to it.</summary>
    Own,

    /// <summary>There is no way to it, or its family is switched off.</summary>
    NoRoute,
}
