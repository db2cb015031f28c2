using Bunit;
using FailoverHub.Web.Components.Shared.Charts;
using FailoverHub.Web.Components.Shared.Clock;
using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Charts;

public sealed class StatusTests : DashboardTest
{
    [Fact]
    public void Badge_AnyPairState_HasShapeColourAndWord()
    {
        foreach (PairState state in Enum.GetValues<PairState>())
        {
            StatusWord word = StatusWords.Of(state);

            var badge = Render<StatusBadge>(p => p.Add(b => b.Status, word));

            Assert.NotEmpty(badge.Find("svg").Children);
            Assert.Contains(word.CssClass, badge.Find(".status-badge").ClassName, StringComparison.Ordinal);
            Assert.Equal(word.Word, badge.Find(".word").TextContent);
        }
    }

    [Fact]
    public void Shapes_OfDifferentTones_Differ()
    {
        string[] shapes = [.. Enum.GetValues<StatusTone>().Select(tone => Render<StatusShape>(p => p.Add(s => s.Tone, tone)).Find("svg").InnerHtml.Trim())];

        Assert.Equal(shapes.Length, shapes.Distinct().Count());
    }

    [Theory]
    [InlineData(PairState.NoAnnouncer)]
    [InlineData(PairState.DualPrimary)]
    public void Red_IsForWhatNeedsAPersonNow(PairState urgent)
    {
        PairState[] red = [.. Enum.GetValues<PairState>().Where(state => StatusWords.Of(state).Tone == StatusTone.Critical)];

        Assert.Contains(urgent, red);
        Assert.Equal(2, red.Length);
    }

    [Fact]
    public void SilentNode_IsUnknown_NeitherGoodNorDown()
    {
        Assert.Equal(StatusTone.Unknown, StatusWords.Of(NodeLink.Stale).Tone);
        Assert.Equal(StatusTone.Unknown, StatusWords.Of(NodeLink.Offline).Tone);
        Assert.Equal(StatusTone.Unknown, StatusWords.Of(OperationStatus.OutcomeUnknown).Tone);
    }

    [Theory]
    [InlineData(0.4, "just now")]
    [InlineData(-2, "just now")]
    [InlineData(14.9, "14 s ago")]
    [InlineData(720, "12 min ago")]
    [InlineData(11_100, "3 h 05 min ago")]
    [InlineData(187_200, "2 d 4 h ago")]
    public void Age_IsSaidAsAPersonWould(double seconds, string said) => Assert.Equal(said, AgeText.Ago(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(59.94, "59.9 s")]
    [InlineData(3_599, "59 min 59 s")]
    [InlineData(3_600, "1 h 00 min")]
    [InlineData(604_799, "6 d 23 h")]
    public void Duration_OfHours_IsNotCountedInMinutes(double seconds, string said) => Assert.Equal(said, AgeText.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.5, "0.5 s")]
    [InlineData(90, "90 s")]
    [InlineData(300, "5 min")]
    [InlineData(5_400, "90 min")]
    [InlineData(129_600, "36 h")]
    [InlineData(604_800, "7 d")]
    public void TimeThatSomebodySet_IsSaidExactly(double seconds, string said) => Assert.Equal(said, AgeText.Exactly(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0.2, "1 s")]
    [InlineData(3_599.5, "1 h 00 min")]
    [InlineData(3_599, "59 min 59 s")]
    [InlineData(3_601, "1 h 01 min")]
    [InlineData(86_399, "1 d 0 h")]
    [InlineData(604_799, "7 d 0 h")]
    [InlineData(100_000, "1 d 4 h")]
    public void Countdown_OfALongTime_IsSaidInHoursAndDaysRoundedUp(double seconds, string said) => Assert.Equal(said, PairWords.Countdown(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, 60, "0 of 60 (0 %)")]
    [InlineData(12, 2_592_000, "12 of 2,592,000 (under 0.001 %)")]
    [InlineData(3, 40, "3 of 40 (7.5 %)")]
    [InlineData(2_591_999, 2_592_000, "2,591,999 of 2,592,000 (over 99.999 %)")]
    [InlineData(60, 60, "60 of 60 (100 %)")]
    public void Loss_OfAFewOfMany_IsNotRoundedToNone(int lost, int sent, string said) => Assert.Equal(said, LossText.Of(lost, sent));

    [Theory]
    [InlineData(0.42, "0.42 ms")]
    [InlineData(12.34, "12.3 ms")]
    [InlineData(250, "250 ms")]
    [InlineData(1200, "1.20 s")]
    public void RoundTrip_HasThreeDigitsAndAUnit(double milliseconds, string said) => Assert.Equal(said, AgeText.RoundTrip(TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public void Absolute_AnotherDay_HasItsDate()
    {
        Assert.Equal("13:59:50.000", AgeText.Absolute(Make.At.AddSeconds(-10), Make.At, TimeZoneInfo.Utc));
        Assert.Equal("2026-11-21 14:00:00", AgeText.Absolute(Make.At.AddDays(-1), Make.At, TimeZoneInfo.Utc));
        Assert.EndsWith(" UTC", AgeText.Full(Make.At, TimeZoneInfo.Utc), StringComparison.Ordinal);
        Assert.EndsWith(" +02:00", AgeText.Full(Make.At, TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(2), "x", "x")), StringComparison.Ordinal);
    }
}
