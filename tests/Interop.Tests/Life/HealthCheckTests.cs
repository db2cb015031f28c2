using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>Health checks while real route servers hold the sessions.</summary>
public sealed class HealthCheckTests : DataCenterTest
{
    private const string File = "/run/agent.json";

    // The lines of the commands are what stands behind 'script' in a vrrp_script.
    private const string Checks = """
        { "name": "service", "command": { "run": "killall -0 fo-service" }, "interval": 0.5, "fastInterval": 0.2, "rise": 1, "fall": 2 },
        { "name": "disk", "command": { "run": "/usr/bin/test ! -e /run/full" }, "interval": 0.5, "fastInterval": 0.2, "fall": 1, "consequence": "demote" }
        """;

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task FailedCheck_Withdraws_OrDemotes_OnTheLiveSession_AndComesBack(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);
        var server = center.RouteServers[0];
        var prefixes = string.Join(", ", Addresses.Shared.Select(prefix => $"{{ \"prefix\": \"{prefix}\", \"present\": true, \"role\": \"primary\" }}"));
        await center.Sandbox.WriteAsync(File, $"{{ \"neighbors\": [\"{Addresses.RouteServer(1)}\"], \"prefixes\": [{prefixes}], \"checks\": [{Checks}] }}", Cancellation);
        var agent = Agent.StartAlone(center, "a", "--config", File);

        // The service is not there yet: a session, and nothing on it.
        await agent.SayAsync("check service (command killall -0 fo-service) is unhealthy: exit code 1: fo-service: no process found (2 times in a row); nothing that is announced changes", Cancellation);
        var session = await Eventually.SeeAsync("a session", c => server.SessionAsync("a", c), seen => seen.Established, Cancellation);
        await SeeAsync(server, Expected.Nothing);

        await center.Sandbox.ScriptAsync("cp /bin/sleep /run/fo-service", Cancellation);
        var service = Serve(center);
        await SeeAsync(server, Expected.All(Addresses.Primary));

        await center.Sandbox.WriteAsync("/run/full", "", Cancellation);
        await SeeAsync(server, Expected.All(Addresses.Secondary));
        await center.Sandbox.ScriptAsync("rm /run/full", Cancellation);
        await SeeAsync(server, Expected.All(Addresses.Primary));
        Assert.Equal(0, await server.WithdrawalsAsync("a", Cancellation));

        await service.KillAsync(Cancellation);
        await SeeAsync(server, Expected.Nothing);
        Serve(center);
        await SeeAsync(server, Expected.All(Addresses.Primary));

        Assert.Equal(session.Identity, (await server.SessionAsync("a", Cancellation)).Identity);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
    }

    private static SandboxProcess Serve(DataCenter center) => center.Sandbox.Spawn("fo-service", Addresses.NodeNetwork("a"), ["/run/fo-service", "1000"]);

    private static Task<Dictionary<string, string>> SeeAsync(RouteServer server, IReadOnlyDictionary<string, string> wanted) => Eventually.SeeAsync(
        $"{wanted.Count} routes on {server.Name}",
        async c => (await server.PrefixesAsync("a", c)).ToDictionary(route => route.Prefix, route => route.Communities),
        routes => routes.Count == wanted.Count && wanted.All(route => routes.GetValueOrDefault(route.Key) == route.Value),
        Cancellation);
}
