using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

public sealed class FleetReducerTests
{
    private readonly List<FleetEffect> _effects = [];

    private FleetFacts Apply(FleetFacts facts, FleetMessage message, Moment? now = null)
    {
        _effects.Clear();
        return FleetReducer.Apply(facts, message, now ?? Now, () => "new", _effects);
    }

    private static AgentHello Hello(string node = "web-1", string boot = "boot", long revision = 0) =>
        new() { Node = node, AgentVersion = "1", BootId = boot, IntentRevision = revision, DataCenter = "", Capabilities = [] };

    private static IntentFacts Intent(long revision, Role role = Role.Secondary) =>
        new() { Revision = revision, Drained = false, Roles = IntentFacts.RolesFrom([(Prefix, role)]) };

    [Fact]
    public void Hello_OfAnAgentThatLostWhatItHadConfirmed_IsAnsweredWithTheIntent()
    {
        var facts = Facts(null, new NodeFacts { Name = "web-1", Intent = Intent(5), Confirmed = Intent(5) });

        Apply(facts, new FleetMessage.StreamOpened(7, Hello(revision: 4), null));

        Assert.Equal(new FleetEffect.Admit(7), _effects.OfType<FleetEffect.Admit>().Single());
        Assert.Equal((7L, 5L), _effects.OfType<FleetEffect.Offer>().Select(o => (o.StreamId, o.Intent.Revision)).Single());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hello_OfAnAgentThatLostADrain_IsToldAgainOnlyWhenAnotherNodeAnnounces(bool otherAnnounces)
    {
        var drain = Intent(5) with { Drained = true };
        var other = otherAnnounces ? Healthy.Nodes["web-2"] : new NodeFacts { Name = "web-2" };
        var facts = Facts(Pair("web-1", "web-2"), new NodeFacts { Name = "web-1", Intent = drain, Confirmed = drain }, other);

        facts = Apply(facts, new FleetMessage.StreamOpened(7, Hello(), null));

        Assert.Equal(otherAnnounces, _effects.Exists(e => e is FleetEffect.Offer));
        Assert.Equal(!otherAnnounces, _effects.Exists(e => e is FleetEffect.IntentDropped));
        Assert.Equal(otherAnnounces ? 5 : null, facts.Nodes["web-1"].Intent?.Revision);
    }

    [Fact]
    public void RevisionThatGrowsWithEachReport_IsAdoptedOnceInTenMinutes()
    {
        var facts = Facts(null, Node("web-1", Role.Primary));
        var adopted = 0;
        for (var second = 1; second <= 1_300; second++)
        {
            facts = Apply(facts, new FleetMessage.Reported(1, "web-1", Report(View(Role.Primary, Role.Primary)) with { Sequence = (ulong)second + 1, IntentRevision = second * 3 }), Now.After(second));
            adopted += _effects.OfType<FleetEffect.SaveAdoptedIntent>().Count();
        }

        Assert.Equal(3, adopted);
        Assert.Equal(3_900, facts.Nodes["web-1"].Report!.IntentRevision);
    }

    [Fact]
    public void Hello_OfANodeThatWasReplacedAndLostItsPrimaryRole_IsNotToldAgainWhileTheOtherIsPrimary()
    {
        var facts = Facts(Pair("web-1", "web-3"), new NodeFacts { Name = "web-2", Intent = Intent(5, Role.Primary), Confirmed = Intent(5, Role.Primary) }, Node("web-1", Role.Secondary), Node("web-3", Role.Primary));

        facts = Apply(facts, new FleetMessage.StreamOpened(7, Hello("web-2"), null));

        Assert.DoesNotContain(_effects, e => e is FleetEffect.Offer);
        Assert.Null(facts.Nodes["web-2"].Intent);
    }

    [Fact]
    public void Hello_OfAnAgentThatLostADrain_IsNotToldAgainBecauseAStrangerSaysThatItAnnounces()
    {
        var drain = Intent(5) with { Drained = true };
        var facts = Facts(Pair("web-1", "web-2"), new NodeFacts { Name = "web-1", Intent = drain, Confirmed = drain }, new NodeFacts { Name = "web-2" }, Node("web-3", Role.Primary));

        Apply(facts, new FleetMessage.StreamOpened(7, Hello(), null));

        Assert.DoesNotContain(_effects, e => e is FleetEffect.Offer);
    }

    [Fact]
    public void Hello_OfAnAgentThatLostItsPrimaryRole_IsNotToldAgainWhileAnotherNodeIsPrimary()
    {
        var facts = Facts(Pair("web-1", "web-2"), new NodeFacts { Name = "web-2", Intent = Intent(5, Role.Primary), Confirmed = Intent(5, Role.Primary) }, Healthy.Nodes["web-1"]);

        facts = Apply(facts, new FleetMessage.StreamOpened(7, Hello("web-2"), null));

        Assert.DoesNotContain(_effects, e => e is FleetEffect.Offer);
        Assert.Contains("web-1 may be primary", _effects.OfType<FleetEffect.Happened>().Single(h => h.Event.Kind == EventKinds.IntentDropped).Event.Text, StringComparison.Ordinal);
        Assert.Null(facts.Nodes["web-2"].Intent);
    }

    [Fact]
    public void AnswerGivenOnceMore_DoesNotReplaceANewerOne()
    {
        var facts = Apply(Healthy, new FleetMessage.IntentReleased("web-1", Intent(4)));
        facts = Apply(facts, new FleetMessage.IntentAnswered(1, "web-1", new IntentAnswer(4, IntentOutcome.Applied, 4, "")));

        facts = Apply(facts, new FleetMessage.IntentAnswered(1, "web-1", new IntentAnswer(3, IntentOutcome.Applied, 4, "")));

        Assert.Equal(4, facts.Nodes["web-1"].Answer!.Revision);
    }

    [Fact]
    public void Hello_OfAnAgentThatHasTheIntent_IsAnsweredWithNothing()
    {
        Apply(Facts(null, new NodeFacts { Name = "web-1", Intent = Intent(5) }), new FleetMessage.StreamOpened(7, Hello(revision: 5), null));

        Assert.Empty(_effects.OfType<FleetEffect.Offer>());
    }

    [Fact]
    public void Hello_WithoutAnIntentThatWasNeverConfirmed_DropsItAndTellsSo()
    {
        var facts = Facts(Pair("web-1", "web-2"), new NodeFacts { Name = "web-1", Intent = Intent(5) with { OperationId = "op1" }, Confirmed = Intent(4) });

        facts = Apply(facts, new FleetMessage.StreamOpened(7, Hello(revision: 4), null));

        Assert.Empty(_effects.OfType<FleetEffect.Offer>());
        Assert.Equal(new FleetEffect.IntentDropped("web-1", 5), Assert.Single(_effects.OfType<FleetEffect.IntentDropped>()));
        Assert.Equal((EventKinds.IntentDropped, "op1"), _effects.OfType<FleetEffect.Happened>().Select(h => (h.Event.Kind, h.Event.OperationId)).Single());
        Assert.Equal(4, facts.Nodes["web-1"].Intent!.Revision);

        // Who has released it and looks only now does not wait for it for ever.
        Assert.Equal((true, false), (facts.Nodes["web-1"].HasTakenIn(5), facts.Nodes["web-1"].HasTakenIn(6)));
    }

    [Fact]
    public void Hello_WhileTheOperationRuns_LeavesItToTheOperationWhetherItIsSentOnceMore()
    {
        var pair = Pair("web-1", "web-2") with { Running = new RunningOperation("op1", "Drain web-1", true) };
        var facts = Facts(pair, new NodeFacts { Name = "web-1", Intent = Intent(5) with { OperationId = "op1" } });

        facts = Apply(facts, new FleetMessage.StreamOpened(7, Hello(), null));
        Assert.DoesNotContain(_effects, e => e is FleetEffect.Offer or FleetEffect.IntentDropped);

        facts = Apply(facts, new FleetMessage.OfferAgain("web-1", 5));
        Assert.Equal((7L, 5L), _effects.OfType<FleetEffect.Offer>().Select(o => (o.StreamId, o.Intent.Revision)).Single());
        Apply(facts, new FleetMessage.OfferAgain("web-1", 5));
        Assert.Empty(_effects);
    }

    [Fact]
    public void EndOfTheOperation_DropsWhatWasNotSentOnThePresentStream()
    {
        var pair = Pair("web-1", "web-2") with { Running = new RunningOperation("op1", "Drain web-1", true) };
        var facts = Facts(pair, new NodeFacts { Name = "web-1", Intent = Intent(5) with { OperationId = "op1" } });
        facts = Apply(facts, new FleetMessage.StreamOpened(7, Hello(), null));

        facts = Apply(facts, new FleetMessage.OperationChanged("p1", null, "op1", 3, null));

        Assert.Single(_effects.OfType<FleetEffect.IntentDropped>());
        Assert.Null(facts.Nodes["web-1"].Intent);
    }

    [Fact]
    public void EndOfTheOperation_WithTheOtherNodeStillPrimary_DoesNotOfferAnEarlierPrimary()
    {
        var pair = Pair("web-1", "web-2") with { Running = new RunningOperation("op1", "Switchover", true) };
        var facts = Facts(
            pair,
            new NodeFacts { Name = "web-1", Intent = Intent(5) with { OperationId = "op1" }, Confirmed = Intent(3, Role.Primary) },
            new NodeFacts { Name = "web-2", Intent = Intent(6) with { OperationId = "op1" }, Confirmed = Intent(4, Role.Primary) });
        facts = Apply(facts, new FleetMessage.StreamOpened(7, Hello(), null));
        facts = Apply(facts, new FleetMessage.StreamOpened(8, Hello("web-2", revision: 4), null));
        facts = Apply(facts, new FleetMessage.Reported(8, "web-2", Report(View(Role.Primary, Role.Primary)) with { IntentRevision = 4 }));

        facts = Apply(facts, new FleetMessage.OperationChanged("p1", null, "op1", 3, null));

        Assert.Empty(_effects.OfType<FleetEffect.Offer>());
        Assert.Equal((Role.Primary, (IntentFacts?)null), (facts.Nodes["web-2"].Intent!.RoleOf(Prefix), facts.Nodes["web-1"].Intent));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ReportOrAnswerOfTheRevision_ConfirmsTheIntentOnce(bool byAnswer)
    {
        FleetMessage Message(ulong sequence) => byAnswer
            ? new FleetMessage.IntentAnswered(1, "web-1", new IntentAnswer(3, IntentOutcome.Applied, 4, ""))
            : new FleetMessage.Reported(1, "web-1", Report(View(Role.Secondary, Role.Secondary)) with { Sequence = sequence, IntentRevision = 3 });
        var facts = Apply(Healthy, new FleetMessage.IntentReleased("web-1", Intent(3)));

        facts = Apply(facts, Message(2));
        Assert.Equal(new FleetEffect.IntentConfirmed("web-1", 3), Assert.Single(_effects.OfType<FleetEffect.IntentConfirmed>()));
        Assert.Equal(3, facts.Nodes["web-1"].Confirmed!.Revision);

        Apply(facts, Message(3));
        Assert.Empty(_effects.OfType<FleetEffect.IntentConfirmed>());
    }

    [Fact]
    public void Rejection_ConfirmsNothing()
    {
        var facts = Apply(Healthy, new FleetMessage.IntentReleased("web-1", Intent(3)));

        facts = Apply(facts, new FleetMessage.IntentAnswered(1, "web-1", new IntentAnswer(3, IntentOutcome.Rejected, 0, "the disk is full")));

        Assert.Null(facts.Nodes["web-1"].Confirmed);
    }

    [Fact]
    public void SecondLivingMachineWithTheSameName_IsRefusedAndTold()
    {
        var facts = Apply(Healthy, new FleetMessage.StreamOpened(9, Hello(boot: "other"), "192.0.2.9:1234"), Now.After(2));

        Assert.Equal(9, Assert.Single(_effects.OfType<FleetEffect.Refuse>()).StreamId);
        var clash = Assert.Single(_effects.OfType<FleetEffect.Happened>()).Event;
        Assert.Equal((EventKinds.NodeNameClash, EventSeverity.Warning, "web-1", "web"), (clash.Kind, clash.Severity, clash.Node, clash.Pair));
        Assert.Equal(1, facts.Nodes["web-1"].Stream!.Id);
    }

    [Theory]
    [InlineData("boot", 0)]
    [InlineData("other", 3.5)]
    public void NewStream_OfTheSameRunOrAfterSilence_TakesThePlaceOfTheOld(string boot, double after)
    {
        var facts = Apply(Healthy, new FleetMessage.StreamOpened(9, Hello(boot: boot), null), Now.After(after));

        Assert.Equal(1, Assert.Single(_effects.OfType<FleetEffect.EndStream>()).StreamId);
        Assert.Equal(9, Assert.Single(_effects.OfType<FleetEffect.Admit>()).StreamId);
        Assert.Equal(9, facts.Nodes["web-1"].Stream!.Id);
    }

    [Fact]
    public void EndOfAReplacedStream_DoesNotEndTheNewOne()
    {
        var facts = Apply(Healthy, new FleetMessage.StreamOpened(9, Hello(), null));
        facts = Apply(facts, new FleetMessage.StreamEnded(1, "web-1"));

        Assert.Equal(9, facts.Nodes["web-1"].Stream!.Id);
    }

    [Fact]
    public void Report_OnAReplacedStream_IsIgnored()
    {
        var facts = Apply(Healthy, new FleetMessage.StreamOpened(9, Hello(), null));

        Assert.Same(facts, Apply(facts, new FleetMessage.Reported(1, "web-1", Report() with { Sequence = 99 })));
    }

    [Fact]
    public void Report_OlderThanTheNewest_IsIgnored()
    {
        var facts = Apply(Healthy, new FleetMessage.Reported(1, "web-1", Report() with { Sequence = 9 }));

        Assert.Same(facts, Apply(facts, new FleetMessage.Reported(1, "web-1", Report() with { Sequence = 8 })));
    }

    [Fact]
    public void Report_OfARevisionTheHubDoesNotKnow_IsAdoptedAndKept()
    {
        var report = Report(View(Role.Primary, Role.Primary)) with { Sequence = 2, IntentRevision = 12, Drained = false };

        var facts = Apply(Healthy, new FleetMessage.Reported(1, "web-1", report));

        Assert.Equal(12, facts.Nodes["web-1"].Intent!.Revision);
        Assert.Equal(Role.Primary, facts.Nodes["web-1"].Intent!.RoleOf(Prefix));
        Assert.Equal(12, Assert.Single(_effects.OfType<FleetEffect.SaveAdoptedIntent>()).Intent.Revision);
        Assert.Equal(EventKinds.IntentAdopted, Assert.Single(_effects.OfType<FleetEffect.Happened>()).Event.Kind);
    }

    [Fact]
    public void ReleasedIntent_GoesToTheOpenStreamOnceAndNeverBackwards()
    {
        var facts = Apply(Healthy, new FleetMessage.IntentReleased("web-1", Intent(3)));
        Assert.Equal(3, Assert.Single(_effects.OfType<FleetEffect.Offer>()).Intent.Revision);

        Assert.Same(facts, Apply(facts, new FleetMessage.IntentReleased("web-1", Intent(3))));
        Assert.Same(facts, Apply(facts, new FleetMessage.IntentReleased("web-1", Intent(2))));
        Assert.Empty(_effects);
    }

    [Fact]
    public void AssignedRole_FollowsTheNodesConfigurationUntilTheHubWantsSomething()
    {
        Assert.Equal(Role.Primary, View(Healthy).Members[0].Prefixes[0].AssignedRole);

        var facts = Apply(Healthy, new FleetMessage.IntentReleased("web-1", Intent(1)));

        var prefix = View(facts).Members[0].Prefixes[0];
        Assert.Equal((Role.Secondary, Role.Primary), (prefix.AssignedRole, prefix.ReportedRole));
    }

    [Fact]
    public void EndOfAnOlderOperation_DoesNotHideANewerOne()
    {
        var facts = Apply(Healthy, new FleetMessage.OperationChanged("p1", new RunningOperation("op2", "Drain", false), "op2", 7, null));
        facts = Apply(facts, new FleetMessage.OperationChanged("p1", null, "op1", 6, null));

        Assert.Equal(("op2", 7L), (facts.Pairs["p1"].Running!.Id, facts.Pairs["p1"].Revision));
    }

    [Fact]
    public void Drill_StaysWhileItsMovesComeAndGo_AndEndsOnce()
    {
        var facts = Apply(Healthy, new FleetMessage.DrillChanged("p1", new RunningOperation("drill2", "Drill", true), "drill2"));
        facts = Apply(facts, new FleetMessage.OperationChanged("p1", new RunningOperation("op1", "Switchover", true), "op1", 7, null));
        facts = Apply(facts, new FleetMessage.OperationChanged("p1", null, "op1", 8, null));
        facts = Apply(facts, new FleetMessage.DrillChanged("p1", null, "drill1"));
        Assert.Equal(("drill2", null), (facts.Pairs["p1"].Drill?.Id, facts.Pairs["p1"].Running?.Id));

        facts = Apply(facts, new FleetMessage.DrillChanged("p1", null, "drill2"));
        Assert.Null(facts.Pairs["p1"].Drill);
        Assert.Same(facts, Apply(facts, new FleetMessage.DrillChanged("nowhere", null, "drill2")));
    }

    [Fact]
    public void ReportThatSaysTheSame_IsNotUrgentUntilTheOneBeforeIsOld()
    {
        var counted = Healthy.Nodes["web-1"].Report! with { Sequence = 2, Sessions = [.. Healthy.Nodes["web-1"].Report!.Sessions.Select(s => s with { MessagesReceived = 5 })] };
        var message = new FleetMessage.Reported(1, "web-1", counted);

        Assert.False(FleetReducer.IsUrgent(Healthy, message, Now.After(1)));
        Assert.True(FleetReducer.IsUrgent(Healthy, message, Now.After(4)));
        Assert.True(FleetReducer.IsUrgent(Healthy, message with { Report = counted with { Drained = true } }, Now.After(1)));
    }

    [Fact]
    public void TwoSecondaries_TheOneThatHadTheAddressKeepsIt()
    {
        var facts = FleetReducer.RememberActive(Healthy, FleetProjection.Project(Healthy, Now, 1));
        facts = Apply(facts, new FleetMessage.Reported(1, "web-1", Report(View(Role.Secondary, Role.Secondary)) with { Sequence = 2 }));

        Assert.Equal("web-1", View(facts).ActiveNode);
    }
}
