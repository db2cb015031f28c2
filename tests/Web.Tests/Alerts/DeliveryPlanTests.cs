using System.Collections.Immutable;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>Which message leaves next, and when none does.</summary>
public sealed class DeliveryPlanTests
{
    private static readonly DateTimeOffset Now = Make.At;

    [Fact]
    public void NothingWaits_NothingIsDone() =>
        Assert.Equal(new DeliveryStep.Wait(null), DeliveryPlan.Next(Channel(), [], ChannelTraffic.None, Now));

    [Fact]
    public void TheMostSevereGoesFirst_ThenTheOldest() =>
        Assert.Equal(new DeliveryStep.Send(2), DeliveryPlan.Next(Channel(), [Waits(1), Waits(2, severity: EventSeverity.Critical), Waits(3, severity: EventSeverity.Critical)], ChannelTraffic.None, Now));

    [Fact]
    public void OfOneAlert_TheEndWaitsForTheBeginning()
    {
        ImmutableArray<WaitingMessage> waiting = [Waits(1, "a", due: 30, attempts: 1), Waits(2, "a"), Waits(3, "b")];

        Assert.Equal(new DeliveryStep.Send(3), DeliveryPlan.Next(Channel(), waiting, ChannelTraffic.None, Now));
        Assert.Equal(new DeliveryStep.Wait(Now.AddSeconds(30)), DeliveryPlan.Next(Channel(), waiting[..2], ChannelTraffic.None, Now));
    }

    [Fact]
    public void OfOneAlert_TheEndWaitsForTheSummaryThatHasTheBeginning()
    {
        // The summary was made of 1 to 3 after 4, the end of the alert of 2, had been decided; it was refused and is tried again later.
        WaitingMessage summary = Waits(5, due: 30, attempts: 1, summary: true) with { Alerts = ["a", "b", "c"], Order = 1 };

        Assert.Equal(new DeliveryStep.Wait(Now.AddSeconds(30)), DeliveryPlan.Next(Channel(), [Waits(4, "b"), summary], ChannelTraffic.None, Now));
        Assert.Equal(new DeliveryStep.Send(6), DeliveryPlan.Next(Channel(), [Waits(4, "b"), summary, Waits(6, "d")], ChannelTraffic.None, Now));
    }

    [Fact]
    public void Summary_HasAllOfAnAlertOrNothingOfIt()
    {
        ImmutableArray<WaitingMessage> waiting = [.. Enumerable.Range(1, DeliveryPlan.MostInSummary - 1).Select(i => Waits(i)), Waits(200, "twice"), Waits(201, "twice"), Waits(202, "once")];

        ImmutableArray<long> ids = Assert.IsType<DeliveryStep.Summarise>(DeliveryPlan.Next(Channel(mostPerMinute: 3), waiting, Traffic(50, 40, 30), Now)).Ids;

        Assert.Equal(DeliveryPlan.MostInSummary, ids.Length);
        Assert.DoesNotContain(200, ids);
        Assert.DoesNotContain(201, ids);
        Assert.Contains(202, ids);
    }

    [Fact]
    public void MoreThanTheChannelTakes_GoIntoOneMessage()
    {
        ImmutableArray<WaitingMessage> waiting = [.. Enumerable.Range(1, 7).Select(i => Waits(i))];

        DeliveryStep step = DeliveryPlan.Next(Channel(mostPerMinute: 3), waiting, Traffic(50, 40, 30), Now);

        Assert.Equal([1, 2, 3, 4, 5, 6, 7], Assert.IsType<DeliveryStep.Summarise>(step).Ids);
        Assert.Equal(new DeliveryStep.Send(8), DeliveryPlan.Next(Channel(mostPerMinute: 3), [Waits(8, summary: true)], Traffic(50, 40, 30), Now));
    }

    [Fact]
    public void AfterTheSummary_NothingLeavesUntilTheMinuteIsOver() =>
        Assert.Equal(new DeliveryStep.Wait(Now.AddSeconds(20)), DeliveryPlan.Next(Channel(mostPerMinute: 3), [Waits(9), Waits(10)], Traffic(50, 40, 30, 20), Now));

    [Fact]
    public void OneMoreThanTheChannelTakes_Waits() =>
        Assert.Equal(new DeliveryStep.Wait(Now.AddSeconds(10)), DeliveryPlan.Next(Channel(mostPerMinute: 3), [Waits(9)], Traffic(50, 40, 30), Now));

    [Fact]
    public void Pager_GetsEachIncidentByItselfInTheEnd() =>
        Assert.Equal(new DeliveryStep.Wait(Now.AddSeconds(10)), DeliveryPlan.Next(Channel(type: AlertChannelType.PagerDuty, mostPerMinute: 3), [.. Enumerable.Range(1, 7).Select(i => Waits(i))], Traffic(50, 40, 30), Now));

    [Fact]
    public void ChannelThatDidNotAnswer_IsLeftAloneForAWhile() =>
        Assert.Equal(new DeliveryStep.Wait(Now.AddSeconds(5)), DeliveryPlan.Next(Channel(), [Waits(1)], new ChannelTraffic([], Now.AddSeconds(5)), Now));

    [Theory]
    [InlineData(300, false)]
    [InlineData(400, true)]
    [InlineData(7_200, true)]
    public void MessageThatIsDueLaterThanAnyPause_IsDue_BecauseTheClockWasSetBack(int seconds, bool isDue) =>
        Assert.Equal(isDue ? new DeliveryStep.Send(1) : new DeliveryStep.Wait(Now.AddSeconds(seconds)), DeliveryPlan.Next(Channel(), [Waits(1, due: seconds, attempts: 3)], ChannelTraffic.None, Now));

    [Theory]
    [InlineData(1, 0.8, 1.2)]
    [InlineData(2, 1.6, 2.4)]
    [InlineData(5, 12.8, 19.2)]
    [InlineData(9, 204.8, 307.2)]
    [InlineData(10, 240, 360)]
    [InlineData(1_000_000, 240, 360)]
    public void Pause_DoublesUpToFiveMinutesWithAFifthOfChance(int failures, double least, double most)
    {
        Assert.Equal(least, DeliveryPlan.PauseAfter(failures, 0).TotalSeconds, 3);
        Assert.Equal(most, DeliveryPlan.PauseAfter(failures, 1).TotalSeconds, 3);
    }

    private static WaitingMessage Waits(long id, string? alert = null, EventSeverity severity = EventSeverity.Warning, int due = 0, int attempts = 0, bool summary = false) =>
        new(id, "hook", summary ? AlertNoticeKind.Summary : AlertNoticeKind.Raised, severity, Now, Now.AddSeconds(due), attempts) { Alerts = alert is not null ? [alert] : summary ? [] : [$"alert-{id}"] };

    private static ChannelTraffic Traffic(params int[] secondsAgo) => new([.. secondsAgo.Select(s => Now.AddSeconds(-s))], null);
}
