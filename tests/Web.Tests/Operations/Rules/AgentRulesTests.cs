using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using static FailoverHub.Web.Tests.Fleet.Fleets;
using static FailoverHub.Web.Tests.Operations.SafetyRulesTests;

namespace FailoverHub.Web.Tests.Operations.Rules;

/// <summary>What an agent can do, what may be forced, and what may be done without a person: row by row.</summary>
public sealed class AgentRulesTests
{
    private static readonly NodeFacts Primary1 = Node("web-1", Role.Primary);
    private static readonly NodeFacts Standby2 = Node("web-2", Role.Secondary);

    private static RuleResult? Rule(string id, FleetFacts facts, OperationRequest request) =>
        SafetyRules.Check(Target(facts, request), Known).SingleOrDefault(r => r.RuleId == id);

    private static OperationRequest Reset(params string[] overrides) =>
        MomentRulesTests.Request(OperationType.ResetSession) with { OverrideRules = [.. overrides] };

    private static OperationRequest Force(params string[] overrides) =>
        MomentRulesTests.Request(OperationType.ForcePromote) with { OverrideRules = [.. overrides] };

    [Theory]
    [InlineData("a newer agent", new[] { "journal", "reset-session" }, true)]
    [InlineData("an older agent", new[] { "journal" }, false)]
    public void VersionSkew_OfAReset_AsksForTheCapability(string row, string[] capabilities, bool passed)
    {
        var rule = Rule("SR-12", PairOf(Primary1 with { Capabilities = [.. capabilities] }, Standby2), Reset("SR-12"))!;

        Assert.True(rule.Passed == passed, row);
        Assert.Equal((!passed, 409, false), (rule.Blocks, rule.HttpStatus, rule.CanOverride));
    }

    [Theory]
    [InlineData("drained by the hub", false, new string[0], null)]
    [InlineData("drained there, and the agent can end it", true, new[] { "local-commands" }, true)]
    [InlineData("drained there, and the agent cannot end it", true, new string[0], false)]
    public void VersionSkew_OfAnUndrain_AsksForWhatEndsALocalDrain(string row, bool locally, string[] capabilities, bool? passed)
    {
        var drained = Report(View(Role.Primary, null, WithdrawnReason.Drained)) with { Drained = true, LocallyDrained = locally };
        var facts = PairOf(Node("web-1", drained) with { Capabilities = [.. capabilities] }, Standby2);

        Assert.True(passed == Rule("SR-12", facts, new OperationRequest { Type = OperationType.Undrain, Node = "web-1", Reason = "back again" })?.Passed, row);
    }

    [Theory]
    [InlineData("four sessions", 4, true, true)]
    [InlineData("the only session, and the other node announces", 1, true, true)]
    [InlineData("the only session, and nobody else announces", 1, false, false)]
    public void AtLeastOneAnnouncer_OfAReset_LooksAtTheOtherSessionsAndTheOtherNode(string row, int sessions, bool other, bool passed)
    {
        var node = Node("web-1", Report(View(Role.Primary, Role.Primary)) with { Sessions = [.. Enumerable.Range(1, sessions).Select(n => Session(n))] });

        Assert.True(passed == Rule("SR-01", PairOf(node, other ? Standby2 : Standby2.Gone()), Reset())!.Passed, row);
    }

    [Theory]
    [InlineData("the other is silent and was primary", false, true)]
    [InlineData("the other can be reached and is primary", false, false)]
    [InlineData("the other is surely secondary", true, true)]
    public void NoDualPrimary_OfAForcedPromotion_IsOverriddenOnlyWhereTheOtherCannotBeReached(string row, bool passed, bool canOverride)
    {
        var facts = row switch
        {
            "the other is silent and was primary" => PairOf(Primary1.Gone(), Standby2),
            "the other can be reached and is primary" => PairOf(Primary1, Standby2),
            _ => PairOf(Node("web-1", Role.Secondary), Standby2),
        };

        var rule = Rule("SR-02", facts, Force())!;

        Assert.Equal((passed, canOverride, 409), (rule.Passed, rule.CanOverride, rule.HttpStatus));
        Assert.Equal(!passed && !canOverride, Rule("SR-02", facts, Force("SR-02"))!.Blocks);
    }

    [Fact]
    public void TargetReady_OfAForcedPromotion_NeedsTheTargetButNotTheOther()
    {
        Assert.True(Rule("SR-03", PairOf(Primary1.Gone(), Standby2), Force())!.Passed);
        Assert.False(Rule("SR-03", PairOf(Primary1.Gone(), Standby2.Gone()), Force("SR-03"))!.CanOverride);
        Assert.False(Rule("SR-03", PairOf(Primary1.Gone(), Node("web-2", Report(View(Role.Secondary, Role.Secondary)) with { Health = Health.Unhealthy })), Force("SR-03"))!.Blocks);
    }

    [Theory]
    [InlineData("it is well and the other announces", true, true, false, true)]
    [InlineData("it is well and the address answers", true, false, true, true)]
    [InlineData("it is well, and nobody else says so", true, false, false, false)]
    [InlineData("it is not well, whatever the others say", false, true, true, false)]
    public void TwoSignals_BeforeAnythingAutomatic_DoNotComeFromOnePlace(string row, bool well, bool other, bool answers, bool passed)
    {
        var report = Report(View(Role.Secondary, null, WithdrawnReason.Drained)) with { Drained = true, Health = well ? Health.Healthy : Health.Unhealthy };
        var facts = PairOf(Node("web-2", report), other ? Primary1 : Primary1.Gone());
        var target = Target(facts, new OperationRequest { Type = OperationType.Undrain, Node = "web-2", Reason = "its time is over" });

        var rule = AgentRules.TwoSignals(target, answers);

        Assert.True(rule.Passed == passed, row);
        Assert.Equal(("SR-09", false), (rule.RuleId, rule.CanOverride));
    }
}
