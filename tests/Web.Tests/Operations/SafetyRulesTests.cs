using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Rules;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>Each rule, row by row: what is known and what is asked for in, allowed or not out.</summary>
public sealed class SafetyRulesTests
{
    private static readonly NodeFacts Primary1 = Node("web-1", Role.Primary);
    private static readonly NodeFacts Standby2 = Node("web-2", Role.Secondary);

    private static readonly System.Net.IPNetwork Own = System.Net.IPNetwork.Parse("203.0.113.77/32");
    private static readonly NodeFacts WithOwn = Node("web-1", Report(View(Role.Primary, Role.Primary), View(Role.Primary, Role.Primary, prefix: Own)));

    private static IntentFacts Wanted(long revision, bool drained) =>
        new() { Revision = revision, Drained = drained, Roles = IntentFacts.RolesFrom([(Prefix, Role.Secondary)]) };

    internal static OperationTarget Target(FleetFacts facts, OperationRequest request)
    {
        var target = OperationTarget.Resolve(FleetProjection.Project(facts, Now, 1), request, out var problem);
        Assert.True(target is not null, problem?.ToString());
        return target;
    }

    internal static OperationRequest Switchover(string? target = "web-2") => new() { Type = OperationType.Switchover, Pair = "web", Target = target, Reason = "kernel update" };

    internal static OperationRequest Drain(string node) => new() { Type = OperationType.Drain, Node = node, Reason = "kernel update" };

    internal static OperationRequest SetRole(string node, Role role) => new() { Type = OperationType.SetRole, Node = node, Role = role, Reason = "kernel update" };

    private static RuleResult Rule(string id, FleetFacts facts, OperationRequest request, string? inFlight = null) =>
        SafetyRules.Check(Target(facts, request), Known with { InFlight = inFlight }).Single(r => r.RuleId == id);

    internal static Circumstances Known => new() { Now = Now.Wall, HubUptime = TimeSpan.FromHours(1) };

    [Fact]
    public void EveryRuleThatApplies_IsNamedInOrder()
    {
        Assert.Equal(["SR-01", "SR-03", "SR-04", "SR-05", "SR-06", "SR-07", "SR-08", "SR-14"], SafetyRules.Check(Target(Healthy, Switchover()), Known).Select(r => r.RuleId));
        Assert.Equal(["SR-01", "SR-02", "SR-03", "SR-04", "SR-05", "SR-07", "SR-08", "SR-14"], SafetyRules.Check(Target(Healthy, SetRole("web-2", Role.Primary)), Known).Select(r => r.RuleId));
        Assert.All(SafetyRules.Check(Target(Healthy, Switchover()), Known), r => Assert.True(r.Passed, r.Message));
    }

    [Theory]
    [InlineData("standby announces", true)]
    [InlineData("standby silent", false)]
    [InlineData("standby withdrawn", false)]
    [InlineData("standby without session", false)]
    [InlineData("node announces nothing itself", true)]
    [InlineData("standby on no session yet", false)]
    [InlineData("standby about to be drained", false)]
    [InlineData("standby has not obeyed yet", false)]
    [InlineData("another prefix of the node", false)]
    [InlineData("another prefix of the node on a node outside of the pair", false)]
    [InlineData("another prefix of the node on a third node of the pair", true)]
    [InlineData("standby silent and a stranger says that it announces", false)]
    public void AtLeastOneAnnouncer_OfADrain_LooksForAnotherFreshAnnouncer(string row, bool passed)
    {
        var facts = row switch
        {
            "standby announces" => Healthy,
            "standby silent" => PairOf(Primary1, Standby2.Gone()),
            "standby withdrawn" => PairOf(Primary1, Node("web-2", Report(View(Role.Secondary, null, WithdrawnReason.Unhealthy)))),
            "standby on no session yet" => PairOf(Primary1, Node("web-2", Report(View(Role.Secondary, Role.Secondary, carrying: 0)))),
            "standby about to be drained" => PairOf(Primary1, Standby2 with { Intent = Wanted(1, drained: true) }),
            "standby has not obeyed yet" => PairOf(Primary1, Standby2 with { Intent = Wanted(1, drained: false) }),
            "another prefix of the node" => PairOf(WithOwn, Standby2),
            "another prefix of the node on a node outside of the pair" => Facts(Pair("web-1", "web-2"), WithOwn, Standby2, Node("db-1", Report(View(Role.Primary, Role.Primary, prefix: Own)))),
            "another prefix of the node on a third node of the pair" => Facts(Pair("web-1", "web-2", "db-1"), WithOwn, Standby2, Node("db-1", Report(View(Role.Primary, Role.Primary, prefix: Own)))),
            "standby silent and a stranger says that it announces" => Facts(Pair("web-1", "web-2"), Primary1, Standby2.Gone(), Node("web-3", Role.Secondary)),
            "standby without session" => PairOf(Primary1, Node("web-2", Report(View(Role.Secondary, Role.Secondary, carrying: 0)) with { Sessions = [Session(1, BgpSessionState.Active)] })),
            _ => PairOf(Node("web-1", Report(View(Role.Primary, null, WithdrawnReason.Unhealthy))), Standby2.Gone()),
        };

        var rule = Rule("SR-01", facts, Drain("web-1"));

        Assert.Equal((passed, 409, true), (rule.Passed, rule.HttpStatus, rule.CanOverride));
        Assert.Equal(passed, rule.Remedy is null);
    }

    [Fact]
    public void AtLeastOneAnnouncer_NamedInTheRequest_IsOverridden()
    {
        var rule = Rule("SR-01", PairOf(Primary1, Standby2.Gone()), Drain("web-1") with { OverrideRules = ["SR-01"] });

        Assert.Equal((false, true, false), (rule.Passed, rule.Overridden, rule.Blocks));
    }

