using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability;

/// <summary>Tries to open an ICMP socket: null and why, when it may not.</summary>
internal delegate (IcmpSocket? Socket, string? Why) OpenIcmp(AddressFamily family);

/// <summary>
/// ICMP echo over one socket per address family. A socket that may not be opened is a problem of the hub, tried again every ten seconds:
/// it never makes an address look down.
/// </summary>
internal sealed class IcmpProbe : IProbe, IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time;
    private readonly OpenIcmp _open;
    private readonly Lock _gate = new();
    private readonly Dictionary<AddressFamily, Opening> _openings = [];

    public IcmpProbe(TimeProvider time, OpenIcmp? open = null)
    {
        _time = time;
        _open = open ?? (family => IcmpSocket.TryOpen(family, time, out IcmpSocket? socket, out string? why) ? (socket, null) : (null, why));
    }

    public ProbeMethod Method => ProbeMethod.Icmp;

    public int? Port => null;

    public string? ProblemFor(IPAddress address) => SocketFor(address.AddressFamily) is { Socket: null, Why: var why }
        ? $"No ICMP socket: {why}. Widen net.ipv4.ping_group_range to the hub's group, or give the hub CAP_NET_RAW, or probe with --probe tcp:PORT."
        : null;

    public Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken) =>
        SocketFor(address.AddressFamily).Socket is { } socket
            ? socket.SendAsync(address, timeout, cancellationToken)
            : throw new InvalidOperationException($"Ask {nameof(ProblemFor)} first: there is no socket to send with.");

    public async ValueTask DisposeAsync()
    {
        Opening[] openings;
        lock (_gate)
        {
            openings = [.. _openings.Values];
            _openings.Clear();
        }

        foreach (Opening opening in openings)
        {
            if (opening.Socket is { } socket)
            {
                await socket.DisposeAsync();
            }
        }
    }

    private Opening SocketFor(AddressFamily family)
    {
        lock (_gate)
        {
            if (_openings.TryGetValue(family, out Opening? known) && (known.Socket is not null || _time.GetElapsedTime(known.TriedAt) < RetryAfter))
            {
                return known;
            }

            (IcmpSocket? socket, string? why) = _open(family);
            return _openings[family] = new Opening(socket, why, _time.GetTimestamp());
        }
    }

    private sealed record Opening(IcmpSocket? Socket, string? Why, long TriedAt);
}
