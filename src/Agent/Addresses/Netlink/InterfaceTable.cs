using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>The interfaces and their addresses at one moment. Pure.</summary>
internal sealed class InterfaceTable
{
    private const byte FromRouter = 2; // IFAPROT_KERNEL_RA

    private readonly Dictionary<int, NetlinkMessage.Link> _links = [];
    private readonly List<NetlinkMessage.Address> _addresses = [];

    // For events only: the start of the agent needs none of them.
    private HashSet<NetlinkMessage.Address>? _known;
    private HashSet<NetlinkMessage.Address>? _places;

    /// <param name="messages">Answers to both questions, in any order.</param>
    public InterfaceTable(IEnumerable<NetlinkMessage> messages)
    {
        foreach (var message in messages)
        {
            switch (message)
            {
                case NetlinkMessage.Link { IsRemoved: false } link:
                    _links[link.Index] = link with { Sequence = 0 };
                    break;
                case NetlinkMessage.Address { IsRemoved: false } address:
                    _addresses.Add(address with { Sequence = 0 });
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>False: the tables changed while they were read, so something may be missing that is there.</summary>
    public bool IsCertain { get; init; } = true;

    /// <summary>Number of an interface; null: there is none of this name.</summary>
    public int? IndexOf(string name) => _links.Values.FirstOrDefault(link => link.Name == name)?.Index;

    /// <summary>The interface to use where none is named.</summary>
    public int? Loopback => _links.Values.FirstOrDefault(link => link.Flags.HasFlag(LinkFlags.Loopback))?.Index;

    /// <summary>The table would be another one after this. What a router repeats every few seconds is no change.</summary>
    public bool IsChangedBy(NetlinkMessage message) => message switch
    {
        NetlinkMessage.Link { IsRemoved: true } link => _links.ContainsKey(link.Index),
        NetlinkMessage.Link link => !_links.TryGetValue(link.Index, out var known) || known != link with { Sequence = 0 },
        NetlinkMessage.Address { IsRemoved: true } address => (_places ??= [.. _addresses.Select(Place)]).Contains(Place(address)),
        NetlinkMessage.Address address => !(_known ??= [.. _addresses]).Contains(address with { Sequence = 0 }),
        _ => false,
    };

    /// <summary>The addresses as the agent's rules look at them.</summary>
    /// <param name="towardsGateway">Name of the interface that leads to the IPv4 default gateway; null: none does.</param>
    public IReadOnlyList<InterfaceAddress> Addresses(string? towardsGateway)
    {
        var found = new List<InterfaceAddress>(_addresses.Count);
        foreach (var address in _addresses)
        {
            // Made between the two questions, or gone between them: an event tells of it.
            if (_links.TryGetValue(address.Index, out var link))
            {
                found.Add(Describe(link, address, towardsGateway));
            }
        }

        return found;
    }

    private static InterfaceAddress Describe(NetlinkMessage.Link link, NetlinkMessage.Address address, string? towardsGateway)
    {
        var isIpv6 = address.Ip.AddressFamily == AddressFamily.InterNetworkV6;
        var isLoopback = link.Flags.HasFlag(LinkFlags.Loopback);
        var ofItself = AddressFlags.ManagesTemporary | AddressFlags.StablePrivacy | (isIpv6 ? AddressFlags.Temporary : 0);
        var isTentative = address.Flags.HasFlag(AddressFlags.Tentative) && !address.Flags.HasFlag(AddressFlags.Optimistic);
        return new InterfaceAddress(link.Name, isLoopback, address.Ip, address.PrefixLength)
        {
            IsDynamic = !address.Flags.HasFlag(AddressFlags.Permanent) || (address.Flags & ofItself) != 0 || address.Origin == FromRouter,
            IsFromHardware = isIpv6 && !isLoopback && link.Hardware != 0 && HasIdentifier(address.Ip, link.Hardware),
            IsTowardsGateway = !isLoopback && link.Name == towardsGateway,
            IsUsable = link.Flags.HasFlag(LinkFlags.Up) && !isTentative && !address.Flags.HasFlag(AddressFlags.DuplicateFound),
        };
    }

    // Modified EUI-64 (RFC 4291 appendix A): the MAC with ff:fe in its middle and the universal bit turned over.
    private static bool HasIdentifier(IPAddress address, ulong mac)
    {
        var octets = address.GetAddressBytes();
        var identifier = 0UL;
        foreach (var octet in octets.AsSpan(8))
        {
            identifier = (identifier << 8) | octet;
        }

        return identifier == ((((mac >> 24) ^ 0x020000) << 40) | (0xfffeUL << 24) | (mac & 0xffffff));
    }

    // What tells one address from another: its flags may have changed since.
    private static NetlinkMessage.Address Place(NetlinkMessage.Address address) => address with { Sequence = 0, IsRemoved = false, Flags = AddressFlags.None, Origin = 0 };
}
