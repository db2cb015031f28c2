using System.Net;
using FailoverHub.Web.Components.Pages.Operations;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Waiting;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>What a second person is shown of a waiting operation is what its own request would do, by the titles that the planner really gives.</summary>
public sealed class WaitingRequestTests
{
    private static readonly IPNetwork Second = IPNetwork.Parse("203.0.113.11/32");
    private static readonly Actor Alice = new("alice", null, null) { Rights = Rights.Operate };

    [Fact]
    public void Request_IsFoundAgainByTheTitleThatThePlannerGaveIt()
    {
        PairView pair = Pair("node-a");
        Check(pair, new() { Type = OperationType.Switchover, Pair = pair.Id, Target = "node-b" });
        Check(pair, new() { Type = OperationType.Switchover, Pair = pair.Id, Target = "node-b", Prefix = Second });
        Check(pair, new() { Type = OperationType.ForcePromote, Pair = pair.Id, Target = "node-b", Prefix = Second });
        Check(pair, new() { Type = OperationType.SetRole, Node = "node-a", Role = Role.Secondary });
        Check(pair, new() { Type = OperationType.SetRole, Node = "node-b", Role = Role.Primary, Prefix = Second });
        Check(pair, new() { Type = OperationType.Drain, Node = "node-a" });
        Check(pair, new() { Type = OperationType.ResetSession, Node = "node-a", Neighbor = "2600:3c0f:18:34::2" });
        Check(pair, new() { Type = OperationType.SetFailback, Pair = pair.Id, Failback = Failback.Of(FailbackPolicy.AfterStable, TimeSpan.FromSeconds(90)) });
        Check(pair, new() { Type = OperationType.SetFailback, Pair = pair.Id, Failback = Failback.Of(FailbackPolicy.Manual, TimeSpan.Zero) });
        PairView away = Pair("node-b");
        Check(away, new() { Type = OperationType.Failback, Pair = away.Id });
    }

    [Fact]
    public void Request_OfADrillAndOfABulkDrain_IsFoundAgainToo()
    {
        PairView pair = Pair("node-a");
        var drill = new OperationRequest { Type = OperationType.Drill, Pair = pair.Id, Reason = "Kernel update" };
        var bulk = new OperationRequest { Type = OperationType.BulkDrain, DataCenter = "18", Role = Role.Secondary, Reason = "Kernel update" };
        DrillTarget over = DrillTarget.Resolve(Make.Fleet(pair), drill, out _)!.Value.Drill;
        BulkTarget drained = BulkTarget.Resolve(Make.Fleet(pair), bulk, out _)!;

        OperationView drilled = WaitingOperation.Of(over, Make.Preview(), Alice, Make.At).View;
        OperationView drains = drained.ToView(Make.Preview() with { Steps = ["Drain node-b (pair web)"] }, Alice, Make.At);

        Assert.Equal(drill with { Target = "node-b" }, WaitingRequest.Of(drilled, pair)! with { OverrideRules = [] });
        Assert.Equal(bulk, WaitingRequest.Of(drains, null)! with { OverrideRules = [] });
    }

    [Fact]
    public void RulesThatWereSetAside_AreSetAsideAgain()
    {
        OperationView operation = Make.Operation() with { Rules = [Make.Rule("SR-01", "AtLeastOneAnnouncer", passed: false, canOverride: true) with { Overridden = true }, Make.Rule("SR-03", "TargetReady", passed: true)] };

        Assert.Equal(["SR-01"], WaitingRequest.Of(operation, Pair("node-a"))!.OverrideRules);
    }

    /// <summary>Rather nothing than what somebody else might have asked for.</summary>
    [Theory]
    [InlineData("Switch 203.0.113.99/32 of web over to node-b")]
    [InlineData("Switch web over to node-c")]
    [InlineData("")]
    public void TitleThatSaysSomethingElse_IsNotGuessed(string title) => Assert.Null(WaitingRequest.Of(Make.Operation() with { Title = title }, Pair("node-a")));

    private static void Check(PairView pair, OperationRequest asked)
    {
        OperationTarget? target = OperationTarget.Resolve(Make.Fleet(pair), asked with { Reason = "Kernel update" }, out SubmitResult? problem);
        Assert.True(target is not null, $"{asked.Type}: {CommandGate.Problem(problem)}");
        OperationView waits = WaitingOperation.Of(target, OperationPlanner.Plan(target), Make.Preview() with { NeedsApproval = true }, Alice, Make.At).View;

        OperationRequest? found = WaitingRequest.Of(waits, pair);

        Assert.Equal(target.Named with { OverrideRules = [] }, found is null ? null : found with { OverrideRules = [] });
    }

    private static PairView Pair(string active) => Make.Pair("web", PairState.Healthy, "x", active, Node("node-a", active), Node("node-b", active));

    private static NodeView Node(string name, string active)
    {
        Role role = name == active ? Role.Primary : Role.Secondary;
        return Make.Node(name, role) with { Capabilities = ["failback"], Prefixes = [Make.PrefixOn(role, role), Make.PrefixOn(role, role, Second)] };
    }
}
