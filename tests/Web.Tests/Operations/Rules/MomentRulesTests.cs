using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using static FailoverHub.Web.Tests.Fleet.Fleets;
using static FailoverHub.Web.Tests.Operations.SafetyRulesTests;

namespace FailoverHub.Web.Tests.Operations.Rules;

/// <summary>Whether this is the moment: each rule, row by row.</summary>
public sealed class MomentRulesTests
{
    private static readonly FreezeFacts Freeze = new("p1", Now.Wall.AddMinutes(10), "bob", "audit in progress", "op-0");

    private static RuleResult? Rule(string id, FleetFacts facts, OperationRequest request, Circumstances? known = null) =>
        SafetyRules.Check(Target(facts, request), known ?? Known).SingleOrDefault(r => r.RuleId == id);

    private static Circumstances MovedAgo(params double[] seconds) => Known with { Moves = [.. seconds.Select(s => Now.Wall.AddSeconds(-s))] };

    [Theory]
    [InlineData("never moved", new double[0], null)]
    [InlineData("moved once less than it may", new double[] { 1, 2, 3 }, null)]
    [InlineData("moved as often as it may", new double[] { 50, 3, 2, 1 }, 10)]
    [InlineData("the oldest does not count any more", new double[] { 60, 3, 2, 1 }, null)]
    [InlineData("moved more often", new double[] { 50, 40, 30, 20, 10 }, 20)]
    [InlineData("the clock was set back", new double[] { -5, -4, -3, -2, -1 }, null)]
    public void Cooldown_FourMovesInAMinute_WaitsUntilTheOldestOfThemNoLongerCounts(string row, double[] moves, int? retryAfterSeconds)
    {
        var rule = Rule("SR-06", Healthy, Switchover(), MovedAgo(moves))!;

        Assert.True(rule.Passed == retryAfterSeconds is null, row);
        Assert.Equal((429, true), (rule.HttpStatus, rule.CanOverride));
        Assert.Equal(retryAfterSeconds, (int?)rule.RetryAfter?.TotalSeconds);
    }

    [Fact]
    public void Cooldown_NamedInTheRequest_IsOverridden() =>
        Assert.False(Rule("SR-06", Healthy, Switchover() with { OverrideRules = ["SR-06"] }, MovedAgo(4, 3, 2, 1))!.Blocks);

    [Theory]
    [InlineData(OperationType.Switchover, true)]
    [InlineData(OperationType.Drain, true)]
    [InlineData(OperationType.SetRole, false)]
    [InlineData(OperationType.ResetSession, false)]
    public void Cooldown_ConcernsWhatMovesTheAddress(OperationType type, bool concerns) =>
        Assert.Equal(concerns, Rule("SR-06", Healthy, Request(type), MovedAgo(4, 3, 2, 1)) is { Passed: false });

    [Theory]
    [InlineData(OperationType.Switchover)]
    [InlineData(OperationType.SetFailback)]
    [InlineData(OperationType.SetRole)]
    [InlineData(OperationType.Drain)]
    [InlineData(OperationType.ForcePromote)]
    [InlineData(OperationType.ResetSession)]
    public void Frozen_WhateverIsAskedFor_IsRefusedAndCannotBeOverridden(OperationType type)
    {
        // Agents that can do all of it: nothing else may be in the way.
        var able = Healthy.Nodes.Values.Select(n => KeyValuePair.Create(n.Name, n with { Capabilities = ["failback", "reset-session"] }));
        var facts = Healthy with { Freezes = [Freeze], Nodes = Healthy.Nodes.SetItems(able) };

        var rule = Rule("SR-07", facts, Request(type) with { OverrideRules = ["SR-07"] })!;

        Assert.Equal((false, true, 423, false, TimeSpan.FromMinutes(10)), (rule.Passed, rule.Blocks, rule.HttpStatus, rule.CanOverride, rule.RetryAfter));
        Assert.Contains("bob: audit in progress", rule.Message, StringComparison.Ordinal);
        Assert.StartsWith("Unfreeze web first", rule.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("of the pair", "p1", 600, false)]
    [InlineData("of all pairs", "*", 600, false)]
    [InlineData("of another pair", "p2", 600, true)]
    [InlineData("its time is over", "p1", 0, true)]
    public void Frozen_HoldsForItsScopeUntilItsEnd(string row, string scope, double seconds, bool passed) =>
        Assert.True(passed == Rule("SR-07", Healthy with { Freezes = [Freeze with { Scope = scope, Until = Now.Wall.AddSeconds(seconds) }] }, Switchover())!.Passed, row);

    [Theory]
    [InlineData("all have reported", true, 1, true)]
    [InlineData("one has not, and the hub has just started", false, 1, false)]
    [InlineData("one has not for as long as it may take", false, 15, true)]
    public void HubStartupGrace_WaitsForNodesThatHaveNotReportedYet(string row, bool reported, double uptime, bool passed)
    {
        var facts = PairOf(Node("web-1", Role.Primary), reported ? Node("web-2", Role.Secondary) : new NodeFacts { Name = "web-2", LastReportAt = Now.Wall });

        var rule = Rule("SR-08", facts, SetRole("web-1", Role.Secondary), Known with { HubUptime = TimeSpan.FromSeconds(uptime) })!;

        Assert.True(rule.Passed == passed, row);
        Assert.Equal((409, false), (rule.HttpStatus, rule.CanOverride));
        Assert.Equal(passed ? null : TimeSpan.FromSeconds(14), rule.RetryAfter);
    }

    internal static OperationRequest Request(OperationType type) => type switch
    {
        OperationType.Switchover => Switchover(),
        OperationType.SetFailback => new OperationRequest { Type = type, Pair = "web", Failback = new Failback(FailbackPolicy.Manual, TimeSpan.Zero), Reason = "kernel update" },
        OperationType.SetRole => SetRole("web-2", Role.Primary),
        OperationType.ForcePromote => new OperationRequest { Type = type, Pair = "web", Target = "web-2", Reason = "kernel update" },
        OperationType.ResetSession => new OperationRequest { Type = type, Node = "web-1", Neighbor = Session(1).Neighbor, Reason = "kernel update" },
        _ => Drain("web-1"),
    };
}
