using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Control.Claims;

/// <summary>
/// One agent has a session with a neighbor from one address of a machine (network namespace), and one agent of a name from all of its addresses, whatever its
/// state directory is, whether it can be written, and however the neighbor became known: two that announce beside each other would undo each other's drains. Each
/// neighbor is claimed twice before it is dialled: for the node's name, and for the source address. The kernel keeps the claims, and gives them up with the process, however that ends.
/// </summary>
/// <remarks>One caller at a time.</remarks>
/// <param name="node">Name of the node.</param>
/// <param name="counts">An agent of this user may be one of this node's; asked only when somebody holds the name.</param>
/// <param name="warn">Takes a sentence for the log.</param>
/// <param name="time">For the pauses between two questions.</param>
internal sealed class NodeClaim(string node, Func<uint, bool> counts, Action<string> warn, TimeProvider time) : IDisposable
{
    // SOL_SOCKET and SO_PEERCRED; struct ucred: process, user, group.
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;
    private const int CredentialsSize = 12;

    // May ask at the same moment.
    private const int Askers = 64;

    // Half a second at most, before the agent announces anything.
    private const int AttemptsToAsk = 50;
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(10);

    // The names of nodes have no such character.
    private const char OfASource = '@';

    // Null: held by somebody who cannot be an agent of this node's, which was warned of.
    private readonly Dictionary<string, HeldClaim?> _held = [];

    /// <summary>
    /// Claims these neighbors too; none: whom this node will dial is not known yet. Null: nobody who counts has them. Else why this agent must not run beside
    /// the other one, as a sentence that says what to do, and the claims are those before.
    /// </summary>
    /// <param name="neighbors">Whom this node will dial.</param>
    /// <param name="from">The source address that was given for a neighbor; null: the kernel chooses.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was ended; the claims are those before.</exception>
    public async Task<string?> ExtendAsync(ImmutableArray<NeighborEndpoint> neighbors, Func<NeighborEndpoint, IPAddress?> from, CancellationToken cancellationToken)
    {
        List<string> added = [];
        string? problem = null;
        try
        {
            foreach (var (name, neighbor) in neighbors.IsEmpty ? [(NameOf(null), null)] : neighbors.SelectMany(neighbor => Names(neighbor, from(neighbor))))
            {
                if (_held.ContainsKey(name))
                {
                    continue;
                }

                (var claim, problem) = await TakeAsync(name, neighbor, cancellationToken);
                if (problem is not null)
                {
                    break;
                }

                _held.Add(name, claim);
                added.Add(name);
            }
        }
        catch (OperationCanceledException)
        {
            added.ForEach(GiveUp);
            throw;
        }

        if (problem is not null)
        {
            added.ForEach(GiveUp);
        }

        return problem;
    }

    /// <summary>Gives up the others: they are dialled no longer.</summary>
    public void Keep(ImmutableArray<NeighborEndpoint> neighbors)
    {
        var kept = neighbors.Select(Key).Append("").ToHashSet(StringComparer.Ordinal);
        foreach (var name in _held.Keys.Where(name => !kept.Contains(name[(name.LastIndexOf('/') + 1)..])).ToList())
        {
            GiveUp(name);
        }
    }

    public void Dispose()
    {
        foreach (var name in _held.Keys.ToList())
        {
            GiveUp(name);
        }
    }

    // The node's own first: who has that is another agent of this node, which is the better sentence.
    private IEnumerable<(string Name, NeighborEndpoint? Neighbor)> Names(NeighborEndpoint neighbor, IPAddress? from)
    {
        yield return (NameOf(neighbor), neighbor);
        if (from is not null)
        {
            yield return (NameOf(neighbor, from), neighbor);
            yield break;
        }

        // Without a route there is no source yet, and two that wait for one wait for the same.
        yield return (NameOf(neighbor, null), neighbor);
        if (ChosenFor(neighbor) is { } chosen)
        {
            yield return (NameOf(neighbor, chosen), neighbor);
        }
    }

