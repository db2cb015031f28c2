using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>RFC 8326: what is about to go is announced with 65535:0 for a while, so that the traffic has moved before it is gone.</summary>
public sealed class GracefulShutdownTests
{
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(10);
    private static readonly Community[] _asPrimary = [new(65000, 1)];
    private static readonly Community[] _leavingAsPrimary = [new(65000, 1), new(65535, 0)];

    [Fact]
    public void Drain_AnnouncesInItsRoleWithTheCommunity_AndWithdrawsWhenTheTimeIsOver()
    {
        var node = Started().Keep(Intent(1, drained: true));

        Assert.Equal(_leavingAsPrimary, Communities(node));
        Assert.Equal([TransitionKind.IntentAccepted, TransitionKind.Drained, TransitionKind.GracefulShutdown], node.Recorded);
        Assert.True(node.State.Drained);
        Assert.Equal(
            "graceful shutdown of 1 prefix on 2 sessions: announced with 65535:0 for 10.0 s, then withdrawn: intent 1 (\"a test\")",
            node.Effects.OfType<NodeEffect.Record>().Last().Text);

        node.After(_wait - TimeSpan.FromMilliseconds(1)).Give(new NodeEvent.Tick());
        Assert.Null(node.Handed);
        node.After(TimeSpan.FromMilliseconds(1)).Give(new NodeEvent.Tick());

        Assert.Empty(node.Handed!.Value);
        Assert.Equal([TransitionKind.Withdrawn], node.Recorded);
        Assert.Equal("op-1", node.Effects.OfType<NodeEffect.Record>().Single().OperationId);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Drained), node.Decision(Shared));
        Assert.Null(node.State.Leaving);
    }

    [Fact]
    public void Drain_IsAnswered_WhenTheUpdatesWithTheCommunityAreWritten()
    {
        var node = Started().Keep(Intent(1, drained: true));
        Assert.Null(node.Answer);

        node.Written(First);
        node.Written(Second);
        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Applied(2)), node.Answer);
    }

    [Fact]
    public void UndrainedDuringTheWait_TheCommunityIsTakenBack_AndNothingIsWithdrawn()
    {
        var node = Started().Keep(Intent(1, drained: true)).After(_wait / 2).Keep(Intent(2));

        Assert.Equal(_asPrimary, Communities(node));
        Assert.Equal([TransitionKind.IntentAccepted, TransitionKind.Undrained], node.Recorded);
        Assert.Contains("its graceful shutdown is cancelled and nothing was withdrawn", node.Effects.OfType<NodeEffect.Record>().Last().Text, StringComparison.Ordinal);
        Assert.Null(node.State.Leaving);
    }

    [Fact]
    public void RoleChangedDuringTheWait_IsObeyed_AndTheWaitGoesOn()
    {
        var node = Started().Keep(Intent(1, drained: true)).After(_wait / 2).Keep(Intent(2, true, new PrefixIntent(Shared, Role.Secondary)));

        Assert.Equal([new Community(65000, 2), new Community(65535, 0)], Communities(node));
        node.After(_wait / 2).Give(new NodeEvent.Tick());
        Assert.Empty(node.Handed!.Value);
    }

    [Fact]
    public void AddressLostDuringTheWait_IsWithdrawnAtOnce_AndDoesNotComeBack()
    {
        var node = Started().Keep(Intent(1, drained: true)).Give(new NodeEvent.AddressesChanged([]));
        Assert.Empty(node.Handed!.Value);

        node.Give(new NodeEvent.AddressesChanged([Shared]));
        Assert.Empty(node.State.Advertisements);
    }

    [Fact]
    public void PrefixThatAppearsDuringTheWait_IsNotAnnounced()
    {
        var node = Started().Keep(Intent(1, drained: true)).Give(new NodeEvent.AddressesChanged([Shared, Other]));

        Assert.Equal(Shared, Assert.Single(node.State.Advertisements).Prefix);
    }

    [Fact]
    public void PrefixThatAppearsOnTheWayToTheEnd_IsNotAnnounced()
    {
        var node = Started().Give(new NodeEvent.StopRequested("SIGTERM")).Give(new NodeEvent.AddressesChanged([Shared, Other]));

        Assert.Equal(Shared, Assert.Single(node.State.Advertisements).Prefix);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Stopping), node.Decision(Other));
    }

    [Fact]
    public void AddressLostOnTheWayToTheEnd_DoesNotComeBack()
    {
        var node = Started().Give(new NodeEvent.StopRequested("SIGTERM")).Give(new NodeEvent.AddressesChanged([])).Give(new NodeEvent.AddressesChanged([Shared]));

        Assert.Empty(node.State.Advertisements);
    }

    [Fact]
    public void NobodyWouldNotice_DrainsAtOnce()
    {
        var withoutSessions = Node(_wait).Start(Shared).Keep(Intent(1, drained: true));
        Assert.Empty(withoutSessions.State.Advertisements);

        var withoutRoutes = Node(_wait).Start().BothUp().Keep(Intent(1, drained: true));
        Assert.Null(withoutRoutes.State.Leaving);
    }

    [Fact]
    public void SwitchedOff_DrainsAndStopsAtOnce()
    {
        Assert.Empty(Node(TimeSpan.Zero).Start(Shared).BothUp().Keep(Intent(1, drained: true)).State.Advertisements);
        Assert.True(Node(TimeSpan.Zero).Start(Shared).BothUp().Give(new NodeEvent.StopRequested("SIGTERM")).State.Stopping);
    }

    [Fact]
    public void Stop_AnnouncesWithTheCommunityFirst_AndSaysGoodbyeWhenTheTimeIsOver()
    {
        var node = Started().Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.Equal(_leavingAsPrimary, Communities(node));
        Assert.Equal([TransitionKind.GracefulShutdown], node.Recorded);
        Assert.DoesNotContain(node.Effects, effect => effect is NodeEffect.StopSessions);
        Assert.False(node.State.Stopping);

        node.Give(new NodeEvent.StopRequested("SIGTERM"));
        Assert.Empty(node.Effects);

        node.After(_wait).Give(new NodeEvent.Tick());
        Assert.Equal(new NodeEffect.StopSessions("failoverhub-agent stopping: SIGTERM on node-a"), node.Effects[0]);
        Assert.Equal([TransitionKind.Stopping, TransitionKind.Withdrawn], node.Recorded);
    }

    [Fact]
    public void StopAtOnceDuringTheWait_EndsIt()
    {
        var node = Started().Give(new NodeEvent.StopRequested("SIGTERM")).Give(new NodeEvent.StopRequested("SIGTERM", AtOnce: true));

        Assert.IsType<NodeEffect.StopSessions>(node.Effects[0]);
        Assert.True(node.State.Stopping);
        Assert.Null(node.State.NextDeadline);
    }

    [Fact]
    public void Stop_WaitsNoLongerThanWhoeverStoppedUs()
    {
        var node = Node(TimeSpan.FromMinutes(5)).Start(Shared).BothUp().Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.Equal(node.Now + TimeSpan.FromSeconds(30), node.State.NextDeadline);
    }

    [Fact]
    public void StopWhileDraining_DoesNotWaitAnew()
    {
        var node = Started().Keep(Intent(1, drained: true));
        var until = node.State.Leaving!.Until;
        node.BothUp().After(_wait / 2).Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.Equal(until, node.State.Leaving!.Until);
        Assert.True(node.State.Leaving.Stops);
    }

    [Fact]
    public void IntentWhileStopping_IsRejected()
    {
        var node = Started().Give(new NodeEvent.StopRequested("SIGTERM")).Give(new NodeEvent.IntentReceived(Intent(1)));

        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Rejected("the agent is stopping")), node.Answer);
    }

    [Fact]
    public void DrainedAlready_StopsAtOnce()
    {
        var node = Started().Keep(Intent(1, drained: true)).After(_wait).Give(new NodeEvent.Tick()).Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.True(node.State.Stopping);
    }

    private static Community[] Communities(NodeUnderTest node) => [.. Assert.Single(node.Handed!.Value).Communities];

    private static NodeUnderTest Node(TimeSpan wait) => new(settings => settings with { GracefulShutdown = wait });

    private static NodeUnderTest Started() => Node(_wait).Start(Shared).BothUp();
}
