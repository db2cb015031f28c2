using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Speaker;

/// <summary>One neighbor and how it is to be dialled.</summary>
internal sealed record PeerOptions
{
    public required NeighborEndpoint Neighbor { get; init; }

    /// <summary>Null: the kernel chooses.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>When no interface has <see cref="LocalAddress"/>, the kernel chooses; else the dial fails.</summary>
    public bool LocalAddressIsOptional { get; init; }

    /// <summary>Makes the socket of a dial. The kernel may refuse: no descriptor left, an address family that is switched off.</summary>
    public Func<AddressFamily, Socket> NewSocket { get; init; } = static family => new Socket(family, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Hops that our packets may take, 1 to 255.</summary>
    public int Ttl { get; init; } = 16;

    /// <summary>
    /// GTSM (RFC 5082): the most hops to the neighbor, 1 to 254. We send with a TTL of 255 whatever <see cref="Ttl"/> says, and the kernel
    /// drops what comes with less than 256 minus this: nobody farther away can speak in the session. Null: off.
    /// </summary>
    public int? TtlSecurity { get; init; }

    /// <summary>How the segments are signed; null: not at all. Belongs to whoever made it and is disposed of after the speaker.</summary>
    public PeerAuthentication? Authentication { get; init; }

    public required SessionOptions Session { get; init; }

    /// <summary>
    /// How long a dial may go without an answer. A route server that is there answers within a round trip or two. Shorter than the session's
    /// own wait for it with the most of jitter (0.75 x 5 s), so that it is always this one that ends and says so.
    /// </summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(3.5);

    /// <summary>How long a closed connection is still read, so that unread input does not turn our goodbye into a reset.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Bytes that may wait for a slow neighbor: ten thousands of prefixes.</summary>
    public int OutputLimit { get; init; } = 4 * 1024 * 1024;
}
