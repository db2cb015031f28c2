using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>What an operator does moves the address to the standby, and the client loses nothing.</summary>
public sealed class PlannedMoveTests : ForwardingTest
{
    [Fact]
    public async Task RolesExchanged_ByIntent_EveryPingIsAnsweredAndTheOtherNodeAnswers()
    {
        await StartFabricAsync();
        var (hubOfA, hubOfB) = (await StartHubAsync("a"), await StartHubAsync("b"));
        StartNode("a", "--primary", "--hub", ScriptedHub.Url);
        StartNode("b", "--secondary", "--hub", ScriptedHub.Url);
        await SteadyAtAAsync();

        await hubOfA.IntendAsync(1, drained: false, Roles(Role.Secondary), Cancellation);
        await hubOfB.IntendAsync(1, drained: false, Roles(Role.Primary), Cancellation);
        await SeeAtAsync("b");
        await hubOfB.IntendAsync(2, drained: false, Roles(Role.Secondary), Cancellation);
        await hubOfA.IntendAsync(2, drained: false, Roles(Role.Primary), Cancellation);
        await SeeAtAsync("a");

        var pings = await StopPingsAsync();
        Assert.Equal(0, pings.Lost);
        Assert.All(pings.Answerers(0), nodes => Assert.Equal("aba", nodes));
    }

    [Fact]
    public async Task DrainedAndUndrained_ByIntent_EveryPingIsAnsweredAndTheStandbyAnswersMeanwhile()
    {
        await StartFabricAsync();
        var hub = await StartHubAsync("a");
        StartNode("a", "--primary", "--hub", ScriptedHub.Url);
        StartNode("b", "--secondary");
        await SteadyAtAAsync();

        await hub.IntendAsync(1, drained: true, Roles(Role.Primary), Cancellation);
        await SeeAtAsync("b");
        await hub.IntendAsync(2, drained: false, Roles(Role.Primary), Cancellation);
        await SeeAtAsync("a");

        var pings = await StopPingsAsync();
        Assert.Equal(0, pings.Lost);
        Assert.All(pings.Answerers(0), nodes => Assert.Equal("aba", nodes));
    }

    [Fact]
    public async Task RoleDrainAndUndrain_ByTheLocalSocketWithoutAHub_EveryPingIsAnswered()
    {
        await StartFabricAsync();
        var a = StartNode("a", "--primary");
        var b = StartNode("b", "--secondary");
        await SteadyAtAAsync();

        await a.OrderAsync(["role", "secondary", "--reason", "a test"], Cancellation);
        await b.OrderAsync(["role", "primary", "--reason", "a test"], Cancellation);
        await SeeAtAsync("b");
        await a.OrderAsync(["role", "primary", "--reason", "a test"], Cancellation);
        await b.OrderAsync(["drain", "--reason", "a test"], Cancellation);
        await SeeAtAsync("a");
        await b.OrderAsync(["undrain", "--reason", "a test"], Cancellation);

        var pings = await StopPingsAsync();
        Assert.Equal(0, pings.Lost);
    }

    [Fact]
    public async Task Terminated_AndStartedAgain_EveryPingIsAnswered()
    {
        await StartFabricAsync();
        var agent = StartNode("a", "--primary");
        StartNode("b", "--secondary");
        await SteadyAtAAsync();

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        await SeeAtAsync("b");
        agent.StartAgain();
        await SeeAtAsync("a");

        var pings = await StopPingsAsync();
        Assert.Equal(0, pings.Lost);
        Assert.All(pings.Answerers(0), nodes => Assert.Equal("aba", nodes));
    }
}
