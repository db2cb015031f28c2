using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Tests.Identity;

public sealed class CertificateTimesTests
{
    private static readonly DateTimeOffset _begin = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly CertificateTimes _month = new(_begin, _begin.AddDays(30), _begin.AddDays(20));

    [Theory]
    [InlineData(-1, nameof(CertificateCondition.NotYetValid))]
    [InlineData(0, nameof(CertificateCondition.Good))]
    [InlineData(19.9, nameof(CertificateCondition.Good))]
    [InlineData(20, nameof(CertificateCondition.RenewalDue))]
    [InlineData(29.9, nameof(CertificateCondition.RenewalDue))]
    [InlineData(30, nameof(CertificateCondition.Expired))]
    [InlineData(36500, nameof(CertificateCondition.Expired))]
    public void Condition_FollowsTheClock(double days, string condition) => Assert.Equal(condition, _month.At(_begin.AddDays(days)).ToString());

    [Fact]
    public void Renewals_AreSpreadOverATenthOfWhatIsLeft()
    {
        Assert.Equal(_begin.AddDays(20), _month.RenewAt(0));
        Assert.Equal(_begin.AddDays(21), _month.RenewAt(1));
    }

    [Theory]
    [InlineData(-3650)]
    [InlineData(0)]
    [InlineData(19)]
    [InlineData(19.999)]
    [InlineData(20)]
    [InlineData(25)]
    [InlineData(3650)]
    public void WhateverTheClockSays_WaitsAreBounded(double days)
    {
        var now = _begin.AddDays(days);

        Assert.True(_month.UntilLook(now, 0.5) <= CertificateTimes.Longest);
        Assert.InRange(_month.UntilRetry(now, 0), TimeSpan.FromSeconds(0.75), CertificateTimes.Longest);
        Assert.InRange(_month.UntilRetry(now, 1), TimeSpan.FromSeconds(0.75), CertificateTimes.Longest * 1.25);
    }

    [Fact]
    public void ACertificateOfAMinute_IsTriedAsOftenAsOneOfAMonth()
    {
        var minute = new CertificateTimes(_begin, _begin.AddMinutes(1), _begin.AddSeconds(40));

        Assert.Equal(TimeSpan.FromSeconds(1), minute.UntilRetry(_begin.AddSeconds(40), 0.5));
    }

    [Fact]
    public void Misfit_NamesBothClocks()
    {
        var words = CertificateTimes.Misfit(_begin, _begin.AddDays(1), _begin.AddYears(-56));

        Assert.Contains("2026-11-01T00:00:00Z", words, StringComparison.Ordinal);
        Assert.Contains("1970-11-01T00:00:00Z", words, StringComparison.Ordinal);
        Assert.Contains("clock is off", words, StringComparison.Ordinal);
    }
}
