using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Running;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Operations;

public sealed class StepObservationTests
{
    private static readonly WantedOfNode Promote = new("web-2", 5, false, IntentFacts.RolesFrom([(Prefix, Role.Primary)]), [Prefix]);

    private static StepObservation Observe(NodeFacts node, WantedOfNode? wanted = null)
    {
        var facts = PairOf(Node("web-1", Role.Secondary), node);
        return StepObservation.Of(new FleetState(facts, FleetProjection.Project(facts, Now, 1)), wanted ?? Promote);
    }

    private static NodeFacts At(long revision, Role? reported, int carrying = 4) =>
        Node("web-2", Report(View(Role.Primary, reported, carrying: carrying)) with { IntentRevision = revision });

    private static IntentAnswer Answer(IntentOutcome outcome, long revision = 5) => new(revision, outcome, 4, "because");

    [Fact]
    public void ReportOfTheRevisionThatShowsIt_IsEnoughWithoutAnAnswer() =>
        Assert.Contains("revision 5", Assert.IsType<StepObservation.Shown>(Observe(At(5, Role.Primary))).Detail, StringComparison.Ordinal);

    [Fact]
    public void AnswerWithoutAReport_IsNotEnough() =>
        Assert.IsType<StepObservation.Waiting>(Observe(At(4, Role.Secondary) with { Answer = Answer(IntentOutcome.Applied) }));

    [Fact]
    public void RoleOnNoSession_IsNotEnough() => Assert.IsType<StepObservation.Waiting>(Observe(At(5, Role.Primary, carrying: 0)));

    [Theory]
    [InlineData(0, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    public void Demotion_CountsOnlyWhenItHasLeftOnEverySession(int carrying, bool shown)
    {
        var demote = new WantedOfNode("web-2", 5, false, IntentFacts.RolesFrom([(Prefix, Role.Secondary)]), []);

        Assert.Equal(shown, Observe(At(5, Role.Secondary, carrying) with { Answer = Answer(IntentOutcome.Applied) }, demote) is StepObservation.Shown);
    }

    [Fact]
    public void OldReportOfTheSameRoles_IsNotEnough() => Assert.IsType<StepObservation.Waiting>(Observe(At(4, Role.Primary)));

    [Fact]
    public void Rejection_FailsWithItsReason() =>
        Assert.Contains("because", Assert.IsType<StepObservation.Failed>(Observe(At(4, Role.Secondary) with { Answer = Answer(IntentOutcome.Rejected) })).Why, StringComparison.Ordinal);

    [Fact]
    public void RejectionOfAnotherRevision_SaysNothing() =>
        Assert.IsType<StepObservation.Waiting>(Observe(At(4, Role.Secondary) with { Answer = Answer(IntentOutcome.Rejected, 4) }));

    [Fact]
    public void AcceptedWithoutASession_FailsWhatMustBeAnnounced()
    {
        var node = At(5, null) with { Answer = Answer(IntentOutcome.AcceptedNotAnnounced) };

        Assert.IsType<StepObservation.Failed>(Observe(node));
        Assert.IsType<StepObservation.Shown>(Observe(node, Promote with { MustAnnounce = [] }));
    }

    [Fact]
    public void NewerRevision_SupersedesTheStep() => Assert.IsType<StepObservation.Failed>(Observe(At(6, Role.Primary)));

    [Fact]
    public void StreamThatHasJustEnded_IsWaitedForAndOneThatStaysAwayIsLost()
    {
        Assert.IsType<StepObservation.Waiting>(Observe(At(4, Role.Secondary) with { Stream = null, StreamEndedAt = Now }));
        Assert.IsType<StepObservation.Lost>(Observe(At(4, Role.Secondary).Gone()));
    }

    [Fact]
    public void Drain_IsShownOnlyWhenNothingIsAnnounced()
    {
        var drain = new WantedOfNode("web-2", 5, true, IntentFacts.RolesFrom([(Prefix, Role.Secondary)]), []);
        var drained = At(5, null) with { Report = Report(View(Role.Secondary, null, WithdrawnReason.Drained)) with { IntentRevision = 5, Drained = true } };

        Assert.IsType<StepObservation.Waiting>(Observe(drained, drain));
        Assert.IsType<StepObservation.Shown>(Observe(drained with { Answer = Answer(IntentOutcome.Applied) }, drain));
        Assert.IsType<StepObservation.Waiting>(Observe(At(5, Role.Secondary) with { Report = Report(View(Role.Secondary, Role.Secondary)) with { IntentRevision = 5, Drained = true } }, drain));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void PrimaryThatIsHeldBack_IsAsWantedUnlessItIsWantedAtOnce(bool atOnce, bool shown)
    {
        var held = Node("web-2", Report(View(Role.Primary, Role.Secondary) with { Hold = new FailbackHold(TimeSpan.FromSeconds(50), "It has just come back.") }) with { IntentRevision = 5 });
        var wanted = WantedOfNode.Of(new NodeWanted { Node = "web-2", Drained = false, Roles = Promote.Roles, AtOnce = atOnce ? [Prefix.ToString()] : [] }, 5, []);

        Assert.Equal(shown, Observe(held, wanted) is StepObservation.Shown);
    }
}
