using System.Collections.Immutable;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Operations.Drills;

/// <summary>A drill that nobody measured shows that addresses move, and nothing of what that costs.</summary>
public sealed class DrillReportTests
{
    private const string Address = "203.0.113.10/32";

    [Fact]
    public void ThereAndBack_EachAddressMeasured_HasPassed()
    {
        DrillReport report = Report(OperationStatus.Succeeded, [Figures(Address, 100), Figures("2001:db8::/64", 100)], [Figures(Address, 100)]);

        Assert.True(report.Passed);
        Assert.Null(report.NotMeasured);
    }

    [Fact]
    public void MachineOfNoNodeAnswers_ThereIsNoWayBack_SoItIsNotBegun()
    {
        var pair = Make.HealthyPair("web") with { ActiveNode = "web-9" };
        var request = new OperationRequest { Type = OperationType.Drill, Pair = pair.Id, Target = pair.Members[1].Node.Name, Reason = "rehearsal" };

        Assert.Null(DrillTarget.Resolve(Make.Fleet(pair), request, out var problem));
        Assert.Contains("web-9 answers", Assert.IsType<SubmitResult.Invalid>(problem).Problem["pair"], StringComparison.Ordinal);
    }

    [Fact]
    public void ThereAndBack_WithoutFigures_IsMovedAndNotMeasured()
    {
        DrillReport report = Report(OperationStatus.Succeeded, [], []);

        Assert.False(report.Passed);
        Assert.Equal("It moved, and was not measured: there are no figures yet; they come some seconds after the move.", report.NotMeasured);
    }

    [Fact]
    public void ThereAndBack_OneAddressNotProbed_SaysWhichAndWhatToDo()
    {
        DrillReport report = Report(OperationStatus.Succeeded, [Figures(Address, 100), Figures("2001:db8::/64", 0)], [Figures(Address, 100)]);

        Assert.False(report.Passed);
        Assert.Equal("It moved, and the failover was not measured: 2001:db8::/64 was not probed: see Reachability for why, and drill again.", report.NotMeasured);
    }

    [Fact]
    public void ThereAndBack_StillSilent_HasNotPassed()
    {
        DrillReport report = Report(OperationStatus.Succeeded, [Figures(Address, 100)], [Figures(Address, 100, goesOn: true)]);

        Assert.False(report.Passed);
        Assert.Equal("It moved, and the failback was not measured: 203.0.113.10/32 had not answered again when it was measured: see whether it does now.", report.NotMeasured);
    }

    [Fact]
    public void OneVantagePointThatSawAllOfIt_IsEnough() =>
        Assert.True(Report(OperationStatus.Succeeded, [Figures(Address, 0), Figures(Address, 100) with { Vantage = "node-c" }], [Figures(Address, 100)]).Passed);

    [Fact]
    public void DrillThatFailed_HasNotPassed_AndIsNotCalledUnmeasured()
    {
        DrillReport report = Report(OperationStatus.Failed, [Figures(Address, 100)], []);

        Assert.False(report.Passed);
        Assert.Null(report.NotMeasured);
    }

    private static DrillReport Report(OperationStatus status, ImmutableArray<OutageRecord> there, ImmutableArray<OutageRecord> back)
    {
        OperationView drill = Make.Operation("drill", status);
        return new DrillReport(drill, new DrillMove(drill.Steps[0], Make.Operation("there", OperationStatus.Succeeded), there), new DrillMove(drill.Steps[0], Make.Operation("back", OperationStatus.Succeeded), back));
    }

    private static OutageRecord Figures(string prefix, int sent, bool goesOn = false) => new()
    {
        At = Make.At, Pair = "web", Prefix = prefix, Vantage = "hub", VantageName = "hub", Kind = MoveKind.Switchover, OperationId = "there", From = "node-a", To = "node-b",
        Figures = new OutageFigures(sent, 0, null, null, TimeSpan.Zero, goesOn, TimeSpan.FromMilliseconds(10)),
    };
}
