using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests;

/// <summary>What a node does, as told by four route servers that are not ours. Each test has a data center of its own.</summary>
public abstract class RouteServerContract(RouteServerKind kind) : DataCenterTest
{
    // Longer than the hold time of 9 s: whatever breaks a session silently has broken it by then.
    private static readonly TimeSpan LongerThanTheHoldTime = TimeSpan.FromSeconds(11);

    [Fact]
    public async Task Started_WithoutHub_FourSessionsCarryEveryPrefixAsThePlatformWantsIt()
    {
        var center = await StartAsync(kind);

        Agent.Start(center, "a", "--primary");

        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        foreach (var server in center.RouteServers)
        {
            Assert.All(await server.RoutesAsync(Cancellation), route => Expected.AsThePlatformWantsIt(route, "a"));
        }

        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task RoleChanged_ByIntent_TheOtherCommunityArrivesOnTheSameSession()
    {
        var center = await StartAsync(kind);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        var all = await hub.IntendAsync(1, drained: false, Roles(Role.Secondary), Cancellation);

        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        Assert.Equal((IntentResult.Types.Outcome.Applied, 4u), (all.Outcome, all.SessionsUpdated));

        // Roles are per prefix.
        var mixed = Roles(Role.Secondary);
        mixed[Addresses.SharedRange56] = Role.Primary;
        await hub.IntendAsync(2, drained: false, mixed, Cancellation);

        var wanted = Expected.All(Addresses.Secondary).ToDictionary();
        wanted[Addresses.SharedRange56] = Addresses.Primary;
        await center.SeeRoutesAsync("a", wanted, Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task DrainedAndUndrained_ByIntent_RoutesGoAndComeOnTheSameSession()
    {
        var center = await StartAsync(kind);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await hub.IntendAsync(1, drained: true, Roles(Role.Primary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        var report = await hub.ReportAsync("every prefix withdrawn as drained", r => r.Drained && r.Prefixes.All(p => !p.Announced), Cancellation);
        Assert.All(report.Prefixes, p => Assert.Equal(WithdrawnReason.Drained, p.WithdrawnReason));

        await hub.IntendAsync(2, drained: false, Roles(Role.Primary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
    }

    [Fact]
    public async Task Terminated_DaemonShowsOurFarewellAndHasNoRoute()
    {
        var center = await StartAsync(kind);
        var agent = Agent.Start(center, "a", "--primary");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        var exitCode = await agent.TerminateAsync(Cancellation);

        Assert.Equal(0, exitCode);
        foreach (var server in center.RouteServers)
        {
            var session = await Eventually.SeeAsync(
                $"the farewell on {server.Name}", c => server.SessionAsync("a", c), s => !s.Established && s.LastError.Length > 0, Cancellation);
            // Administrative Shutdown by its name (FRR, BIRD) or its number (GoBGP), and the text of RFC 9003.
            Assert.Matches("(?i)administrative shutdown|^6/2", session.LastError);
            Assert.Contains("failoverhub", session.LastError, StringComparison.OrdinalIgnoreCase);
        }

        // Withdrawn before the Cease, so that also a route server which keeps routes of a lost session has none.
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Equal(4 * Addresses.Shared.Length, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task HubKilled_SessionsAndRoutesStayAndTheAgentComesBackToTheNextHub()
    {
        var center = await StartAsync(kind);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await hub.IntendAsync(7, drained: false, Roles(Role.Secondary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        var before = hub.Hellos;

        await hub.KillAsync();

        await Eventually.StaysAsync("the sessions of node a", LongerThanTheHoldTime, c => center.IdentitiesAsync("a", c), i => i.SequenceEqual(sessions), Cancellation);
        await hub.StartAsync(Cancellation);
        var hello = await hub.HelloAsync(before + 1, Cancellation);
        Assert.Equal(7ul, hello.IntentRevision);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task KilledAndStartedAgainWithoutHub_DoesWhatItWasLastTold()
    {
        var center = await StartAsync(kind);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        await center.EstablishedAsync("a", Cancellation);
        var told = Roles(Role.Secondary);
        told[Addresses.SharedRange64] = Role.Primary;
        await hub.IntendAsync(3, drained: false, told, Cancellation);
        var wanted = Expected.All(Addresses.Secondary).ToDictionary();
        wanted[Addresses.SharedRange64] = Addresses.Primary;
        await center.SeeRoutesAsync("a", wanted, Cancellation);
        await hub.KillAsync();

        await agent.KillAsync(Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        agent.StartAgain();

        // Not what the command line says: primary, all three.
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", wanted, Cancellation);
    }

    [Fact]
    public async Task TwoNodes_RolesExchangedThenOneKilled_BestRouteFollows()
    {
        var center = await StartAsync(kind);
        await using var hubOfA = new ScriptedHub(center.Sandbox, "a");
        await using var hubOfB = new ScriptedHub(center.Sandbox, "b");
        await hubOfA.StartAsync(Cancellation);
        await hubOfB.StartAsync(Cancellation);
        Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        var b = Agent.Start(center, "b", "--secondary", "--hub", ScriptedHub.Url);
        string[][] sessions = [[.. await center.EstablishedAsync("a", Cancellation)], [.. await center.EstablishedAsync("b", Cancellation)]];
        await center.SeeRoutesAsync("b", Expected.All(Addresses.Secondary), Cancellation);
        await center.SeeBestAsync("a", Addresses.Shared, Cancellation);

        // As a switchover does it: demote the active node, then promote the other.
        await hubOfA.IntendAsync(1, drained: false, Roles(Role.Secondary), Cancellation);
        await hubOfB.IntendAsync(1, drained: false, Roles(Role.Primary), Cancellation);
        await center.SeeBestAsync("b", Addresses.Shared, Cancellation);
        Assert.Equal(sessions[0], await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(sessions[1], await center.IdentitiesAsync("b", Cancellation));

        await b.KillAsync(Cancellation);
        await center.SeeBestAsync("a", Addresses.Shared, Cancellation);
        Assert.Equal(sessions[0], await center.IdentitiesAsync("a", Cancellation));
    }

    private static Dictionary<string, Role> Roles(Role role) => Addresses.Shared.ToDictionary(prefix => prefix, _ => role);
}

public sealed class FrrTests() : RouteServerContract(RouteServerKind.Frr);

public sealed class BirdTests() : RouteServerContract(RouteServerKind.Bird);

public sealed class GoBgpTests() : RouteServerContract(RouteServerKind.GoBgp);
