using System.Collections.Immutable;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>An operation that failed does not get right by itself: who is told of it, of the next one, and what ends it.</summary>
public sealed class FailedOperationAlertTests : AlertBookTest
{
    [Fact]
    public void OperationThatWasAcknowledged_IsRememberedForAsLongAsAnyRuleCallsItNews()
    {
        AlertBook book = AlertBook.Empty with { Seen = ImmutableDictionary<string, DateTimeOffset>.Empty.Add("op-1", Make.At).Add("op-2", Make.At.AddHours(10)) };

        AlertBook Later(double hours) => AlertReducer.Look(book, [], Policy(), new Moment(Make.At.AddHours(hours), TimeSpan.FromHours(hours)), () => "id").Book;

        Assert.Equal(["op-1", "op-2"], Later(168).Seen.Keys.Order());
        Assert.Equal(["op-2"], Later(169).Seen.Keys);
        Assert.Empty(Later(179).Seen);
    }

    [Fact]
    public void OperationThatFailed_IsOverWhenItIsAcknowledgedAndNotRaisedByTheSameAgain()
    {
        AlertPolicy policy = Policy(Rule(AlertKind.OperationFailed) with { RaiseAfter = TimeSpan.Zero });
        Finding failed = Wrong("Switch web over: failed.") with { OperationId = "op-1" };
        Look(0, policy, failed);
        Take(AlertReducer.Acknowledge(Book, Active, new AlertAcknowledgement("alice", Make.At.AddSeconds(1), "Known, a cable")));
        Assert.Equal("Raised Resolved", Told);
        Assert.Equal("alice has acknowledged it.", Notices[^1].Alert.ResolvedText);

        Look(2, policy, failed);
        Look(3_000, policy, failed);
        Assert.Empty(Book.Active);
        Look(3_001, policy, failed with { OperationId = "op-2" });

        Assert.Equal("op-2", Active.OperationId);
        Assert.Equal("Raised Resolved Raised", Told);
    }

    [Fact]
    public void OperationThatFailsAgain_IsTheSameAlertAndToldAgainAtMostEveryTenMinutes()
    {
        AlertPolicy policy = Policy(Rule(AlertKind.OperationFailed) with { RaiseAfter = TimeSpan.Zero, RemindEvery = null });
        for (int second = 0; second < 1_800; second += 20)
        {
            Look(second, policy, Wrong($"failed {second}") with { OperationId = $"op-{second}" });
        }

        Assert.Equal("Raised Reminder Reminder", Told);
        Assert.Equal("op-1780", Active.OperationId);
    }

    [Fact]
    public void OperationThatFailsSoonAfterAnother_IsToldWhenTheTenMinutesAreOver()
    {
        AlertPolicy policy = Policy(Rule(AlertKind.OperationFailed) with { RaiseAfter = TimeSpan.Zero, RemindEvery = null });
        Look(0, policy, Wrong("A failed") with { OperationId = "op-a" });
        for (int second = 480; second < 7_200; second++)
        {
            Look(second, policy, Wrong("B failed") with { OperationId = "op-b" });
        }

        Assert.Equal("Raised Reminder", Told);
        Assert.Equal(("B failed", Make.At.AddSeconds(600)), (Notices[^1].Alert.Text, Notices[^1].Alert.LastToldAt));
    }

    [Fact]
    public void OperationThatFailsInMaintenance_IsToldWhenThatIsOver()
    {
        AlertRule rule = Rule(AlertKind.OperationFailed) with { RaiseAfter = TimeSpan.Zero, RemindEvery = null, QuietInMaintenance = true };
        Look(0, Policy(rule), Wrong("A failed") with { OperationId = "op-a" });
        Look(1_000, Policy(rule, Quiet.OfPairs("maintenance", QuietReason.Maintenance, "web")), Wrong("B failed") with { OperationId = "op-b" });
        Look(1_001, Policy(rule, Quiet.OfPairs("maintenance", QuietReason.Maintenance, "web")), Wrong("B failed") with { OperationId = "op-b" });
        Assert.Equal("Raised", Told);

        Look(2_000, Policy(rule), Wrong("B failed") with { OperationId = "op-b" });
        Look(9_000, Policy(rule), Wrong("B failed") with { OperationId = "op-b" });

        Assert.Equal("Raised Reminder", Told);
        Assert.Equal("B failed", Notices[^1].Alert.Text);
    }

    [Fact]
    public void ChannelAddedLater_DoesNotMakeOthersMissWhatItIsTold()
    {
        AlertRule rule = Rule(AlertKind.OperationFailed) with { RaiseAfter = TimeSpan.Zero, RemindEvery = null };
        AlertPolicy more = AlertPolicy.Of([rule], [new ChannelChoice("mail", EventSeverity.Info), new ChannelChoice("chat", EventSeverity.Info)], []);
        Look(0, Policy(rule), Wrong("A failed") with { OperationId = "op-a" });
        Look(300, more, Wrong("B failed") with { OperationId = "op-b" });
        Assert.Equal(["chat"], Notices[^1].Channels);

        Look(600, more, Wrong("B failed") with { OperationId = "op-b" });

        Assert.Equal(AlertNoticeKind.Reminder, Notices[^1].Kind);
        Assert.Contains("mail", Notices[^1].Channels);
    }
}
