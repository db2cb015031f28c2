using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Waiting;
using FailoverHub.Web.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations.Waiting;

/// <summary>Operations at a time, within a window: the rules are asked again then, and what was missed is reported and not done late.</summary>
[Trait("Kind", "Hub")]
public sealed class ScheduleTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OperationRequest At(OperationRig rig, double seconds, double? windowSeconds = null) => Switchover("web-2") with
    {
        StartAt = rig.Time.GetUtcNow().AddSeconds(seconds),
        WindowEndsAt = windowSeconds is { } w ? rig.Time.GetUtcNow().AddSeconds(seconds + w) : null,
    };

    // Time stands still as soon as it has begun: no deadline passes because a disk is slow.
    private static async Task<OperationView> BegunAndEndedAsync(OperationRig rig, string id)
    {
        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);
        return await rig.EndedAsync(id);
    }

    [Fact]
    public async Task Scheduled_IsVisibleAndBeginsAtItsTime()
    {
        await using var rig = await StartAsync();

        var id = await rig.AcceptedAsync(At(rig, 5));
        var waiting = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal((OperationStatus.Queued, rig.Time.GetUtcNow().AddSeconds(5), rig.Time.GetUtcNow().AddSeconds(5 + 900)), (waiting.Status, waiting.ScheduledFor, waiting.WindowEndsAt));
        Assert.Empty(rig.A.Intents);

        var ended = await BegunAndEndedAsync(rig, id);

        Assert.Equal((OperationStatus.Succeeded, "web-2"), (ended.Status, rig.Pair.ActiveNode));
        Assert.Equal("accepted, as scheduled", (await rig.AuditAsync())[0].Outcome);
        Assert.StartsWith("accepted, for 2026-05-04 12:00:", (await rig.AuditAsync())[1].Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RuleThatStandsAgainstItThen_RefusesIt()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(At(rig, 5));
        await rig.B.DisposeAsync();

        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A);

        Assert.Equal(OperationStatus.Refused, ended.Status);
        Assert.Contains("SR-03 TargetReady", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(("hub", "schedule-refused"), ((await rig.AuditAsync())[0].Actor, (await rig.AuditAsync())[0].Action));
        Assert.Empty(rig.A.Intents);
    }

    [Fact]
    public async Task AnotherOperationIsUnderWayThen_ItWaitsForItWithinItsWindow()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(At(rig, 3, windowSeconds: 60));
        rig.A.Obedience = Obedience.IsDeaf;
        var other = await rig.AcceptedAsync(OnNode(OperationType.SetRole, "web-1") with { Role = Role.Secondary, Deadline = TimeSpan.FromMinutes(5) });
        var intent = await rig.A.ReceiveIntentAsync();
        var due = rig.Time.GetUtcNow().AddSeconds(4);
        await rig.PassTimeUntilAsync(other, _ => rig.Time.GetUtcNow() > due, rig.A, rig.B);
        Assert.Equal(OperationStatus.Queued, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);

        rig.A.Obedience = Obedience.Applies;
        await rig.A.ReportAsync(state => FakeAgent.Apply(state, intent));
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(other)).Status);
        var ended = await BegunAndEndedAsync(rig, id);

        Assert.Equal((OperationStatus.Succeeded, "web-2"), (ended.Status, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task Cancelled_NeverBegins()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(At(rig, 5));

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "postponed", Alice, Cancellation));
        rig.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal((OperationStatus.Cancelled, "Cancelled by alice. Nothing was sent."), await rig.Hub.Operations.FindAsync(id, Cancellation) is { } ended ? (ended.Status, ended.Outcome) : default);
        await rig.RestartHubAsync();
        Assert.Equal(OperationStatus.Cancelled, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
    }

    [Theory]
    [InlineData(10, OperationStatus.Queued)]
    [InlineData(30, OperationStatus.TimedOut)]
    public async Task HubWasDownAtThatTime_ItIsReportedAndNotDoneOutsideItsWindow(double downMinutes, OperationStatus status)
    {
        OperationRig? rig = null;
        var down = false;
        rig = await StartAsync(_ =>
        {
            if (down)
            {
                rig!.Time.Advance(TimeSpan.FromMinutes(downMinutes));
            }
        });
        await using var _ = rig;
        var id = await rig.AcceptedAsync(At(rig, 20 * 60, windowSeconds: 300));

        down = true;
        await rig.RestartHubAsync();
        var now = status == OperationStatus.Queued ? (await rig.Hub.Operations.FindAsync(id, Cancellation))! : await rig.EndedAsync(id);

        Assert.Equal(status, now.Status);
        if (status == OperationStatus.TimedOut)
        {
            Assert.Contains("not done late", now.Outcome, StringComparison.Ordinal);
            Assert.Equal("schedule-missed", (await rig.AuditAsync())[0].Action);
        }
    }

    [Theory]
    [InlineData("another operation is under way", new[] { "SR-05" }, false, 60, true)]
    [InlineData("too often, and another operation is under way", new[] { "SR-05", "SR-06" }, false, 60, true)]
    [InlineData("the hub has just started, and knows nothing of the nodes", new[] { "SR-03", "SR-08" }, true, 60, true)]
    [InlineData("the hub started a while ago, and the nodes are not back yet", new[] { "SR-03" }, true, 60, true)]
    [InlineData("the nodes are not back, and its window ends", new[] { "SR-03" }, true, 3, false)]
    [InlineData("its window ends before it would be tried again", new[] { "SR-05" }, false, 3, false)]
    [InlineData("the target is not ready", new[] { "SR-03" }, false, 60, false)]
    [InlineData("it is frozen", new[] { "SR-07" }, false, 60, false)]
    public void RuleStandsInItsWayThen_ItWaitsForWhatPassesAndNotForWhatDoesNot(string row, string[] blocking, bool unheard, double windowSeconds, bool waits)
    {
        var now = new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
        var request = Switchover("web-2") with { StartAt = now, WindowEndsAt = now.AddSeconds(windowSeconds) };
        var facts = Fleet.Fleets.Healthy;
        var target = SafetyRulesTests.Target(facts, request);
        var preview = new OperationPreview { Rules = [.. blocking.Select(id => new Rule(request, id, id, 409, CanOverride: false).Fail("It is so.", "Wait."))], Steps = [], TrafficEffect = "", OutagePossible = false, ApiCall = "" };
        var waiting = WaitingOperation.Of(target, OperationPlanner.Plan(target), preview, Alice, now.AddMinutes(-5));

        Assert.True(waits == WaitingFate.OfRules(waiting, preview, unheard, now) is WaitingFate.WaitsOn, row);
    }

    [Theory]
    [InlineData("SR-03")]
    [InlineData("SR-07")]
    [InlineData("SR-09")]
    [InlineData("SR-05")]
    public void EndOfADrain_WaitsWithinItsHourForWhatPassesWhereNobodyAsksAgain(string blocking)
    {
        var now = new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
        var drain = SafetyRulesTests.Target(Fleet.Fleets.Healthy, OnNode(OperationType.Drain, "web-2") with { ExpiresIn = TimeSpan.FromMinutes(10) });
        var undrain = WaitingOperation.Undrain(drain, "the drain", Alice, now.AddMinutes(-10))!;
        var preview = new OperationPreview { Rules = [new Rule(undrain.Request, blocking, blocking, 409, CanOverride: false).Fail("It is so.", "Wait.")], Steps = [], TrafficEffect = "", OutagePossible = false, ApiCall = "" };

        Assert.IsType<WaitingFate.WaitsOn>(WaitingFate.OfRules(undrain, preview, unheard: false, now));
        Assert.IsType<WaitingFate.WaitsOn>(WaitingFate.OfRules(undrain, preview, unheard: false, now.AddMinutes(59)));
        Assert.IsType<WaitingFate.Ends>(WaitingFate.OfRules(undrain, preview, unheard: false, now.AddMinutes(60)));
    }

    [Fact]
    public void WindowIsOverWhileItIsTriedAgain_ItIsNotDoneLate_AndSaysWhatStoodInItsWay()
    {
        var now = new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
        var request = Switchover("web-2") with { StartAt = now, WindowEndsAt = now.AddMinutes(1) };
        var target = SafetyRulesTests.Target(Fleet.Fleets.Healthy, request);
        var preview = new OperationPreview { Rules = [], Steps = [], TrafficEffect = "", OutagePossible = false, ApiCall = "" };
        var tried = WaitingOperation.Of(target, OperationPlanner.Plan(target), preview, Alice, now.AddMinutes(-5)) with { RetryAt = now.AddSeconds(5), Hindrance = "SR-05 OneInFlight: another one is under way" };

        Assert.Null(WaitingFate.OfTime(tried, now.AddMinutes(1)));
        var ends = Assert.IsType<WaitingFate.Ends>(WaitingFate.OfTime(tried, now.AddHours(3)));

        Assert.Equal((OperationStatus.TimedOut, "schedule-missed"), (ends.Status, ends.Action));
        Assert.Contains("what stood in its way last was SR-05 OneInFlight", ends.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, null, "startAt")]
    [InlineData(31 * 24 * 3600.0, null, "startAt")]
    [InlineData(60, 0.0, "windowEndsAt")]
    [InlineData(60, 25 * 3600.0, "windowEndsAt")]
    public async Task TimesThatMakeNoSense_AreRefusedByField(double seconds, double? window, string field)
    {
        await using var rig = await StartAsync();

        var answer = Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(At(rig, seconds, window), Alice, Cancellation));

        Assert.Equal([field], answer.Problem.Keys);

        // The dialog says so before anybody presses its button.
        Assert.Null(rig.Hub.Operations.Preview(At(rig, seconds, window), out SubmitResult? seen));
        Assert.Equal([field], Assert.IsType<SubmitResult.Invalid>(seen).Problem.Keys);
    }

    [Fact]
    public async Task ARuleThatIsSetAside_StaysInSightWhenItIsScheduled()
    {
        await using var rig = await StartAsync();
        await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-2")));
        var request = OnNode(OperationType.Drain, "web-1") with { OverrideRules = ["SR-01"] };

        var now = rig.Hub.Operations.Preview(request, out _)!;
        var later = rig.Hub.Operations.Preview(request with { StartAt = rig.Time.GetUtcNow().AddMinutes(5) }, out _)!;

        Assert.True(Assert.Single(now.Rules, r => r.RuleId == "SR-01").Overridden);
        Assert.True(Assert.Single(later.Rules, r => r.RuleId == "SR-01").Overridden);
    }

    [Fact]
    public async Task DrainWithAnEnd_IsUndrainedThenByItself()
    {
        await using var rig = await StartAsync();
        var drain = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-2") with { ExpiresIn = TimeSpan.FromSeconds(60) });
        await rig.EndedAsync(drain);
        var undrain = Assert.Single(await rig.Hub.Operations.RecentAsync(OperationFilter.All, 10, Cancellation), o => o.Type == OperationType.Undrain);
        Assert.Equal(OperationStatus.Queued, undrain.Status);
        Assert.True(rig.Pair.Members[1].Node.Drained);

        var ended = await BegunAndEndedAsync(rig, undrain.Id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.False(rig.Pair.Members[1].Node.Drained);
    }

    [Fact]
    public async Task DrainWithAnEndThatFails_LeavesNothingToBeUndrained()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.Rejects;

        await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-2") with { ExpiresIn = TimeSpan.FromSeconds(60) }));

        var undrain = Assert.Single(await rig.Hub.Operations.RecentAsync(OperationFilter.All, 10, Cancellation), o => o.Type == OperationType.Undrain);
        Assert.Equal(OperationStatus.Cancelled, (await rig.EndedAsync(undrain.Id)).Status);
    }

    [Fact]
    public async Task SwitchoverWithoutATarget_GoesWhereItsTitleSaysOrNowhere()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(At(rig, 5) with { Target = null });
        Assert.Equal(("web-2", "Switch web over to web-2"), await rig.Hub.Operations.FindAsync(id, Cancellation) is { } waiting ? (waiting.Node, waiting.Title) : default);
        await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-2")));

        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Cancelled, "web-2"), (ended.Status, rig.Pair.ActiveNode));
        Assert.Contains("web-2 is active already", ended.Outcome, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OperationType.Switchover, "web-2")]
    [InlineData(OperationType.Drill, "web-2")]
    [InlineData(OperationType.Failback, "web-1")]
    public void DestinationThatWasLeftOpen_IsKeptAsItWasFound(OperationType type, string destination)
    {
        var now = new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
        var request = new OperationRequest { Type = type, Pair = "web", Reason = "kernel update" };
        var facts = type == OperationType.Failback ? Fleet.Fleets.PairOf(Fleet.Fleets.Node("web-1", Role.Secondary), Fleet.Fleets.Node("web-2", Role.Primary)) : Fleet.Fleets.Healthy;
        var preview = new OperationPreview { Rules = [], Steps = [], TrafficEffect = "", OutagePossible = false, ApiCall = "", NeedsApproval = true };
        WaitingOperation waiting;
        if (type == OperationType.Drill)
        {
            waiting = WaitingOperation.Of(DrillTarget.Resolve(FleetProjection.Project(facts, Fleet.Fleets.Now, 1), request, out _)!.Value.Drill, preview, Alice, now);
        }
        else
        {
            var target = SafetyRulesTests.Target(facts, request);
            waiting = WaitingOperation.Of(target, OperationPlanner.Plan(target), preview, Alice, now);
        }

        Assert.Equal((destination, destination), (waiting.Request.Target, waiting.View.Node));
    }

    [Fact]
    public async Task WhatBecomesAMoveMeanwhile_DoesNotBeginWithoutASecondPerson()
    {
        await using var rig = await StartAsync(services => services.AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.Moves }), keepsFailback: true);
        var id = await rig.AcceptedAsync(OnNode(OperationType.ResetSession, "web-1") with { Neighbor = "127.34.0.1:1790", StartAt = rig.Time.GetUtcNow().AddSeconds(5) });
        Assert.Equal(OperationStatus.Queued, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        await rig.A.ReportAsync(r =>
        {
            foreach (var session in r.Sessions.Skip(1))
            {
                session.State = Protos.V1.SessionState.Idle;
            }
        });

        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal(OperationStatus.Refused, ended.Status);
        Assert.Contains("SR-11", ended.Outcome, StringComparison.Ordinal);
        Assert.Empty(rig.A.Requests);
    }
}
