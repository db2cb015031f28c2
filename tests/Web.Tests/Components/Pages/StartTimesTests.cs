using FailoverHub.Web.Components.Pages.Operations.Confirm;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class StartTimesTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("2026-11-30T22:00", "2026-11-30T21:00:00Z")]
    [InlineData("2026-07-01T22:00:00", "2026-07-01T20:00:00Z")]
    // Shown twice in autumn: the first of the two, so that nothing begins an hour after it was wanted.
    [InlineData("2026-10-25T02:30", "2026-10-25T00:30:00Z")]
    public void ATimeIsOfTheZoneThatTheOperatorReads(string written, string moment) =>
        Assert.Equal(DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture), StartTimes.Read(written, Berlin));

    [Theory]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("2026-02-30T10:00")]
    // Left out in spring.
    [InlineData("2026-03-29T02:30")]
    public void WhatIsNoTimeIsNone(string written) => Assert.Null(StartTimes.Read(written, Berlin));

    [Theory]
    [InlineData("2026-11-30T21:20:00Z", "2026-11-30T23:00")]
    [InlineData("2026-11-30T21:55:00Z", "2026-12-01T00:00")]
    public void TheSuggestionIsAFullHourThatIsTenMinutesAwayAtLeast(string now, string suggested) =>
        Assert.Equal(suggested, StartTimes.Suggested(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture), Berlin));
}