    private static IPAddress? ChosenFor(NeighborEndpoint neighbor)
    {
        try
        {
            return HostAddresses.SourcesTowards([neighbor.Address]).FirstOrDefault();
        }
        catch (SocketException)
        {
            // No descriptor is left to ask with.
            return null;
        }
    }

    private string NameOf(NeighborEndpoint? neighbor) => $"{node}/{Key(neighbor)}";

    private static string NameOf(NeighborEndpoint neighbor, IPAddress? from) => $"{OfASource}{(from is null ? "" : Convert.ToHexStringLower(from.GetAddressBytes()))}/{Key(neighbor)}";

    private static string Key(NeighborEndpoint? neighbor) =>
        neighbor is null ? "" : Convert.ToHexStringLower(neighbor.Address.GetAddressBytes()) + neighbor.Port.ToString("x4", CultureInfo.InvariantCulture);

    private void GiveUp(string name)
    {
        _held.Remove(name, out var claim);
        claim?.Dispose();
    }

    // Neither: the name is held by somebody who must not be able to keep the node out of service.
    private async Task<(HeldClaim? Held, string? Problem)> TakeAsync(string claimed, NeighborEndpoint? neighbor, CancellationToken cancellationToken)
    {
        // In the kernel's abstract namespace, which belongs to the network namespace: no file, no rights, nothing to clean up. At most 105 of its 107 octets.
        var name = new UnixDomainSocketEndPoint($"\0fohub/{claimed}");
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Bind(name);
            // Nobody is ever answered: who asks wants to know only whose it is, and that the kernel tells him. But he has to be taken from the queue, or agents
            // that are refused again and again would fill it, and the next one would learn nothing and run.
            socket.Listen(Askers);
            var held = new HeldClaim(socket);
            socket = null;
            return (held, null);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return (null, Judge(await OwnerAsync(name, cancellationToken), claimed[0] == OfASource, neighbor));
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

    // Null: no reason not to announce.
    private string? Judge(Holder? owner, bool ofASource, NeighborEndpoint? neighbor)
    {
        var what = ofASource ? $"the session with {neighbor}" : $"the name '{node}'";
        if (owner is null)
        {
            warn($"somebody who cannot be found out holds {what} on this machine; if that is another agent, both announce");
            return null;
        }

        if (counts(owner.User) && ofASource)
        {
            return $"another agent (process {owner.Process}) has its session with {neighbor} from the same address of this machine, as another node, and each would undo what the other announces; stop it, or give this one a source address of its own with --local-address ADDR.";
        }

        if (counts(owner.User))
        {
            return $"another agent (process {owner.Process}) announces as '{node}' from this machine; stop it, or give this one a name of its own with --node NAME.";
        }

        // Anybody may hold a name. Who also has a connection with the neighbor is an agent, or disturbs the sessions already.
        if (neighbor is not null && OpenConnections.Has(owner.User, new IPEndPoint(neighbor.Address, neighbor.Port)))
        {
            return $"another agent (process {owner.Process} of user {owner.User}) has a session with {neighbor} as '{node}' from this machine; stop it, or give this one a name of its own with --node NAME.";
        }

        warn($"process {owner.Process} of user {owner.User} holds {what} on this machine; this node's agents do not run as that user and it has no session, so it is ignored");
        return null;
    }

    private async Task<Holder?> OwnerAsync(UnixDomainSocketEndPoint name, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var question = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            try
            {
                question.Connect(name);
                var credentials = new byte[CredentialsSize];
                question.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
                return new Holder(MemoryMarshal.Read<int>(credentials), MemoryMarshal.Read<uint>(credentials.AsSpan(sizeof(int))));
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.WouldBlock && attempt < AttemptsToAsk)
            {
                // Many ask at the same moment. One of our agents takes them from its queue at once.
                await Task.Delay(BetweenAttempts, time, cancellationToken);
            }
            catch (SocketException)
            {
                // It has just ended, or its queue of those who ask stays full.
                return null;
            }
        }
    }

    /// <summary>Who holds a name.</summary>
    private sealed record Holder(int Process, uint User);
}
