using System.Diagnostics;
using System.Net;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>
/// Two nodes, four route servers with the hold time of 9 s, a fabric that forwards to the node that they chose, and a client that pings the shared addresses
/// all the time. What a test claims is what the client saw.
/// </summary>
public abstract class ForwardingTest : DataCenterTest
{
    /// <summary>What both nodes announce.</summary>
    private protected static readonly string[] Prefixes = [Addresses.SharedIpv4, Addresses.SharedRange64];

    private readonly Dictionary<string, Responder> _services = [];
    private readonly Dictionary<string, ScriptedHub> _hubs = [];
    private Pinger? _pinger;

    /// <summary>The service of a node.</summary>
    private protected Responder Service(string node) => _services[node];

    /// <summary>The hub of a node that was given one.</summary>
    private protected ScriptedHub HubOf(string node) => _hubs[node];

    /// <summary>A moment in the clock of the pings.</summary>
    private protected static long Now => Stopwatch.GetTimestamp();

    /// <summary>Makes everything but the agents.</summary>
    /// <param name="shares">As <see cref="Fabric"/> has it.</param>
    private protected async Task StartFabricAsync(bool shares = false)
    {
        var center = await StartAsync(new DataCenterOptions
        {
            Kind = RouteServerKind.Frr, Forwards = true, Servers = new RouteServerOptions { HoldTime = 9, TellsFabric = true },
        });
        await new Fabric(center.Sandbox, shares).StartAsync(Cancellation);
        foreach (var node in Addresses.Nodes)
        {
            _services[node] = Responder.Start(node, Addresses.SharedHosts.Select(host =>
                Native.BindDatagramIn(center.Sandbox.NamespaceFile(Addresses.NodeNetwork(node)), new IPEndPoint(IPAddress.Parse(host), Pinger.Port))));
        }
    }

    /// <summary>Starts the agent of a node, which announces <see cref="Prefixes"/>.</summary>
    private protected Agent StartNode(string node, params string[] flags) => Agent.Start(Center, node, Prefixes, flags);

    /// <summary>Starts a hub for a node; its agent is to be started with <see cref="ScriptedHub.Url"/>.</summary>
    private protected async Task<ScriptedHub> StartHubAsync(string node)
    {
        var hub = _hubs[node] = new ScriptedHub(Center.Sandbox, node);
        await hub.StartAsync(Cancellation);
        return hub;
    }

    /// <summary>Both nodes announce, every route server has both, and the client's pings arrive at node a: from here on it counts.</summary>
    private protected async Task SteadyAtAAsync(string communityOfB = Addresses.Secondary)
    {
        await Center.SeeRoutesAsync("a", Expected.These(Prefixes, Addresses.Primary), Cancellation);
        await Center.SeeRoutesAsync("b", Expected.These(Prefixes, communityOfB), Cancellation);
        // Another one for the settling, so that none of its losses is in the pings that count.
        var settling = StartPinger();
        await SeeAtAsync(settling, "a", Now);
        await settling.StopAsync();
        _pinger = StartPinger();
        await SeeAtAsync("a", Now);
    }

    /// <summary>Waits until the client's pings, sent after now, are answered by this node.</summary>
    private protected Task SeeAtAsync(string node) => SeeAtAsync(node, Now);

    /// <summary>Waits until the client's pings, sent after this moment, are answered by this node.</summary>
    private protected Task SeeAtAsync(string node, long since) => SeeAtAsync(_pinger!, node, since);

    /// <summary>The client's pings keep being answered by this node for so long.</summary>
    private protected Task StaysAtAsync(string node, TimeSpan span)
    {
        var since = Now;
        return Eventually.StaysAsync(
            $"the pings at node {node}", span, _ => Task.FromResult(_pinger!.Seen), seen => seen.Answerers(since).All(nodes => nodes == node || nodes.Length == 0), Cancellation);
    }

    /// <summary>Begins anew, after <see cref="StopPingsAsync"/>.</summary>
    private protected void StartPings() => _pinger = StartPinger();

    /// <summary>Waits until every address has lost so many pings since then.</summary>
    private protected Task SeeLossAsync(long since, int each) => Eventually.SeeAsync(
        $"{each} lost pings to each address", _ => Task.FromResult(_pinger!.Seen), seen => seen.LostAfter(since) >= each * Addresses.SharedHosts.Length, Cancellation);

    /// <summary>Ends the pings.</summary>
    /// <returns>All of them, since <see cref="SteadyAtAAsync"/>.</returns>
    private protected async Task<PingLog> StopPingsAsync()
    {
        var log = await _pinger!.StopAsync();
        _pinger = null;
        TestContext.Current.TestOutputHelper?.WriteLine(log.ToString());
        return log;
    }

    /// <summary>The same role for all that is announced.</summary>
    private protected static Dictionary<string, Role> Roles(Role role) => Prefixes.ToDictionary(prefix => prefix, _ => role);

    protected override async ValueTask EndAsync()
    {
        if (_pinger is { } pinger)
        {
            TestContext.Current.TestOutputHelper?.WriteLine((await pinger.StopAsync()).ToString());
        }

        foreach (var service in _services.Values)
        {
            service.Dispose();
        }

        foreach (var hub in _hubs.Values)
        {
            await hub.DisposeAsync();
        }
    }

    private Pinger StartPinger() => Pinger.Start(
        Native.BindDatagramIn(Center.Sandbox.NamespaceFile(Addresses.ClientNetwork), new IPEndPoint(IPAddress.IPv6Any, 0)), [.. Addresses.SharedHosts.Select(IPAddress.Parse)]);

    private static Task<PingLog> SeeAtAsync(Pinger pinger, string node, long since) =>
        Eventually.SeeAsync($"the pings at node {node}", _ => Task.FromResult(pinger.Seen), seen => seen.IsAt(node, since), Cancellation);
}
