using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Speaker.Sockets;

namespace FailoverHub.Agent.Doctor;

/// <summary>
/// Finds out how this machine reaches a route server. Connects and listens for a moment; nothing is ever sent, so no session begins. One that knows this machine
/// begins with its OPEN; one that does not closes the connection.
/// </summary>
internal static class RouteServerProbe
{
    /// <summary>For the connection to be made.</summary>
    public static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(3);

    /// <summary>For the first word, or the end.</summary>
    public static readonly TimeSpan ListenPatience = TimeSpan.FromSeconds(1);

    // Every message of BGP begins so (RFC 4271 4.1).
    private const byte Marker = 0xff;

    /// <summary>The address that the kernel would dial from; null: there is no route. Sends nothing.</summary>
    public static IPAddress? Source(PeerOptions peer) => HostAddresses.SourcesTowards([peer.Neighbor.Address]) is [var source] ? source : null;

    public static async Task<(DialOutcome Outcome, string Words)> DialAsync(PeerOptions peer, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(ConnectPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var socket = peer.NewSocket(peer.Neighbor.Address.AddressFamily);
            socket.Ttl = (short)peer.Ttl;
            if (SocketSecurity.Apply(socket, peer) is { } refused)
            {
                return (DialOutcome.Failed, refused);
            }

            if (peer.LocalAddress is { } local)
            {
                PeerSocket.Bind(socket, local, peer.LocalAddressIsOptional);
            }

            await socket.ConnectAsync(new IPEndPoint(peer.Neighbor.Address, peer.Neighbor.Port), either.Token);
            return (await ListenAsync(socket, time, cancellationToken), "");
        }
        catch (OperationCanceledException)
        {
            return (DialOutcome.TimedOut, PeerSocket.Words(SocketError.TimedOut, peer));
        }
        catch (SocketException exception)
        {
            var outcome = exception.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => DialOutcome.Refused,
                SocketError.TimedOut => DialOutcome.TimedOut,

                // It was accepted, and ended before .NET had looked.
                SocketError.ConnectionReset or SocketError.NotConnected or SocketError.Shutdown => DialOutcome.Closed,
                _ => DialOutcome.Failed,
            };
            return (outcome, PeerSocket.Words(exception.SocketErrorCode, peer));
        }
    }

    private static async Task<DialOutcome> ListenAsync(Socket socket, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(ListenPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);

        // Room for a whole OPEN: what is left unread would turn our close into a reset.
        var first = new byte[4096];
        try
        {
            // Whatever else speaks there is no route server, and as good as one that stays silent.
            return await socket.ReceiveAsync(first, either.Token) switch
            {
                0 => DialOutcome.Closed,
                _ when first[0] == Marker => DialOutcome.Greeted,
                _ => DialOutcome.Silent,
            };
        }
        catch (OperationCanceledException)
        {
            return DialOutcome.Silent;
        }
        catch (SocketException)
        {
            return DialOutcome.Closed;
        }
    }
}
