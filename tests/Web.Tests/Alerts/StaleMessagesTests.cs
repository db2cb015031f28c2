using System.Collections.Immutable;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>What is left of messages that a channel could not take for long, and what they say then.</summary>
public sealed class StaleMessagesTests
{
    private static readonly DateTimeOffset Now = Make.At;

    [Theory]
    [InlineData("Raised", "Raised")]
    [InlineData("Raised Reminder Reminder", "Raised")]
    [InlineData("Raised Acknowledged", "Raised Acknowledged")]
    [InlineData("Raised Reminder Acknowledged Unacknowledged Reminder", "Raised")]
    [InlineData("Reminder Reminder", "Reminder")]
    [InlineData("Reminder Acknowledged", "Acknowledged")]
    [InlineData("Acknowledged Unacknowledged", "Unacknowledged")]
    [InlineData("Raised Resolved", "Resolved")]
    [InlineData("Raised Reminder Acknowledged Resolved", "Resolved")]
    [InlineData("Resolved", "Resolved")]
    public void OfAnAlert_OnlyWhatIsSoNowIsLeft(string kinds, string left) =>
        Assert.Equal(left, Left(kinds, TimeSpan.FromMinutes(30)));

    [Fact]
    public void FreshMessages_AreLeftAsTheyAre() => Assert.Equal("Raised Resolved", Left("Raised Resolved", TimeSpan.FromMinutes(9)));

    [Fact]
    public void BeginningAndEndThatNobodyWasToldForADay_AreNobodysNews() => Assert.Equal("", Left("Raised Resolved", TimeSpan.FromHours(25)));

    [Fact]
    public void End_OfWhatWasTold_IsToldHoweverOldItIs() => Assert.Equal("Resolved", Left("Resolved", TimeSpan.FromDays(3)));

    [Fact]
    public void End_OfWhatWasTried_IsTriedAsLongAsAnyOther() => Assert.Equal("Resolved", Left("Raised Resolved", TimeSpan.FromHours(25), attempts: 7));

    [Fact]
    public void ChannelThatIsOnAgain_ExpiresBeforeItSends()
    {
        ImmutableArray<WaitingMessage> waiting = Chain("Raised Reminder Resolved", TimeSpan.FromHours(3));

        Assert.Equal([1, 2], Assert.IsType<DeliveryStep.Expire>(DeliveryPlan.Next(Channel(), waiting, ChannelTraffic.None, Now)).Ids);
        Assert.Equal(new DeliveryStep.Send(3), DeliveryPlan.Next(Channel(), waiting[2..], ChannelTraffic.None, Now));
    }

    [Theory]
    [InlineData("Raised", false, false, "Raised")]
    [InlineData("Raised", true, false, "Resolved")]
    [InlineData("Reminder", true, true, "Resolved")]
    [InlineData("Acknowledged", false, true, "Acknowledged")]
    [InlineData("Acknowledged", false, false, "Unacknowledged")]
    [InlineData("Resolved", true, false, "Resolved")]
    public void Message_ThatHasWaited_SaysWhatIsSoNow(string kind, bool isOver, bool isTaken, string says)
    {
        Alert then = FakeAlerts.Make();
        Alert now = then with
        {
            Text = "Still nobody.",
            ResolvedAt = isOver ? Now : null,
            ResolvedText = isOver ? "node-a is heard again." : null,
            Acknowledged = isTaken ? new AlertAcknowledgement("alice", Now, "on it") : null,
        };
        var old = AlertMessage.Of(then, Enum.Parse<AlertNoticeKind>(kind), Now.AddHours(-3));

        AlertMessage fresh = StaleMessages.Refreshed(old, now, Now);

        Assert.Equal(says, fresh.Kind.ToString());
        Assert.Equal(kind == "Resolved" ? old : AlertMessage.Of(now, fresh.Kind, Now) with { Alerts = fresh.Alerts }, fresh);
    }

    private static string Left(string kinds, TimeSpan age, int attempts = 0)
    {
        ImmutableArray<WaitingMessage> waiting = [.. Chain(kinds, age).Select(m => m with { Attempts = attempts })];
        ImmutableArray<long> gone = StaleMessages.Of(waiting, Now);
        return string.Join(' ', waiting.Where(m => !gone.Contains(m.Id)).Select(m => m.Kind));
    }

    private static ImmutableArray<WaitingMessage> Chain(string kinds, TimeSpan age) =>
        [.. kinds.Split(' ').Select((kind, i) => new WaitingMessage(i + 1, "hook", Enum.Parse<AlertNoticeKind>(kind), EventSeverity.Warning, Now - age, Now - age, 0) { Alerts = ["a"] })];
}
