using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Control;

/// <summary>
/// One agent of a name dials a neighbor from one machine (network namespace), whatever its state directory is and whether it can be written: two
/// that announce beside each other would undo each other's drains. The kernel keeps the claim, and gives it up with the process, however that ends.
/// </summary>
internal sealed class NodeClaim : IDisposable
{
    // SOL_SOCKET and SO_PEERCRED; struct ucred: process, user, group.
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;
    private const int CredentialsSize = 12;

    private readonly Socket _held;

    private NodeClaim(Socket held) => _held = held;

    /// <summary>
    /// The claim; or why this agent must not run beside the other one, as a sentence that says what to do. Neither: the name is held by somebody
    /// who cannot be an agent of this node's, and must not be able to keep it out of service; <paramref name="warn"/> is told.
    /// </summary>
    /// <param name="node">Name of the node.</param>
    /// <param name="neighbor">The first that is dialled; null: it is not known yet.</param>
    /// <param name="counts">An agent of this user may be one of this node's; asked only when somebody holds the name.</param>
    /// <param name="warn">Takes a sentence for the log.</param>
    public static (NodeClaim? Claim, string? Problem) Take(string node, NeighborEndpoint? neighbor, Func<uint, bool> counts, Action<string> warn)
    {
        // In the kernel's abstract namespace, which belongs to the network namespace: no file, no rights, nothing to clean up. At most 105 of its 107 octets.
        var address = neighbor is null ? "" : Convert.ToHexStringLower(neighbor.Address.GetAddressBytes()) + neighbor.Port.ToString("x4", CultureInfo.InvariantCulture);
        var name = new UnixDomainSocketEndPoint($"\0fohub/{node}/{address}");
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Bind(name);
            // Nobody is ever answered: who asks wants to know only whose it is.
            socket.Listen(1);
            var claim = new NodeClaim(socket);
            socket = null;
            return (claim, null);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            if (Owner(name) is not { } owner)
            {
                warn($"somebody who cannot be found out holds the name '{node}' on this machine; if that is another agent, both announce");
                return (null, null);
            }

            if (!counts(owner.User))
            {
                warn($"process {owner.Process} of user {owner.User} holds the name '{node}' on this machine; this node's agents do not run as that user, so it is ignored");
                return (null, null);
            }

            return (null, $"another agent (process {owner.Process}) announces as '{node}' from this machine; stop it, or give this one a name of its own with --node NAME.");
        }
        catch (SocketException exception)
        {
            warn($"it cannot be known whether another agent announces as '{node}' from this machine: {exception.Message}");
            return (null, null);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    public void Dispose() => _held.Dispose();

    private static (int Process, uint User)? Owner(UnixDomainSocketEndPoint name)
    {
        using var question = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            question.Connect(name);
            Span<byte> credentials = stackalloc byte[CredentialsSize];
            question.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
            return (MemoryMarshal.Read<int>(credentials), MemoryMarshal.Read<uint>(credentials[sizeof(int)..]));
        }
        catch (SocketException)
        {
            // It has just ended, or its queue of those who ask is full.
            return null;
        }
    }
}