    [Fact]
    public void AtLeastOneAnnouncer_AnotherRuleNamed_StillBlocks() =>
        Assert.True(Rule("SR-01", PairOf(Primary1, Standby2.Gone()), Drain("web-1") with { OverrideRules = ["SR-02"] }).Blocks);

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void NoDualPrimary_RefusesASecondPrimary(bool otherIsPrimary, bool passed)
    {
        var facts = PairOf(Node("web-1", otherIsPrimary ? Role.Primary : Role.Secondary), Standby2);

        Assert.Equal(passed, Rule("SR-02", facts, SetRole("web-2", Role.Primary)).Passed);
    }

    [Fact]
    public void NoDualPrimary_OtherHasSaidNothingSinceTheHubStarted_Refuses() =>
        Assert.True(Rule("SR-02", PairOf(new NodeFacts { Name = "web-1", LastReportAt = Now.Wall }, Standby2), SetRole("web-2", Role.Primary)).Blocks);

    [Fact]
    public void NoDualPrimary_OtherIsSilentButAssignedPrimary_Refuses() =>
        Assert.True(Rule("SR-02", PairOf(Primary1.Gone(), Standby2), SetRole("web-2", Role.Primary)).Blocks);

    [Theory]
    [InlineData("ready", true, false)]
    [InlineData("silent", false, false)]
    [InlineData("other silent", false, false)]
    [InlineData("drained", false, false)]
    [InlineData("no session", false, false)]
    [InlineData("unhealthy", false, false)]
    [InlineData("address missing", false, false)]
    [InlineData("not announcing", false, false)]
    public void TargetReady_OfASwitchover_AsksForEverythingThatTheTargetNeeds(string row, bool passed, bool canOverride)
    {
        var standby = Report(View(Role.Secondary, Role.Secondary));
        var facts = row switch
        {
            "ready" => Healthy,
            "silent" => PairOf(Primary1, Standby2.Gone()),
            "other silent" => PairOf(Primary1.Gone(), Standby2),
            "drained" => PairOf(Primary1, Node("web-2", standby with { Drained = true })),
            "no session" => PairOf(Primary1, Node("web-2", standby with { Sessions = [Session(1, BgpSessionState.Active)] })),
            "unhealthy" => PairOf(Primary1, Node("web-2", standby with { Health = Health.Unhealthy })),
            "address missing" => PairOf(Primary1, Node("web-2", Report(View(Role.Secondary, Role.Secondary, present: false)))),
            _ => PairOf(Primary1, Node("web-2", Report(View(Role.Secondary, null, WithdrawnReason.NotAssigned)))),
        };

        var rule = Rule("SR-03", facts, Switchover());

        Assert.Equal((passed, canOverride, 409), (rule.Passed, rule.CanOverride, rule.HttpStatus));
    }

    [Fact]
    public void TargetReady_StandbyThatIsOnNoSessionYet_IsNotReady() =>
        Assert.True(Rule("SR-03", PairOf(Primary1, Node("web-2", Report(View(Role.Secondary, Role.Secondary, carrying: 0)))), Switchover()).Blocks);

    [Fact]
    public void TargetReady_WithoutAnyCheckConfigured_IsEnough() =>
        Assert.True(Rule("SR-03", PairOf(Primary1, Node("web-2", Report(View(Role.Secondary, Role.Secondary)) with { Health = Health.Unknown })), Switchover()).Passed);

    [Fact]
    public void TargetReady_OfASetRole_MayBeOverriddenUnlessTheNodeIsSilent()
    {
        var unhealthy = Node("web-2", Report(View(Role.Secondary, Role.Secondary)) with { Health = Health.Unhealthy });

        Assert.True(Rule("SR-03", PairOf(Primary1, unhealthy), SetRole("web-2", Role.Primary)).CanOverride);
        Assert.True(Rule("SR-03", PairOf(Primary1, unhealthy), SetRole("web-1", Role.Secondary)).Passed);
        Assert.True(Rule("SR-03", PairOf(Primary1, unhealthy.Gone()), SetRole("web-2", Role.Primary) with { OverrideRules = ["SR-03"] }).Blocks);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(1L, true)]
    [InlineData(2L, false)]
    [InlineData(0L, false)]
    public void ExpectedRevision_MustBeTheOneOfNow(long? seen, bool passed)
    {
        var rule = Rule("SR-04", Healthy, Switchover() with { ExpectedRevision = seen });

        Assert.Equal((passed, 412, false), (rule.Passed, rule.HttpStatus, rule.CanOverride));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("op1", false)]
    public void OneInFlight_RefusesASecond(string? inFlight, bool passed)
    {
        var rule = Rule("SR-05", Healthy, Switchover(), inFlight);

        Assert.Equal((passed, 409, false), (rule.Passed, rule.HttpStatus, rule.CanOverride));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("  x  ", false)]
    [InlineData("why", true)]
    public void ReasonRequired_WantsWordsThatSayWhy(string? reason, bool passed)
    {
        var rule = Rule("SR-14", Healthy, Switchover() with { Reason = reason });

        Assert.Equal((passed, 422, false), (rule.Passed, rule.HttpStatus, rule.CanOverride));
    }

    [Fact]
    public void ReasonRequired_FiveHundredCharactersAreEnough()
    {
        Assert.True(Rule("SR-14", Healthy, Switchover() with { Reason = new string('x', 500) }).Passed);
        Assert.False(Rule("SR-14", Healthy, Switchover() with { Reason = new string('x', 501) }).Passed);
    }
}
