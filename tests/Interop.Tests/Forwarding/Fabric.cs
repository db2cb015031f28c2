using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>
/// The part of a data center that forwards: FRR's bgpd hears from the four route servers what they chose, and its zebra puts that into the kernel of the
/// namespace that stands between client and nodes.
/// </summary>
/// <param name="sandbox">Where.</param>
/// <param name="shares">What the route servers choose differently is shared out by flows (ECMP), as a network without one opinion does it.</param>
internal sealed class Fabric(Sandbox sandbox, bool shares = false)
{
    private const string Folder = "/run/fabric";

    /// <summary>Starts it and waits until it has a session with every route server.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await sandbox.WriteAsync($"{Folder}/zebra.conf", FabricText.Zebra(Folder), cancellation);
        await sandbox.WriteAsync($"{Folder}/bgpd.conf", FabricText.Bgpd(Folder, Addresses.Fabric, [.. Enumerable.Range(1, 4).Select(Addresses.RouteServer)], shares), cancellation);
        await sandbox.ScriptAsync(FabricText.RootMayServeVty, cancellation);
        if (shares)
        {
            // By ports as well, and not by addresses alone.
            await sandbox.ScriptAsync($"ip netns exec {Addresses.RouteServerNetwork} sh -c 'echo 1 >/proc/sys/net/ipv4/fib_multipath_hash_policy; echo 1 >/proc/sys/net/ipv6/fib_multipath_hash_policy'", cancellation);
        }

        sandbox.Spawn("zebra", Addresses.RouteServerNetwork, FabricText.ZebraCommand(Folder));
        await Eventually.SeeAsync("zebra's socket", _ => Task.FromResult(File.Exists(sandbox.Outside(FabricText.ZebraSocket(Folder)))), there => there, cancellation);
        sandbox.Spawn("fabric", Addresses.RouteServerNetwork, FabricText.BgpdCommand(Folder));
        await Eventually.SeeAsync("a session of the fabric with every route server", SessionsAsync, count => count == 4, cancellation);
    }

    private async Task<int> SessionsAsync(CancellationToken cancellation)
    {
        var shown = (await sandbox.RunAsync(Addresses.RouteServerNetwork, ["vtysh", "--vty_socket", Folder, "-d", "bgpd", "-c", "show bgp neighbors"], cancellation)).Checked();
        return shown.Split('\n').Count(line => line.Contains("BGP state = Established", StringComparison.Ordinal));
    }
}
