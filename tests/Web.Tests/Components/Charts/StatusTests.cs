using Bunit;
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
