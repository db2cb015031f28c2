using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Alerts.Maintenance;

/// <summary>Which windows make sense, and whom they keep quiet.</summary>
public sealed class MaintenancePlanTests
{
    private static readonly DateTimeOffset Now = Make.At;

    private static readonly FleetSnapshot Fleet = Make.Fleet(Make.HealthyPair());

    private static readonly string DataCenter = Fleet.Pairs[0].Members[0].Node.DataCenter;

    [Theory]
    [InlineData(MaintenanceScope.Pair, "WEB", "")]
    [InlineData(MaintenanceScope.Pair, "wbe", "target")]
    [InlineData(MaintenanceScope.Pair, null, "target")]
    [InlineData(MaintenanceScope.Node, "Node-A", "")]
    [InlineData(MaintenanceScope.Node, "web", "target")]
    [InlineData(MaintenanceScope.DataCenter, "99", "target")]
    [InlineData(MaintenanceScope.DataCenter, "", "target")]
    [InlineData(MaintenanceScope.All, null, "")]
    [InlineData(MaintenanceScope.All, "web", "target")]
    public void Target_HasToBeThere(MaintenanceScope scope, string? target, string problems) =>
        Assert.Equal(problems, Problems(new MaintenanceRequest { Scope = scope, Target = target, To = Now.AddHours(1), Reason = "Kernel update" }));

    [Theory]
    [InlineData(null, 1, "")]
    [InlineData(null, 0, "until")]
    [InlineData(null, -5, "until")]
    [InlineData(null, 43_200, "")]
    [InlineData(null, 43_201, "until")]
    [InlineData(-4, 30, "")]
    [InlineData(-6, 30, "from")]
    [InlineData(60, 60, "until")]
    [InlineData(60, 61, "")]
    [InlineData(527_040, 527_100, "")]
    [InlineData(527_041, 527_100, "from")]
    public void Times_AreToComeAndAtMostThirtyDaysLong(int? from, int to, string problems) => Assert.Equal(
        problems,
        Problems(new MaintenanceRequest { Scope = MaintenanceScope.All, From = from is { } minutes ? Now.AddMinutes(minutes) : null, To = Now.AddMinutes(to), Reason = "Kernel update" }));

    [Theory]
    [InlineData("", "reason")]
    [InlineData(" no ", "reason")]
    [InlineData("why", "")]
    public void Reason_IsNeeded(string reason, string problems) => Assert.Equal(problems, Problems(new MaintenanceRequest { Scope = MaintenanceScope.All, To = Now.AddHours(1), Reason = reason }));

    [Theory]
    [InlineData(-1, 60, null, "InForce")]
    [InlineData(0, 60, null, "InForce")]
    [InlineData(1, 60, null, "Planned")]
    [InlineData(-60, 0, null, "Over")]
    [InlineData(-60, 60, -1, "Over")]
    public void State_IsOfTheMoment(int from, int to, int? ended, string state) =>
        Assert.Equal(state, Window(from: from, to: to, ended: ended).StateAt(Now).ToString());

    [Theory]
    [InlineData(MaintenanceScope.Pair, "web", "web", "node-a", true)]
    [InlineData(MaintenanceScope.Pair, "web", "web", null, true)]
    [InlineData(MaintenanceScope.Pair, "db", "web", "node-a", false)]
    [InlineData(MaintenanceScope.Node, "node-a", "web", "node-a", true)]
    [InlineData(MaintenanceScope.Node, "node-a", "web", "node-b", false)]
    [InlineData(MaintenanceScope.Node, "node-a", "web", null, false)]
    [InlineData(MaintenanceScope.DataCenter, null, "web", null, true)]
    [InlineData(MaintenanceScope.DataCenter, null, null, "node-b", true)]
    [InlineData(MaintenanceScope.DataCenter, "99", "web", "node-a", false)]
    [InlineData(MaintenanceScope.All, "", "web", null, true)]
    public void Window_KeepsQuietWhatItIsAbout(MaintenanceScope scope, string? target, string? pair, string? node, bool quiet)
    {
        MaintenanceWindow window = Window(scope, target ?? DataCenter);

        Assert.Equal(quiet, Quiet(AlertMaking.Rule(AlertKind.PairState), pair, node, window) is not null);
    }

    [Fact]
    public void Rule_ThatIsToldAllTheSame_AndTheHubItself_AreNotKeptQuiet()
    {
        MaintenanceWindow all = Window(MaintenanceScope.All, "");

        Assert.NotNull(Quiet(AlertMaking.Rule(AlertKind.PairState), "web", null, all));
        Assert.Null(Quiet(AlertMaking.Rule(AlertKind.PairState) with { QuietInMaintenance = false }, "web", null, all));
        Assert.Null(Quiet(AlertMaking.Rule(AlertKind.HubDisk), null, null, all));
    }

    [Fact]
    public void Overlapping_TheOneThatEndsLastIsNamedSoThatNothingChangesWhenTheOtherEnds()
    {
        MaintenanceWindow shorter = Window(to: 30) with { Id = "a", By = "alice" };
        MaintenanceWindow longer = Window(MaintenanceScope.All, "", to: 60) with { Id = "b", By = "bob" };

        Assert.Equal($"maintenance of everything by bob until {Now.AddHours(1).UtcDateTime:yyyy-MM-dd HH:mm} UTC", Quiet(AlertMaking.Rule(AlertKind.PairState), "web", null, shorter, longer));
        Assert.StartsWith("maintenance of pair web by alice", Quiet(AlertMaking.Rule(AlertKind.PairState), "web", null, shorter, longer with { EndedAt = Now }), StringComparison.Ordinal);
    }

    [Fact]
    public void PlannedAndOver_KeepNothingQuiet() =>
        Assert.Null(Quiet(AlertMaking.Rule(AlertKind.PairState), "web", null, Window(from: 1), Window(from: -60, to: -1)));

    private static string Problems(MaintenanceRequest request) => string.Join(' ', MaintenancePlan.Problems(request, Fleet, Now).Keys);

    private static string? Quiet(AlertRule rule, string? pair, string? node, params MaintenanceWindow[] windows) =>
        AlertPolicy.Of([rule], [], MaintenancePlan.QuietNow(windows, Fleet, Now)).QuietFor(rule, pair, node);

    private static MaintenanceWindow Window(MaintenanceScope scope = MaintenanceScope.Pair, string target = "web", int from = -1, int to = 60, int? ended = null) => new()
    {
        Id = "w",
        Scope = scope,
        Target = target,
        From = Now.AddMinutes(from),
        To = Now.AddMinutes(to),
        Reason = "Kernel update",
        By = "alice",
        CreatedAt = Now.AddDays(-1),
        EndedAt = ended is { } minutes ? Now.AddMinutes(minutes) : null,
    };
}
