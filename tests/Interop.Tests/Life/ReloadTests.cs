using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>The configuration is read again while real route servers hold the sessions.</summary>
public sealed class ReloadTests : DataCenterTest
{
    private const string File = "/run/agent.json";

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task OneNeighborAndOneRoleChange_TheOtherSessionsAreTheSame_AndNothingIsWithdrawnThere(RouteServerKind kind)
    {
        var center = await StartAsync(kind);
        await WriteAsync(center, [1, 2, 3], "primary");
        var agent = Agent.StartAlone(center, "a", "--config", File);
        foreach (var server in center.RouteServers.Take(3))
        {
            await Eventually.SeeAsync($"a session on {server.Name}", c => server.SessionAsync("a", c), session => session.Established, Cancellation);
            await SeeAsync(server, Expected.All(Addresses.Primary));
        }

        var kept = center.RouteServers.Take(2).ToList();
        var before = await IdentitiesAsync(kept);
        await WriteAsync(center, [1, 2, 4], "secondary");
        await agent.Process.SignalAsync("HUP", Cancellation);

        var wanted = Expected.All(Addresses.Primary).ToDictionary();
        wanted[Addresses.SharedIpv4] = Addresses.Secondary;
        foreach (var server in kept.Append(center.RouteServers[3]))
        {
            await SeeAsync(server, wanted);
        }

        Assert.Equal(before, await IdentitiesAsync(kept));
        foreach (var server in kept)
        {
            Assert.Equal(0, await server.WithdrawalsAsync("a", Cancellation));
        }

        // It says that the neighbor was taken out of the configuration, in each daemon's words for Cease/Peer De-configured.
        var gone = center.RouteServers[2];
        await Eventually.SeeAsync($"no session on {gone.Name}", c => gone.SessionAsync("a", c), session => !session.Established, Cancellation);
        await SeeAsync(gone, Expected.Nothing);
        await agent.SayAsync("configuration read again", Cancellation);

        // What is wrong changes nothing at all.
        await center.Sandbox.WriteAsync(File, "{ \"role\": \"boss\" }", Cancellation);
        await agent.Process.SignalAsync("HUP", Cancellation);
        await agent.SayAsync("role: 'boss' is not known", Cancellation);
        Assert.Equal(before, await IdentitiesAsync(kept));
        await SeeAsync(kept[0], wanted);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task HoldTimeChanges_TheSessionsAreRestartedOneAfterTheOther_AndComeBack(RouteServerKind kind)
    {
        var center = await StartAsync(kind);
        await WriteAsync(center, [1, 2, 3, 4], "primary");
        var agent = Agent.StartAlone(center, "a", "--config", File);
        var before = await center.EstablishedAsync("a", Cancellation);

        await WriteAsync(center, [1, 2, 3, 4], "primary", holdTime: 6);
        await agent.Process.SignalAsync("HUP", Cancellation);

        for (var index = 0; index < before.Count; index++)
        {
            var (server, old) = (center.RouteServers[index], before[index]);
            await Eventually.SeeAsync($"another session on {server.Name}", c => server.SessionAsync("a", c), session => session.Established && session.Identity != old, Cancellation);
            Assert.Equal(6, (await server.TrafficAsync("a", Cancellation)).HoldTime);
        }

        // Of four, three were there at any time: the log counts them at each end. None of them is a loss.
        var log = (await agent.LogAsync(Cancellation)).Split('\n');
        var ends = log.Where(line => line.Contains(" ended by the agent itself after ", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, ends.Count);
        Assert.All(ends, line => Assert.Contains("its options were changed; 3 of 4 sessions remain", line, StringComparison.Ordinal));
        Assert.DoesNotContain(log, line => line.Contains(" lost after ", StringComparison.Ordinal));
    }

    private static Task WriteAsync(DataCenter center, int[] neighbors, string role, int holdTime = 9)
    {
        var dialled = string.Join(", ", neighbors.Select(number => $"\"{Addresses.RouteServer(number)}\""));
        var prefixes = string.Join(", ", Addresses.Shared.Select(prefix => $"{{ \"prefix\": \"{prefix}\", \"present\": true, \"role\": \"{(prefix == Addresses.SharedIpv4 ? role : "primary")}\" }}"));
        return center.Sandbox.WriteAsync(File, $"{{ \"neighbors\": [{dialled}], \"prefixes\": [{prefixes}], \"session\": {{ \"holdTime\": {holdTime} }} }}", Cancellation);
    }

    private static Task<Dictionary<string, string>> SeeAsync(RouteServer server, IReadOnlyDictionary<string, string> wanted) => Eventually.SeeAsync(
        $"{wanted.Count} routes on {server.Name}",
        async c => (await server.PrefixesAsync("a", c)).ToDictionary(route => route.Prefix, route => route.Communities),
        routes => routes.Count == wanted.Count && wanted.All(route => routes.GetValueOrDefault(route.Key) == route.Value),
        Cancellation);

    private static async Task<List<string>> IdentitiesAsync(IEnumerable<RouteServer> servers)
    {
        List<string> identities = [];
        foreach (var server in servers)
        {
            identities.Add((await server.SessionAsync("a", Cancellation)).Identity);
        }

        return identities;
    }
}
