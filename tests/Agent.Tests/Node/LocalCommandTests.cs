using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>What somebody in front of the machine orders: obeyed without a hub, kept before it is obeyed, and always on record.</summary>
public sealed class LocalCommandTests
{
    private const string Root = "root (uid 0)";

    private static readonly LocalCommand _drain = new LocalCommand.DrainNode(1, Root, "kernel update");
    private static readonly LocalCommand _undrain = new LocalCommand.UndrainNode(2, Root, "");
    private static readonly AdvertisementDecision _primary = new AdvertisementDecision.Announce(Role.Primary);
    private static readonly AdvertisementDecision _secondary = new AdvertisementDecision.Announce(Role.Secondary);
    private static readonly AdvertisementDecision _drained = new AdvertisementDecision.Withdraw(WithdrawnReason.Drained);

    [Fact]
    public void Received_NothingChanges_BeforeItIsKept()
    {
        var node = Up();
        var before = node.State;

        node.Give(new NodeEvent.CommandReceived(_drain));

        Assert.Equal(Root, Assert.IsType<NodeEffect.PersistOrders>(Assert.Single(node.Effects)).Orders.Drain!.Actor);
        Assert.Same(before, node.State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ClientWasSentAwayLongAgo_ItsCommandIsRefused_WithAnEntry_AndNotDoneLater(bool failsBack)
    {
        var node = Up();
        LocalCommand command = failsBack ? new LocalCommand.FailBack(3, Root, "", null) : _drain;
        command = command with { Until = node.Now + TimeSpan.FromSeconds(3) };
        var before = node.State;

        node.After(TimeSpan.FromSeconds(13)).Give(new NodeEvent.CommandReceived(command));

        Assert.Same(before, node.State);
        Assert.Empty(node.Effects.OfType<NodeEffect.PersistOrders>());
        Assert.Null(node.Handed);
        var entry = Assert.Single(node.Effects.OfType<NodeEffect.Record>());
        Assert.Equal((TransitionKind.LocalCommand, Root), (entry.Kind, entry.Actor));
        Assert.Contains($"was refused to {command.What}", entry.Text, StringComparison.Ordinal);
        Assert.Contains("no time for it until 10.0 s after its time was over", entry.Text, StringComparison.Ordinal);
        Assert.IsType<IntentOutcome.Rejected>(Said(node)!.Outcome);
    }

    [Fact]
    public void TakenInTime_IsDone() =>
        Assert.True(Up().Order(_drain with { Until = Up().Now }).State.Drained);

    [Fact]
    public void Drain_WithdrawsFirstOfAll_AndSaysWhoAndWhy()
    {
        var node = Up().Order(_drain);

        Assert.Empty(node.Handed!.Value);
        Assert.IsType<NodeEffect.SetAdvertisements>(node.Effects[0]);
        Assert.Equal([TransitionKind.LocalCommand, TransitionKind.Drained, TransitionKind.Withdrawn], node.Recorded);
        var entry = node.Effects.OfType<NodeEffect.Record>().First();
        Assert.Equal((Root, "root (uid 0) ordered to drain this node (\"kernel update\"); drained: 1 prefix withdrawn"), (entry.Actor, entry.Text));
        Assert.Equal(
            "203.0.113.10/32 withdrawn (drained), it was announced as primary on 2 sessions: local command of root (uid 0) to drain this node (\"kernel update\")",
            node.Effects.OfType<NodeEffect.Record>().Last().Text);
        Assert.True(node.State.Drained);
        Assert.Null(node.State.Intent);
    }

    [Fact]
    public void Drain_IsAnswered_WhenEverySessionHasItOnItsSocket()
    {
        var node = Up().Order(_drain);
        Assert.Null(Said(node));

        node.Written(First);
        Assert.Null(Said(node));
        node.Written(Second);
        Assert.Equal(new LocalAnswer(1, new IntentOutcome.Applied(2), "drained: 1 prefix withdrawn", true, 2), Said(node));
        Assert.Empty(node.State.Commands);
    }

    [Fact]
    public void SocketIsFull_TheAnswerSaysHowFarItCame()
    {
        var node = Up().Order(_drain).Written(First);
        Assert.Equal(node.Now + node.State.Settings.IntentAnswerWait, node.State.NextDeadline);

        node.After(node.State.Settings.IntentAnswerWait).Give(new NodeEvent.Tick());
        Assert.Equal(new IntentOutcome.Applied(1), Said(node)!.Outcome);
        Assert.Equal(2, Said(node)!.Established);
    }

    [Fact]
    public void NoSession_IsObeyed_AndTheAnswerSaysThatNobodyKnows()
    {
        var node = new NodeUnderTest().Start(Shared).Order(_drain);

        Assert.IsType<IntentOutcome.AcceptedNotAnnounced>(Said(node)!.Outcome);
        Assert.Equal(_drained, node.Decision(Shared));
    }

    [Fact]
    public void CannotBeKept_IsRefused_OnRecord_AndNothingChanges()
    {
        var node = Up().Give(new NodeEvent.OrdersNotPersisted(_drain, "it could not be kept on the node's disk: full"));

        Assert.Equal(new LocalAnswer(1, new IntentOutcome.Rejected("it could not be kept on the node's disk: full")), Said(node));
        var entry = Assert.Single(node.Effects.OfType<NodeEffect.Record>());
        Assert.Equal((Root, "root (uid 0) was refused to drain this node (\"kernel update\"), nothing changed: it could not be kept on the node's disk: full"), (entry.Actor, entry.Text));
        Assert.Equal([new NodeEffect.MarkDrained(false)], node.Effects.OfType<NodeEffect.MarkDrained>());
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void Undrain_BringsBackWhatWasThere_AndTakesTheMarkAwayLast()
    {
        var node = Up().Order(_drain).Order(_undrain);

        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([TransitionKind.LocalCommand, TransitionKind.Undrained, TransitionKind.Announced], node.Recorded);
        Assert.Equal(new NodeEffect.MarkDrained(false), node.Effects[^1]);
    }

    [Fact]
    public void Undrain_UnderAFailbackPolicy_ComesBackAsSecondary()
    {
        var node = new NodeUnderTest(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }).Start(Shared).BothUp().Order(_drain).Order(_undrain);

        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal("no longer drained: 1 prefix announced as secondary, 1 prefix held back by the failback policy", node.State.Commands[^1].Text);
    }

    [Fact]
    public void DrainedByTheIntentOnly_UndrainIsRefused_AndSaysWhoCan()
    {
        var node = Up().Keep(Intent(7, drained: true)).Give(new NodeEvent.CommandReceived(_undrain));

        Assert.Contains("intent 7 (\"a test\") of the hub does: undrain it there", Assert.IsType<IntentOutcome.Rejected>(Said(node)!.Outcome).Reason, StringComparison.Ordinal);
        Assert.Equal([TransitionKind.LocalCommand], node.Recorded);
        Assert.Equal(_drained, node.Decision(Shared));
    }

    [Fact]
    public void DrainedByBoth_EachIsLiftedByWhoeverSaidIt()
    {
        var node = Up().Keep(Intent(7, drained: true)).Order(_drain);
        Assert.Equal("drained: there is nothing new to tell the neighbors", node.State.Commands.Length == 0 ? Said(node)!.Text : node.State.Commands[0].Text);

        node.Keep(Intent(8));
        Assert.Equal(_drained, node.Decision(Shared));
        Assert.Contains("the node stays drained by a local command", node.Effects.OfType<NodeEffect.Record>().First().Text, StringComparison.Ordinal);

        node.Order(_undrain);
        Assert.Equal(_primary, node.Decision(Shared));

        node.Order(_drain).Keep(Intent(9, drained: true)).Order(_undrain);
        Assert.Equal(_drained, node.Decision(Shared));
        Assert.StartsWith("no longer drained by a local command, but intent 9 (\"a test\") still drains this node", node.State.Commands[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void IntentThatLiftsTheLocalDrain_EndsIt_AndOnlyANewerOneDoes()
    {
        var node = Up().Keep(Intent(1) with { LiftLocalDrain = true }).Order(_drain);
        Assert.Equal(_drained, node.Decision(Shared));
        Assert.Same(node.State.Orders, node.State.Orders.Under(node.State.Intent));

        node.Keep(Intent(2));
        Assert.Equal(_drained, node.Decision(Shared));
        node.Keep(Intent(3) with { LiftLocalDrain = true });
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Null(Assert.Single(node.Effects.OfType<NodeEffect.PersistOrders>()).Orders.Drain);
    }

    [Fact]
    public void DrainWithGracefulShutdown_AnnouncesItFirst_AndUndrainInTimeCancelsIt()
    {
        var node = new NodeUnderTest(settings => settings with { GracefulShutdown = TimeSpan.FromSeconds(10) }).Start(Shared).BothUp().Order(_drain);
        Assert.Equal([new Community(65000, 1), new Community(65535, 0)], node.Handed!.Value[0].Communities.ToArray());
        Assert.Equal("drained after a graceful shutdown: 1 prefix announced with graceful shutdown, and withdrawn after it", node.State.Commands[0].Text);

        node.Order(_undrain);
        Assert.Equal([new Community(65000, 1)], node.Handed!.Value[0].Communities.ToArray());

        node.Order(_drain).After(TimeSpan.FromSeconds(10)).Give(new NodeEvent.Tick());
        Assert.Equal(_drained, node.Decision(Shared));
    }

    [Fact]
    public void Role_OverridesTheConfiguration_UntilItsEnd()
    {
        var node = Up().Order(Make(Shared, Role.Secondary));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal([TransitionKind.LocalCommand, TransitionKind.RoleChanged], node.Recorded);
        Assert.Equal("secondary until 'role default' or a newer intent: 1 prefix announced as secondary instead of primary", node.State.Commands[0].Text);

        node.Order(Make(Shared, null));
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.True(node.State.Orders.IsEmpty);
    }

    [Fact]
    public void Role_OutlivesAnIntentThatDoesNotNameThePrefix_AndNoOtherNewerOne()
    {
        var node = Up().Keep(Intent(3, false, new PrefixIntent(Shared, Role.Primary))).Order(Make(Shared, Role.Secondary));

        node.Keep(Intent(4, false, new PrefixIntent(Other, Role.Primary)));
        Assert.Equal(_secondary, node.Decision(Shared));

        node.Keep(Intent(5, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.True(Assert.Single(node.Effects.OfType<NodeEffect.PersistOrders>()).Orders.IsEmpty);
    }

    [Fact]
    public void Role_OfAllPrefixes_AndOfOneThatIsNotHere()
    {
        var node = new NodeUnderTest().Start(Shared, Other).BothUp().Order(Make(null, Role.Secondary));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal(_secondary, node.Decision(Other));

        node.Give(new NodeEvent.CommandReceived(Make(IPNetwork.Parse("192.0.2.1/32"), Role.Primary)));
        Assert.Equal(
            "192.0.2.1/32 is none of this node's prefixes: 203.0.113.10/32, 2001:db8:e001:1b8c::/64",
            Assert.IsType<IntentOutcome.Rejected>(Said(node)!.Outcome).Reason);
    }

    [Fact]
    public void RolePrimary_AndFailback_EndAHold()
    {
        var held = new NodeUnderTest(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } });
        held.Remember(Shared).Start(Shared).BothUp();
        Assert.Equal(_secondary, held.Decision(Shared));

        held.Give(new NodeEvent.CommandReceived(new LocalCommand.FailBack(3, Root, "", Shared)));
        Assert.Equal(_primary, held.Decision(Shared));
        Assert.Equal([TransitionKind.LocalCommand, TransitionKind.FailbackReleased, TransitionKind.RoleChanged], held.Recorded);
        Assert.Equal("failed back: 1 prefix announced as primary instead of secondary", held.State.Commands[0].Text);

        held.Lose(First).Lose(Second).BothUp();
        Assert.Equal(_secondary, held.Decision(Shared));
        held.Order(Make(null, Role.Primary));
        Assert.Equal(_primary, held.Decision(Shared));
    }

    [Fact]
    public void Failback_OfWhatIsNotPrimary_IsRefused_AndOfWhatIsNotHeld_ChangesNothing()
    {
        var node = Up().Order(Make(Shared, Role.Secondary)).Written(First).Written(Second);
        node.Give(new NodeEvent.CommandReceived(new LocalCommand.FailBack(3, Root, "", Shared)));
        Assert.Contains("is assigned secondary", Assert.IsType<IntentOutcome.Rejected>(Said(node)!.Outcome).Reason, StringComparison.Ordinal);

        node.Give(new NodeEvent.CommandReceived(new LocalCommand.FailBack(4, Root, "", null)));
        Assert.Equal(new LocalAnswer(4, new IntentOutcome.Applied(2), "nothing was held back: there is nothing new to tell the neighbors", false, 2), Said(node));
    }

    [Fact]
    public void Stopping_EveryCommandIsRefused()
    {
        var node = Up().Give(new NodeEvent.StopRequested("SIGTERM")).Give(new NodeEvent.CommandReceived(_undrain));

        Assert.Equal(new IntentOutcome.Rejected("the agent is stopping"), Said(node)!.Outcome);
    }

    [Fact]
    public void StopDuringTheWait_TheCommandIsAnswered()
    {
        var node = Up().Order(_drain).Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.NotNull(Said(node));
    }

    [Fact]
    public void OrdersLost_NothingIsPrimary_UntilItIsOrderedOrNamedAnew()
    {
        var node = new NodeUnderTest(settings => settings).Obeying(new LocalOrders { RolesLostAfter = 0 }).Start(Shared, Other).BothUp();
        Assert.Equal(_secondary, node.Decision(Shared));

        node.Order(Make(Shared, Role.Primary));
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal(_secondary, node.Decision(Other));

        node.Keep(Intent(1, false, new PrefixIntent(Other, Role.Primary)));
        Assert.Equal(_primary, node.Decision(Other));

        var other = new NodeUnderTest(settings => settings).Obeying(new LocalOrders { RolesLostAfter = 0 }).Start(Shared).BothUp().Order(Make(null, null));
        Assert.Equal(_primary, other.Decision(Shared));
    }

    [Fact]
    public void OrdersLost_TheIntentThatWasInForceThen_IsInDoubtAsWell()
    {
        var stored = Intent(7, false, new PrefixIntent(Shared, Role.Primary));
        var node = new NodeUnderTest(Role.Primary, stored).Obeying(new LocalOrders { RolesLostAfter = 7 }).Start(Shared).BothUp();
        Assert.Equal(_secondary, node.Decision(Shared));

        node.Keep(Intent(8, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void OrdersLost_AddressThatIsPutThereLater_IsStillInDoubt()
    {
        var node = new NodeUnderTest(Role.Primary).Obeying(new LocalOrders { RolesLostAfter = 7 }).Start(Shared).BothUp();
        node.Keep(Intent(8, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(_primary, node.Decision(Shared));

        node.Give(new NodeEvent.AddressesChanged([Shared, Other]));
        Assert.Equal(_secondary, node.Decision(Other));
        Assert.Equal(7ul, node.State.Orders.RolesLostAfter);

        node.Keep(Intent(9, false, new PrefixIntent(Shared, Role.Primary), new PrefixIntent(Other, Role.Primary)));
        Assert.Equal((_primary, _primary), (node.Decision(Shared), node.Decision(Other)));
    }

    [Fact]
    public void IntentLostAndDrained_NothingIsAnnounced_UntilSomebodySaysSo()
    {
        var node = new NodeUnderTest().LoseIntent(drained: true).Start(Shared).BothUp();
        Assert.Equal(_drained, node.Decision(Shared));

        node.Order(_undrain);
        Assert.Equal(_secondary, node.Decision(Shared));
        node.Order(Make(Shared, Role.Primary));
        Assert.Equal(_primary, node.Decision(Shared));

        var byHub = new NodeUnderTest().LoseIntent(drained: true).Start(Shared).BothUp().Keep(Intent(1));
        Assert.Equal(_primary, byHub.Decision(Shared));
    }

    [Fact]
    public void IntentLost_ARoleOrderedBefore_IsInDoubt_AndOneOrderedAfterIsNot()
    {
        var before = new RoleOrder(Role.Primary, Root, "", DateTimeOffset.UnixEpoch, 3, DespiteLostIntent: false);
        var node = new NodeUnderTest().LoseIntent().Obeying(LocalOrders.None with { Roles = LocalOrders.None.Roles.Add(Shared, before) }).Start(Shared).BothUp();
        Assert.Equal(_secondary, node.Decision(Shared));

        node.Order(Make(Shared, Role.Primary));
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.True(node.State.Orders.Roles[Shared].DespiteLostIntent);
    }

    [Fact]
    public void Started_TheMarkIsMendedOnce_NobodyWaitsForIt()
    {
        var node = Up();
        Assert.Empty(node.Effects.OfType<NodeEffect.MarkDrained>());

        var drained = new NodeUnderTest(Role.Primary, Intent(7, drained: true)).Start(Shared);
        Assert.Equal(new NodeEffect.MarkDrained(true), drained.Effects[^1]);
    }

    private static NodeUnderTest Up() => new NodeUnderTest().Start(Shared).BothUp();

    private static LocalCommand.SetRole Make(IPNetwork? prefix, Role? role) => new(9, Root, "", prefix, role);

    private static LocalAnswer? Said(NodeUnderTest node) => node.Effects.OfType<NodeEffect.AnswerCommand>().LastOrDefault()?.Answer;
}
