namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>What happens to a node without its doing: the client comes to the standby.</summary>
public sealed class LossTests : ForwardingTest
{
    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(9);

    // For route servers and fabric to move the route, on a machine that has other things to do.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Killed_TheNodeStillAnswersUntilTheRouteHasMoved_NothingIsLost()
    {
        await StartFabricAsync();
        var agent = StartNode("a", "--primary");
        StartNode("b", "--secondary");
        await SteadyAtAAsync();

        await agent.KillAsync(Cancellation);
        await SeeAtAsync("b");
        agent.StartAgain();
        await SeeAtAsync("a");

        var pings = await StopPingsAsync();
        Assert.Equal(0, pings.Lost);
        Assert.All(pings.Answerers(0), nodes => Assert.Equal("aba", nodes));
    }

    [Fact]
    public async Task LinkCut_WithoutAWord_TheOutageIsTheHoldTimeAtMost_AndTheReturnLosesNothing()
    {
        await StartFabricAsync();
        StartNode("a", "--primary");
        StartNode("b", "--secondary");
        await SteadyAtAAsync();

        await Center.CutAsync("a", Cancellation);
        await SeeAtAsync("b");
        var back = Now;
        await Center.MendAsync("a", Cancellation);
        await SeeAtAsync("a");

        var pings = await StopPingsAsync();
        Assert.InRange(pings.Outage, TimeSpan.FromSeconds(1), HoldTime + Margin);
        Assert.Equal(0, pings.LostAfter(back));
        Assert.All(pings.Answerers(0), nodes => Assert.Equal("aba", nodes));
    }
}
