using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Addresses;

/// <summary>Who the node is, for ids that must differ between nodes.</summary>
/// <param name="MachineId">Of the host's installation; empty: it has none.</param>
/// <param name="Node">Name of the node.</param>
internal sealed record NodeIdentity(string MachineId, string Node)
{
    /// <summary>Tells one node from another. Both parts are readable to everybody on the host already.</summary>
    public string Fingerprint => $"{MachineId}/{Node}";

    /// <summary>Four octets that look like an ordinary unicast address: 1.0.0.0 to 223.255.255.255, without 127.</summary>
    public RouterId DerivedRouterId()
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"failoverhub router id\n{MachineId}\n{Node}"))[..4];
        var first = (bytes[0] % 222) + 1;
        bytes[0] = (byte)(first >= 127 ? first + 1 : first);
        return new RouterId(BinaryPrimitives.ReadUInt32BigEndian(bytes));
    }
}

/// <summary>
/// The router id of a node that was given none. It must differ between the nodes (the vendor's client has 10.0.0.1 on all of them), so
/// nothing that two nodes can have in common is used: no shared address, no address of a bridge that every container host has.
/// </summary>
internal static class RouterIdChooser
{
    public static RouterId Choose(
        IPAddress? localIpv4,
        IReadOnlyList<InterfaceAddress> addresses,
        ImmutableHashSet<IPNetwork> shared,
        NodeIdentity identity)
    {
        if (localIpv4 is not null && FromAddress(localIpv4) is { } fromLocal)
        {
            return fromLocal;
        }

        return addresses
            .Where(address => !address.IsLoopback && address.IsTowardsGateway && address.PrefixLength < 32
                && address.Address.AddressFamily == AddressFamily.InterNetwork
                && !IPAddress.IsLoopback(address.Address)
                && !shared.Contains(new IPNetwork(address.Address, 32)))
            .Select(address => FromAddress(address.Address))
            .FirstOrDefault(routerId => routerId is not null) ?? identity.DerivedRouterId();
    }

    private static RouterId? FromAddress(IPAddress address) =>
        RouterId.TryParse(address.ToString(), out var routerId) ? routerId : null;
}
