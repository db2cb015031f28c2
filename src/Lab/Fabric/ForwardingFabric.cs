using System.Net;
using System.Net.Sockets;
using FailoverHub.Lab.Routes;
using FailoverHub.Lab.RouteServers;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab.Fabric;

/// <summary>
/// What the platform's routers do: packets for a shared address go to the node that holds its best route, and nowhere when none does. On one
/// machine without root that is a relay per announced address. Told by the routing loop, which waits until the change is done.
/// </summary>
internal sealed class ForwardingFabric : IRoutingObserver, IAsyncDisposable
{
    /// <summary>Shared addresses at once; further ones are not forwarded.</summary>
    private const int MaximumAddresses = 64;

    private readonly Dictionary<IPNetwork, SharedAddress?> _addresses = [];
    private readonly FabricPorts _ports;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public ForwardingFabric(FabricPorts ports, TimeProvider time, ILogger logger)
    {
        _ports = ports;
        _time = time;
        _logger = logger;
    }

    public async ValueTask OnChangedAsync(RoutingEvent happened, RoutingState before, RoutingState after)
    {
        if (ReferenceEquals(before.Holders, after.Holders))
        {
            return;
        }

        foreach (var prefix in before.Holders.Keys.Union(after.Holders.Keys))
        {
            var from = before.Holders.GetValueOrDefault(prefix)?.Offer.NextHop;
            var to = after.Holders.GetValueOrDefault(prefix)?.Offer.NextHop;
            if (!Equals(from, to) && AddressOf(prefix) is { } address)
            {
                await MoveAsync(address, from, to);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var address in _addresses.Values.OfType<SharedAddress>())
        {
            await address.Tcp.DisposeAsync();
            await address.Udp.DisposeAsync();
        }

        _addresses.Clear();
    }

    private async Task MoveAsync(SharedAddress address, IPAddress? from, IPAddress? to)
    {
        try
        {
            var flows = address.Udp.SetHolder(to);
            var relays = await address.Tcp.SetHolderAsync(to);
            if (from is not null && relays + flows > 0)
            {
                _logger.RelaysCut(address.Address, relays, from, flows);
            }
        }
        catch (SocketException error)
        {
            _logger.AddressNotForwarded(new IPNetwork(address.Address, 32), error.Message);
        }
    }

    private SharedAddress? AddressOf(IPNetwork prefix)
    {
        if (_addresses.TryGetValue(prefix, out var known))
        {
            return known;
        }

        var address = Create(prefix);
        if (_addresses.Count < MaximumAddresses)
        {
            _addresses[prefix] = address;
        }

        return address;
    }

    private SharedAddress? Create(IPNetwork prefix)
    {
        if (!IPAddress.IsLoopback(prefix.BaseAddress) || prefix.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
        {
            _logger.AddressNotForwarded(prefix, "this fabric forwards IPv4 addresses of the loopback network only");
            return null;
        }

        if (_addresses.Count >= MaximumAddresses)
        {
            _logger.AddressNotForwarded(prefix, $"{MaximumAddresses} addresses are forwarded already, that is the limit");
            return null;
        }

        try
        {
            return new SharedAddress(
                prefix.BaseAddress,
                new TcpRelay(new IPEndPoint(prefix.BaseAddress, _ports.Tcp), _time, _logger),
                new UdpRelay(new IPEndPoint(prefix.BaseAddress, _ports.Udp), _time));
        }
        catch (SocketException error)
        {
            _logger.AddressNotForwarded(prefix, error.Message);
            return null;
        }
    }

    private sealed record SharedAddress(IPAddress Address, TcpRelay Tcp, UdpRelay Udp);
}

/// <summary>Ports that are forwarded, the same at the shared address and at the nodes.</summary>
internal sealed record FabricPorts(int Tcp, int Udp);
