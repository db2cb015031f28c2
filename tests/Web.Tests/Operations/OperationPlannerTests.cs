using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Planning;
using static FailoverHub.Web.Tests.Fleet.Fleets;
using static FailoverHub.Web.Tests.Operations.SafetyRulesTests;

namespace FailoverHub.Web.Tests.Operations;

public sealed class OperationPlannerTests
{
    private static OperationPlan Plan(FleetFacts facts, OperationRequest request) => OperationPlanner.Plan(Target(facts, request));

    [Fact]
    public void Switchover_DemotesTheActiveNodeBeforeItPromotesTheOther()
    {
        var plan = Plan(Healthy, Switchover(target: null));

        Assert.Equal(["web-1", "web-2"], plan.Steps.Select(s => s.Wanted.Node));
        Assert.Equal([Role.Secondary, Role.Primary], plan.Steps.Select(s => s.Wanted.RoleOf(Prefix)!.Value));
        Assert.Equal([Role.Primary, Role.Secondary], plan.Steps.Select(s => s.Before.RoleOf(Prefix)!.Value));
        Assert.Equal([Prefix], plan.Steps[1].MustAnnounce);
        Assert.Equal("203.0.113.10 moves from web-1 to web-2. Open TCP connections break.", plan.TrafficEffect);
        Assert.Equal((true, false), (plan.MovesTraffic, plan.OutagePossible));
    }

    [Fact]
    public void Switchover_WithNobodyPrimary_OnlyPromotes()
    {
        var plan = Plan(PairOf(Node("web-1", Role.Secondary), Node("web-2", Role.Secondary)), Switchover());

        Assert.Equal(["Promote web-2 to primary"], plan.Steps.Select(s => s.Title));
    }

    [Fact]
    public void Switchover_LeavesOtherPrefixesOfTheNodesAsTheyAre()
    {
        var own = System.Net.IPNetwork.Parse("203.0.113.77/32");
        var facts = PairOf(Node("web-1", Report(View(Role.Primary, Role.Primary), View(Role.Primary, Role.Primary, prefix: own))), Node("web-2", Role.Secondary));

        var demote = Plan(facts, Switchover()).Steps[0].Wanted;

        Assert.Equal((Role.Secondary, Role.Primary), (demote.RoleOf(Prefix), demote.RoleOf(own)));
    }

    [Fact]
    public void Drain_OfTheActiveNode_SaysWhereTheAddressGoes()
    {
        var plan = Plan(Healthy, Drain("web-1"));

        var step = Assert.Single(plan.Steps);
        Assert.True(step.Wanted.Drained);
        Assert.Equal(Role.Primary, step.Wanted.RoleOf(Prefix));
        Assert.Equal("203.0.113.10 moves from web-1 to web-2. Open TCP connections break.", plan.TrafficEffect);
        Assert.Equal((true, false), (plan.MovesTraffic, plan.OutagePossible));
    }

    [Fact]
    public void Drain_OfTheStandby_MovesNothing()
    {
        var plan = Plan(Healthy, Drain("web-2"));

        Assert.StartsWith("No traffic moves.", plan.TrafficEffect, StringComparison.Ordinal);
        Assert.False(plan.MovesTraffic);
    }

    [Fact]
    public void Drain_OfTheLastAnnouncer_SaysThatTheAddressIsGone()
    {
        var plan = Plan(PairOf(Node("web-1", Role.Primary), Node("web-2", Role.Secondary).Gone()), Drain("web-1"));

        Assert.Equal("Nobody announces 203.0.113.10 any more: it is unreachable until web-1 is undrained.", plan.TrafficEffect);
        Assert.True(plan.OutagePossible);
    }

    [Fact]
    public void Undrain_ComesBackAsSecondary()
    {
        var drained = Node("web-1", Report(View(Role.Primary, null, WithdrawnReason.Drained)) with { Drained = true });

        var step = Assert.Single(Plan(PairOf(drained, Node("web-2", Role.Secondary)), new OperationRequest { Type = OperationType.Undrain, Node = "web-1", Reason = "done" }).Steps);

        Assert.Equal((false, Role.Secondary), (step.Wanted.Drained, step.Wanted.RoleOf(Prefix)));
    }

    [Theory]
    [InlineData("pair", "shop", "NotFound")]
    [InlineData("target", "web-9", "Invalid target")]
    [InlineData("target", "web-1", "Invalid target")]
    [InlineData("prefix", "198.51.100.1/32", "Invalid prefix")]
    [InlineData("deadline", "0", "Invalid deadlineSeconds")]
    [InlineData("deadline", "601", "Invalid deadlineSeconds")]
    [InlineData("override", "SR-99", "Invalid overrideRules")]
    public void RequestThatMakesNoSense_NamesTheField(string field, string value, string expected)
    {
        var request = field switch
        {
            "pair" => Switchover() with { Pair = value },
            "target" => Switchover(value),
            "prefix" => Switchover() with { Prefix = System.Net.IPNetwork.Parse(value) },
            "deadline" => Switchover() with { Deadline = TimeSpan.FromSeconds(int.Parse(value, System.Globalization.CultureInfo.InvariantCulture)) },
            _ => Switchover() with { OverrideRules = [value] },
        };

        Assert.Null(OperationTarget.Resolve(FleetProjection.Project(Healthy, Now, 1), request, out var problem));
        Assert.Equal(expected, problem is SubmitResult.Invalid invalid ? $"Invalid {invalid.Problem.Keys.Single()}" : problem!.GetType().Name);
    }

    [Fact]
    public void SwitchoverWithoutATarget_WhenTheActiveNodeIsNotKnown_AsksForOne()
    {
        var facts = PairOf(Node("web-1", Role.Secondary), Node("web-2", Role.Secondary));

        Assert.Null(OperationTarget.Resolve(FleetProjection.Project(facts, Now, 1), Switchover(target: null), out var problem));
        Assert.Contains("name the node", Assert.IsType<SubmitResult.Invalid>(problem).Problem["target"], StringComparison.Ordinal);
    }

    [Fact]
    public void NodeWithoutAPartner_CannotBeOperatedOn()
    {
        Assert.Null(OperationTarget.Resolve(FleetProjection.Project(Facts(null, Node("web-1", Role.Primary)), Now, 1), Drain("web-1"), out var problem));
        Assert.Contains("node", Assert.IsType<SubmitResult.Invalid>(problem).Problem.Keys);
    }
}
