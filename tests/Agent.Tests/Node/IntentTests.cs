using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

public sealed class IntentTests
{
    private static readonly PrefixIntent _asSecondary = new(Shared, Role.Secondary);
    private static readonly SkippedPrefix _cannot = new(Shared, SkipReason.FamilyNotNegotiated);

    [Fact]
    public void IntentReceived_NothingChanges_BeforeItIsKept()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp();
        var before = node.State;

        node.Give(new NodeEvent.IntentReceived(Intent(1, prefixes: _asSecondary)));

        Assert.Equal([typeof(NodeEffect.PersistIntent)], node.Effects.Select(effect => effect.GetType()));
        Assert.Same(before, node.State);
    }

    [Fact]
    public void IntentKept_RoleChanges_WithoutAWithdrawBetween()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary));

        Assert.Equal([new Community(65000, 2)], Assert.Single(node.Handed!.Value).Communities.ToArray());
        Assert.Equal([TransitionKind.IntentAccepted, TransitionKind.RoleChanged], node.Recorded);
        Assert.IsType<NodeEffect.SetAdvertisements>(node.Effects[0]);
        Assert.All(node.Effects.OfType<NodeEffect.Record>(), record => Assert.Equal("op-1", record.OperationId));
    }

    [Fact]
    public void IntentKept_IsApplied_OnlyWhenEverySessionHasTheUpdateOnItsSocket()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary));
        Assert.Null(node.Answer);

        node.Written(First);
        Assert.Null(node.Answer);

        node.Written(Second);
        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Applied(2)), node.Answer);
        Assert.Null(node.State.Pending);
    }

    [Fact]
    public void IntentKept_ASessionIsLostMeanwhile_ItIsNotWaitedFor()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary)).Written(First).Lose(Second);

        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Applied(1)), node.Answer);
    }

    [Fact]
    public void IntentKept_ASocketTakesNothing_IsAnsweredWithWhatCameThrough_WhenTheWaitIsOver()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary)).Written(First);

        node.After(node.State.Settings.IntentAnswerWait).Give(new NodeEvent.Tick());

        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Applied(1)), node.Answer);
    }

    [Fact]
    public void IntentKept_NoSocketTakesAnything_SaysThatNobodyWasTold()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary));

        node.After(node.State.Settings.IntentAnswerWait).Give(new NodeEvent.Tick());

        Assert.IsType<IntentOutcome.AcceptedNotAnnounced>(node.Answer!.Outcome);
    }

    [Fact]
    public void HubConnected_TheIntentInForceIsAnswered()
    {
        var node = new NodeUnderTest(stored: NodeUnderTest.Intent(4, drained: true)).Start(NodeUnderTest.Shared).BothUp();

        node.Give(new NodeEvent.HubConnected());

        Assert.Equal(new IntentAnswer(4, new IntentOutcome.Applied(2)), node.Answer);
    }

    [Fact]
    public void HubConnected_NoIntentInForce_NothingIsAnswered()
    {
        Assert.Null(new NodeUnderTest().Start(NodeUnderTest.Shared).BothUp().Give(new NodeEvent.HubConnected()).Answer);
    }

    /// <summary>After a start the hub is often there before the neighbors: "not announced" would end its operation.</summary>
    [Fact]
    public void HubConnected_BeforeAnySession_TheAnswerWaitsForOne_ButNotForEver()
    {
        var node = new NodeUnderTest(stored: NodeUnderTest.Intent(4, drained: false, new PrefixIntent(NodeUnderTest.Shared, Role.Primary))).Start(NodeUnderTest.Shared);
        Assert.Null(node.Give(new NodeEvent.HubConnected()).Answer);
        Assert.Equal(new IntentAnswer(4, new IntentOutcome.Applied(1)), node.Establish(NodeUnderTest.First).Written(NodeUnderTest.First).Answer);

        var alone = new NodeUnderTest(stored: NodeUnderTest.Intent(4)).Start(NodeUnderTest.Shared).Give(new NodeEvent.HubConnected());
        alone.After(alone.State.Settings.IntentAnswerWait).Give(new NodeEvent.Tick());
        Assert.IsType<IntentOutcome.AcceptedNotAnnounced>(alone.Answer!.Outcome);
    }

    [Fact]
    public void IntentKept_NoSession_IsAcceptedButNotAnnounced()
    {
        var node = new NodeUnderTest().Start(Shared).Keep(Intent(1, prefixes: _asSecondary));

        Assert.IsType<IntentOutcome.AcceptedNotAnnounced>(node.Answer!.Outcome);
        Assert.Equal(1ul, node.State.Intent!.Revision);
    }

    [Fact]
    public void IntentKept_OneSessionCannotCarryIt_IsAppliedOnTheOthersOnly()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary)).Written(First, _cannot).Written(Second);

        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Applied(1)), node.Answer);
        Assert.Equal(1, node.State.SessionsCarrying(node.State.Prefixes[0]));
    }

    [Fact]
    public void IntentKept_NoSessionCanCarryIt_SaysThatNobodyHasIt_AndWhy()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary)).Written(First, _cannot).Written(Second, _cannot);

        var reason = Assert.IsType<IntentOutcome.AcceptedNotAnnounced>(node.Answer!.Outcome).Reason;
        Assert.Contains("203.0.113.10/32 is not announced to 192.0.2.1", reason, StringComparison.Ordinal);
        Assert.Equal(0, node.State.SessionsCarrying(node.State.Prefixes[0]));
    }

    [Fact]
    public void IntentKept_NothingHadToChange_IsAppliedAtOnce()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: new PrefixIntent(Shared, Role.Primary)));

        Assert.Null(node.Handed);
        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Applied(2)), node.Answer);
    }

    [Fact]
    public void IntentNotKept_IsRejected_AndNothingChanges()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp();
        var before = node.State;
        var intent = Intent(1, prefixes: _asSecondary);

        node.Give(new NodeEvent.IntentReceived(intent)).Give(new NodeEvent.IntentNotPersisted(intent, "disk full"));

        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Rejected("disk full")), node.Answer);
        Assert.Equal([TransitionKind.IntentRejected], node.Recorded);
        Assert.Equal(before with { LastRejection = new RejectedIntent(1, "op-1", "disk full") }, node.State);
    }

    [Fact]
    public void SameRevisionAgain_IsAnsweredAgain_AndNothingElse()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary)).Written(First).Written(Second);

        node.Give(new NodeEvent.IntentReceived(Intent(1, prefixes: _asSecondary)));

        Assert.Equal(new NodeEffect.AnswerIntent(new IntentAnswer(1, new IntentOutcome.Applied(2))), Assert.Single(node.Effects));
    }

    [Fact]
    public void SameRevisionWithAnotherContent_IsRejected()
    {
        var node = new NodeUnderTest().Start(Shared).Keep(Intent(1, prefixes: _asSecondary)).Give(new NodeEvent.IntentReceived(Intent(1, drained: true)));

        Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome);
        Assert.False(node.State.Drained);
    }

    [Fact]
    public void OlderRevision_IsRejected_NamingTheOneInForce()
    {
        var node = new NodeUnderTest().Start(Shared).Keep(Intent(5)).Give(new NodeEvent.IntentReceived(Intent(4, drained: true)));

        Assert.Contains("revision 5", Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome).Reason, StringComparison.Ordinal);
        Assert.False(node.State.Drained);
    }

    [Fact]
    public void NewerRevision_WhileAnAnswerIsPending_AnswersTheOlderOneFirst()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Keep(Intent(1, prefixes: _asSecondary)).Written(First).Keep(Intent(2, drained: true));

        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Applied(1)), node.Answer);
        Assert.Equal(2ul, node.State.Pending!.Revision);
    }

    [Fact]
    public void Drained_WithdrawsEverything_AndUndrainedAnnouncesAgain()
    {
        var node = new NodeUnderTest().Start(Shared, Other).BothUp().Keep(Intent(1, drained: true));
        Assert.Empty(node.Handed!.Value);
        Assert.Equal([TransitionKind.IntentAccepted, TransitionKind.Drained, TransitionKind.Withdrawn, TransitionKind.Withdrawn], node.Recorded);

        node.Keep(Intent(2));
        Assert.Equal(2, node.Handed!.Value.Length);
        Assert.Equal([TransitionKind.IntentAccepted, TransitionKind.Undrained, TransitionKind.Announced, TransitionKind.Announced], node.Recorded);
    }

    [Fact]
    public void PrefixNotInTheIntent_FollowsTheConfiguration()
    {
        var node = new NodeUnderTest().Start(Shared, Other).Keep(Intent(1, prefixes: _asSecondary));

        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Other));
    }

    [Fact]
    public void PrefixWhoseAddressIsNotThereYet_IsAccepted_AndAnnouncedWhenItComes()
    {
        var node = new NodeUnderTest(role: null).Start().Keep(Intent(1, prefixes: _asSecondary));
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.AddressMissing), node.Decision(Shared));

        node.Give(new NodeEvent.AddressesChanged([Shared]));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));
    }

    [Theory]
    [InlineData("192.0.2.0/24", "cannot be shared")]
    [InlineData("2001:db8::/48", "cannot be shared")]
    [InlineData("127.0.0.1/32", "loopback")]
    public void PrefixThatCouldNeverBeAnnounced_IsRejected(string prefix, string why)
    {
        var node = new NodeUnderTest().Start(Shared).Give(new NodeEvent.IntentReceived(Intent(1, prefixes: new PrefixIntent(IPNetwork.Parse(prefix), Role.Primary))));

        Assert.Contains(why, Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome).Reason, StringComparison.Ordinal);
        Assert.Null(node.State.Intent);
    }

    [Fact]
    public void MoreThanAnyHubNeeds_IsRejected_NamingTheBound()
    {
        var node = new NodeUnderTest().Start(Shared);
        (NodeIntent Intent, string Named)[] excesses =
        [
            (Intent((ulong)long.MaxValue + 1), "revision"),
            (Intent(1, prefixes: [.. Many(16_385)]), "16384"),
            (Intent(1) with { OperationId = new string('x', 129) }, "128"),
            (Intent(1) with { Reason = new string('x', 1001) }, "1000"),
        ];

        Assert.All(excesses, excess =>
        {
            node.Give(new NodeEvent.IntentReceived(excess.Intent));
            Assert.Contains(excess.Named, Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome).Reason, StringComparison.Ordinal);
            Assert.All(node.Effects.OfType<NodeEffect.Record>(), record => Assert.InRange(record.OperationId.Length, 0, 128));
        });
    }

    [Fact]
    public void AsManyAsAHubMaySend_AreAllAnnouncedInTheRoleOfTheIntent()
    {
        PrefixIntent[] many = [.. Many(16_384)];
        var node = new NodeUnderTest().Start([.. many.Select(entry => entry.Prefix)]).BothUp().Keep(Intent(1, prefixes: many));

        Assert.Equal(16_384, node.Handed!.Value.Length);
        Assert.All(node.Handed.Value, advertisement => Assert.Equal([new Community(65000, 2)], advertisement.Communities.ToArray()));
        Assert.True(Intent(1, prefixes: many).WantsTheSameAs(Intent(1, prefixes: [.. many.Reverse()])));
    }

    [Fact]
    public void PrefixTextOfAnyLength_IsNotRepeated()
    {
        Assert.False(SharedPrefix.TryParse(new string('9', 100_000), out _, out var problem));
        Assert.InRange(problem.Length, 1, 200);
    }

    [Fact]
    public void SameRejectionAgain_IsAnsweredEachTime_AndRecordedOnce()
    {
        var node = new NodeUnderTest().Start(Shared).Give(new NodeEvent.IntentReceived(Intent(0)));
        Assert.Equal([TransitionKind.IntentRejected], node.Recorded);

        node.Give(new NodeEvent.IntentReceived(Intent(0)));

        Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome);
        Assert.Empty(node.Recorded);
        node.Keep(Intent(1)).Give(new NodeEvent.IntentReceived(Intent(0)));
        Assert.Equal([TransitionKind.IntentRejected], node.Recorded);
    }

    [Fact]
    public void PrefixThatOnlyAnOlderIntentNamed_IsForgotten_OneThatWasHereIsNot()
    {
        var node = new NodeUnderTest().Start(Shared).Keep(Intent(1, prefixes: new PrefixIntent(Other, Role.Secondary)));
        node.Give(new NodeEvent.AddressesChanged([]));

        node.Keep(Intent(2));

        Assert.Equal([Shared], node.State.Prefixes.Select(known => known.Prefix));
    }

    [Fact]
    public void LoopbackPrefixThatWasGivenOnTheCommandLine_IsAccepted()
    {
        var loopback = IPNetwork.Parse("127.203.113.10/32");
        var node = new NodeUnderTest(Role.Primary, null, new ConfiguredPrefix(loopback, null)).Start().Keep(Intent(1, prefixes: new PrefixIntent(loopback, Role.Secondary)));

        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(loopback));
    }

    [Fact]
    public void PrefixTwice_OrRevisionZero_IsRejected()
    {
        var node = new NodeUnderTest().Start(Shared);

        node.Give(new NodeEvent.IntentReceived(Intent(1, prefixes: [_asSecondary, _asSecondary])));
        Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome);
        node.Give(new NodeEvent.IntentReceived(Intent(0)));
        Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome);
    }

    [Fact]
    public void Stopping_IntentsAreRejected()
    {
        var node = new NodeUnderTest().Start(Shared).Give(new NodeEvent.StopRequested("SIGTERM")).Give(new NodeEvent.IntentReceived(Intent(1)));

        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Rejected("the agent is stopping")), node.Answer);
    }

    private static IEnumerable<PrefixIntent> Many(int count) =>
        Enumerable.Range(0, count).Select(number => new PrefixIntent(IPNetwork.Parse($"203.0.{number / 256}.{number % 256}/32"), Role.Secondary));
}
