using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Fleet;

namespace FailoverHub.Web.Tests.Operations.Bulk;

/// <summary>Which nodes a bulk drain finds.</summary>
public sealed class BulkTargetTests
{
    private static readonly System.Net.IPNetwork Another = System.Net.IPNetwork.Parse("203.0.113.11/32");

    private static OperationRequest Drain(Role role) => new() { Type = OperationType.BulkDrain, Pair = "*", DataCenter = "18", Role = role, Reason = "new hypervisors" };

    [Fact]
    public void NodeWhosePrefixesHaveDifferentRoles_IsLeftOutAndNamed()
    {
        var mixed = Fleets.Node("web-1", Fleets.Report(Fleets.View(Role.Primary, Role.Primary), Fleets.View(Role.Secondary, Role.Secondary, prefix: Another))) with { DataCenter = "18" };
        var plain = Fleets.Node("web-2", Fleets.Report(Fleets.View(Role.Secondary, Role.Secondary), Fleets.View(Role.Secondary, Role.Secondary, prefix: Another))) with { DataCenter = "18" };
        var fleet = FleetProjection.Project(Fleets.Facts(Fleets.Pair("web-1", "web-2") with { Prefixes = [Fleets.Prefix, Another] }, mixed, plain), Fleets.Now, 1);

        var target = BulkTarget.Resolve(fleet, Drain(Role.Secondary), out _)!;

        Assert.Equal([("web", "web-2")], target.Nodes);
        Assert.EndsWith("Left out, because their prefixes have different roles: web-1 (pair web). Drain each of them alone.", target.Preview(new OperationLimits(), TimeSpan.FromHours(1)).TrafficEffect, StringComparison.Ordinal);

        Assert.Null(BulkTarget.Resolve(fleet, Drain(Role.Primary), out var problem));
        Assert.Contains("web-1 (pair web)", Assert.IsType<SubmitResult.Invalid>(problem).Problem["dataCenter"], StringComparison.Ordinal);
    }
}
