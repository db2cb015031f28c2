using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Addresses;

/// <summary>An address as an interface of the host has it.</summary>
/// <param name="Interface">Its name.</param>
/// <param name="IsLoopback">The interface is the loopback one.</param>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="PrefixLength">As configured.</param>
internal sealed record InterfaceAddress(string Interface, bool IsLoopback, IPAddress Address, int PrefixLength)
{
    /// <summary>It was given to the node by a router or a DHCP server, and is taken back by itself: never a shared address.</summary>
    public bool IsDynamic { get; init; }

    /// <summary>The interface's own identifier stands in the lower half (EUI-64 of its MAC): the address of the node, not a shared one.</summary>
    public bool IsFromHardware { get; init; }

    /// <summary>The interface leads to the host's IPv4 default gateway.</summary>
    public bool IsTowardsGateway { get; init; }

    /// <summary>The kernel answers to it: its interface is up, and no other host was found to have it, nor is one looked for still.</summary>
    public bool IsUsable { get; init; } = true;
}

/// <summary>How the interfaces are to be read.</summary>
/// <param name="AllInterfaces">Not only loopback.</param>
/// <param name="Ipv6Length">64 or 56: what other lengths of IPv6 are widened to.</param>
/// <param name="OwnAddresses">Addresses that the node itself lives by, as the operator said: what it dials from.</param>
internal sealed record AddressRuleOptions(bool AllInterfaces, int Ipv6Length, ImmutableArray<IPAddress> OwnAddresses)
{
    /// <summary>
    /// What the kernel would dial the neighbors from. Only a guess, because the kernel may well prefer a shared address of the same
    /// interface: it counts for a family in which nothing else on that interface tells the node's own address.
    /// </summary>
    public ImmutableArray<IPAddress> Sources { get; init; } = [];

    /// <summary>What the agent itself has put on an interface: shared, also where the kernel would dial from it.</summary>
    public ImmutableHashSet<IPNetwork> PutHere { get; init; } = [];

    /// <summary>An interface that counts as loopback does; null: none.</summary>
    public string? Device { get; init; }
}

/// <summary>Which shared prefixes the addresses of the interfaces stand for: the vendor client's rules, without its announcing the node's own network.</summary>
internal static class AddressRules
{
    public static ImmutableHashSet<IPNetwork> Find(IReadOnlyList<InterfaceAddress> addresses, AddressRuleOptions options)
    {
        options = options with { OwnAddresses = [.. options.OwnAddresses, .. options.Sources.Where(source => !options.PutHere.Any(prefix => prefix.Contains(source)) && !IsOwnKnown(addresses, options, source))] };
        var own = OwnPrefixes(addresses, options);
        return
        [
            .. addresses
                .Where(address => IsCandidate(address, options))
                .Select(address => Widen(address, options.Ipv6Length))
                .Where(prefix => !own.Contains(prefix)),
        ];
    }

    private static bool IsCandidate(InterfaceAddress candidate, AddressRuleOptions options)
    {
        var address = candidate.Address;
        if (!candidate.IsUsable || !(candidate.IsLoopback || options.AllInterfaces || candidate.Interface == options.Device) || IPAddress.IsLoopback(address) || IsLinkLocal(address) || address.IsIPv6Multicast)
        {
            return false;
        }

        return address.AddressFamily == AddressFamily.InterNetwork ? candidate.PrefixLength == 32 : !IsOwn(candidate, options);
    }

    // The whole /64 (and /56) of such an address is the node's own: another address in it, static or not, is not shared either.
    private static HashSet<IPNetwork> OwnPrefixes(IReadOnlyList<InterfaceAddress> addresses, AddressRuleOptions options) =>
    [
        .. addresses.Where(address => !address.IsLoopback && IsOwn(address, options)).Select(address => Widen(address, options.Ipv6Length)),
        .. options.OwnAddresses.Select(address => SharedPrefix.Of(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : options.Ipv6Length)),
    ];

    // On the interface that the source is on: what a router tells another one says nothing about this one.
    private static bool IsOwnKnown(IReadOnlyList<InterfaceAddress> addresses, AddressRuleOptions options, IPAddress source)
    {
        var device = addresses.FirstOrDefault(address => address.Address.Equals(source))?.Interface;
        return options.OwnAddresses.Any(own => own.AddressFamily == source.AddressFamily)
            || addresses.Any(address => address.Interface == device && address.Address.AddressFamily == source.AddressFamily && !IsLinkLocal(address.Address) && IsOwn(address, options));
    }

    private static bool IsOwn(InterfaceAddress address, AddressRuleOptions options) =>
        !address.IsLoopback && (address.IsDynamic || address.IsFromHardware || options.OwnAddresses.Contains(address.Address));

    private static IPNetwork Widen(InterfaceAddress address, int ipv6Length) =>
        address.Address.AddressFamily == AddressFamily.InterNetwork
            ? new IPNetwork(address.Address, 32)
            : SharedPrefix.Of(address.Address, address.PrefixLength is 64 or 56 ? address.PrefixLength : ipv6Length);

    private static bool IsLinkLocal(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6
            ? address.IsIPv6LinkLocal
            : address.GetAddressBytes() is [169, 254, ..];
}
