using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Doctor;

/// <summary>Gathers what there is to know, everything at once, within less than ten seconds: three for the running agent and the metadata service, four for the route servers.</summary>
/// <param name="given">As the operator said.</param>
/// <param name="host">The machine.</param>
/// <param name="time">For the patience.</param>
internal sealed class DoctorGathering(AgentOptions given, HostProbe host, TimeProvider time)
{
    private static readonly TimeSpan _statusPatience = TimeSpan.FromSeconds(3);

    /// <param name="peerHost">Host of the other node, as the operator says; null: he does not.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<DoctorFacts> GatherAsync(string? peerHost, CancellationToken cancellationToken)
    {
        var asking = new ControlClient(time).AskAsync(given.ControlSocket, new ControlRequest("status"), _statusPatience);
        var discovering = given.Metadata.IsEmpty
            ? Task.FromResult<(InstanceAnswer? Answer, string? Problem)>((null, null))
            : new MetadataClient(given.Metadata, time).AskAsync(cancellationToken);
        var (answer, statusProblem) = await asking;
        var (fresh, instanceProblem) = await discovering;
        var status = answer?.Status;
        var instance = fresh?.Facts ?? InstanceStore.Load(Path.Combine(given.StateDirectory, "instance.json"));
        var options = instance is null ? given : DiscoveredOptions.Complete(given, instance);
        var addresses = ReadAddresses();
        var files = host.NetworkFiles();
        return new DoctorFacts
        {
            Options = options,
            Now = time.GetUtcNow(),
            Status = status,
            StatusProblem = status is null ? statusProblem ?? answer?.Error ?? "its answer is none that this version understands" : null,
            Instance = instance,
            InstanceProblem = instanceProblem,
            Addresses = addresses,
            Prefixes = Prefixes(options, instance, status, addresses ?? [], files),
            Neighbors = await NeighborsAsync(options, status, addresses ?? [], cancellationToken),
            HelperTraces = [.. HostProbe.HelperTraces(files)],
            BootedAt = host.BootedAt(),
            ClockIsSynchronised = HostProbe.ClockIsSynchronised(),
            PeerHost = peerHost,
            Peers = [.. (status?.HubLink?.Peers ?? []).Select(peer => new Identity.PeerHost(peer.Node, peer.Host))],
            OtherSpeakers = host.OtherSpeakers(),
            SelinuxLabel = host.SelinuxLabel(Environment.ProcessPath),
            StateProblem = HostProbe.StateProblem(options.StateDirectory),
            StateIsMissing = !Path.Exists(options.StateDirectory) && !Environment.IsPrivilegedProcess,
            CertificateEnds = options.Joined?.Times.NotAfter,
            Privileges = host.Privileges(status?.ProcessId, status is null ? "this user" : "the agent"),
        };
    }

    private static IReadOnlyList<InterfaceAddress>? ReadAddresses()
    {
        try
        {
            return new HostAddresses().Read();
        }
        catch (Exception exception) when (exception is NetworkInformationException or SocketException or IOException)
        {
            return null;
        }
    }

    // Everything that anybody says is shared: the operator, the platform, the running agent, and the interfaces themselves.
    private static ImmutableArray<PrefixFact> Prefixes(
        AgentOptions options, InstanceFacts? instance, StatusDocument? status, IReadOnlyList<InterfaceAddress> addresses, IReadOnlyList<(string Path, string Text)> files)
    {
        var named = options.Announce.Select(announced => announced.Prefix)
            .Concat(instance?.Shared ?? [])
            .Concat(status?.Prefixes.Select(prefix => IPNetwork.TryParse(prefix.Prefix, out var parsed) ? parsed : default).Where(prefix => prefix != default) ?? [])
            .Concat(AddressRules.Find(addresses, AgentSettings.Addresses(options)));
        return
        [
            .. named.Distinct().Order(Comparer<IPNetwork>.Create(SharedPrefix.Compare)).Select(prefix =>
            {
                var on = addresses.Where(address => address.Address.AddressFamily == prefix.BaseAddress.AddressFamily && prefix.Contains(address.Address)).ToList();
                return new PrefixFact(prefix, [.. on.Select(address => address.Interface).Distinct()], on.Exists(address => address.IsLoopback))
                {
                    SeenByAgent = status?.Prefixes.Any(seen => seen.AddressPresent && seen.Prefix == prefix.ToString()) ?? false,
                    Files = [.. files.Where(file => HostProbe.Names(file.Text, prefix)).Select(file => file.Path)],
                };
            }),
        ];
    }

    private async Task<ImmutableArray<NeighborFact>> NeighborsAsync(AgentOptions options, StatusDocument? status, IReadOnlyList<InterfaceAddress> addresses, CancellationToken cancellationToken)
    {
        var sessions = status?.Sessions.ToDictionary(session => session.Neighbor) ?? [];
        if (options.Neighbors.IsEmpty)
        {
            // The running agent knows whom it dials.
            options = options with { Neighbors = [.. sessions.Keys.Select(name => NeighborEndpoint.TryParse(name, NeighborEndpoint.DefaultPort, out var neighbor) ? neighbor : null).OfType<NeighborEndpoint>()] };
        }

        // The router id is never said.
        var facts = AgentSettings.Peers(options, new RouterId(1)).Select(peer => LookAtAsync(peer, sessions.GetValueOrDefault(peer.Neighbor.ToString()), addresses, cancellationToken));
        return [.. await Task.WhenAll(facts)];
    }

    private async Task<NeighborFact> LookAtAsync(PeerOptions peer, SessionDocument? session, IReadOnlyList<InterfaceAddress> addresses, CancellationToken cancellationToken)
    {
        var source = RouteServerProbe.Source(peer);
        var device = addresses.FirstOrDefault(address => address.Address.Equals(source))?.Interface;
        var fact = new NeighborFact
        {
            Neighbor = peer.Neighbor,
            Source = source,
            Mtu = device is null ? null : host.Mtu(device),
            Session = session?.State,
            DownFor = session?.DownSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };

        // A session that stands is left in peace.
        if (fact.IsEstablished || source is null)
        {
            return fact;
        }

        var (outcome, words) = await RouteServerProbe.DialAsync(peer, time, cancellationToken);
        return fact with { Dial = outcome, DialWords = words };
    }
}
