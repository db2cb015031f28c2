using System.Text.Json;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>
/// The agent as it is packaged: one native file, in which nothing can be found by reflection and everything that is not named is cut away. All other tests run
/// the same code under the JIT; this one goes once through every part that the cutting could have hit.
/// </summary>
public sealed class NativeFileTests : DataCenterTest
{
    private const string File = "/run/agent.json";
    private const string Endpoint = "127.0.0.1:9477";

    // Its own metrics are what answers the checks: a server that is there as long as it is.
    private const string Checks = $$"""
        { "name": "port", "tcp": { "port": 9477 }, "interval": 0.5, "fastInterval": 0.2, "rise": 1, "fall": 1 },
        { "name": "page", "http": { "url": "http://{{Endpoint}}/metrics", "bodyContains": "failoverhub_" }, "interval": 0.5, "fastInterval": 0.2, "rise": 1, "fall": 1 },
        { "name": "disk", "command": { "run": "/usr/bin/test ! -e /run/full" }, "interval": 0.5, "fastInterval": 0.2, "rise": 1, "fall": 1 }
        """;

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task NativeFile_AnnouncesChecksObeysAndSaysGoodbye(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);
        var server = center.RouteServers[0];
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var prefixes = string.Join(", ", Addresses.Shared.Select(prefix => $"{{ \"prefix\": \"{prefix}\", \"present\": true, \"role\": \"primary\" }}"));
        await center.Sandbox.WriteAsync(
            File,
            $"{{ \"neighbors\": [\"{Addresses.RouteServer(1)}\"], \"hub\": \"{ScriptedHub.Url}\", \"metrics\": \"{Endpoint}\", \"prefixes\": [{prefixes}], \"checks\": [{Checks}] }}",
            Cancellation);
        var agent = Agent.StartNative(center, "a", "--config", File);

        await SeeAsync(server, Expected.All(Addresses.Primary));
        var session = await server.SessionAsync("a", Cancellation);
        var status = await Eventually.SeeAsync("three healthy checks", StatusAsync, status => status.GetProperty("checks").EnumerateArray().Count(check => check.GetProperty("verdict").GetString() == "healthy") == 3, Cancellation);
        Assert.Equal("node-a", status.GetProperty("node").GetString());

        await agent.OrderAsync(["role", "secondary", "--reason", "a test"], Cancellation);
        await SeeAsync(server, Expected.All(Addresses.Secondary));
        await agent.OrderAsync(["role", "default"], Cancellation);
        await SeeAsync(server, Expected.All(Addresses.Primary));
        await agent.OrderAsync(["drain"], Cancellation);
        await SeeAsync(server, Expected.Nothing);
        await agent.OrderAsync(["undrain"], Cancellation);
        await SeeAsync(server, Expected.All(Addresses.Primary));

        await center.Sandbox.WriteAsync("/run/full", "", Cancellation);
        await SeeAsync(server, Expected.Nothing);
        await center.Sandbox.ScriptAsync("rm /run/full", Cancellation);
        await SeeAsync(server, Expected.All(Addresses.Primary));

        // What a hub of its own version says and hears: the stream is another library's, with code that was generated for it.
        var roles = Addresses.Shared.ToDictionary(prefix => prefix, _ => Protos.V1.Role.Secondary);
        Assert.Equal(Protos.V1.IntentResult.Types.Outcome.Applied, (await hub.IntendAsync(1, drained: false, roles, Cancellation)).Outcome);
        await SeeAsync(server, Expected.All(Addresses.Secondary));
        await Eventually.SeeAsync("its commands in the journal of the hub", _ => Task.FromResult(hub.Journal.Count(told => told.Entry.Kind == "local-command")), count => count == 4, Cancellation);
        Assert.Equal(session.Identity, (await server.SessionAsync("a", Cancellation)).Identity);

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        await SeeAsync(server, Expected.Nothing);
        Assert.Contains("stopping: SIGTERM", string.Join('\n', hub.Journal.Select(told => told.Entry.Text)) + await agent.LogAsync(Cancellation), StringComparison.Ordinal);

        async Task<JsonElement> StatusAsync(CancellationToken cancellation)
        {
            using var said = JsonDocument.Parse(await agent.StatusAsync(cancellation, "--json"));
            return said.RootElement.Clone();
        }
    }

    private static Task<Dictionary<string, string>> SeeAsync(RouteServer server, IReadOnlyDictionary<string, string> wanted) => Eventually.SeeAsync(
        $"{wanted.Count} routes on {server.Name}",
        async c => (await server.PrefixesAsync("a", c)).ToDictionary(route => route.Prefix, route => route.Communities),
        routes => routes.Count == wanted.Count && wanted.All(route => routes.GetValueOrDefault(route.Key) == route.Value),
        Cancellation);
}
