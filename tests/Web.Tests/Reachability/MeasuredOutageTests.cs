using System.Net;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Tests.Reachability;

public sealed class MeasuredOutageTests
{
    private static readonly DateTimeOffset At = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private static readonly IPNetwork Prefix = IPNetwork.Parse("203.0.113.10/32");

    /// <summary>One probe a second: '+' answered, '-' not.</summary>
    [Theory]
    [InlineData("", 0, null, null, null)]
    [InlineData("++++", 0, null, null, null)]
    [InlineData("++-+", 1, 2, 1, 3)]
    [InlineData("+-+--+", 3, 3, 2, 5)]
    [InlineData("+---+-+", 4, 4, 0, 4)]
    [InlineData("++--", 2, 2, 1, null)]
    [InlineData("--++", 2, 2, 0, 2)]
    [InlineData("-", 1, 0, 0, null)]
    public void Outage_IsTheLongestTimeFromAnswerToAnswer(string probes, int unanswered, int? seconds, int? began, int? ended)
    {
        MeasuredOutage found = MeasuredOutage.Of(Prefix, [.. probes.Select((p, i) => new ProbeSample(At.AddSeconds(i), p == '+' ? TimeSpan.FromMilliseconds(1) : null, p == '+' ? null : "no answer"))]);

        Assert.Equal(
            new MeasuredOutage(Prefix, probes.Length, unanswered, Time(seconds), At + Time(began), At + Time(ended)),
            found);
    }

    /// <summary>'.': the hub did not probe in that second.</summary>
    [Theory]
    [InlineData("+--.......-+", 3, 2, 0, null)]
    [InlineData("+-......+++", 1, 1, 0, null)]
    [InlineData("++......--+", 2, 2, 8, 10)]
    [InlineData("+-..-+", 2, 5, 0, 5)]
    public void TimeWithoutProbes_IsUnknownAndNoPartOfAnOutage(string probes, int unanswered, int seconds, int began, int? ended)
    {
        MeasuredOutage found = MeasuredOutage.Of(Prefix, [.. probes.Select((p, i) => (p, i)).Where(x => x.p != '.')
            .Select(x => new ProbeSample(At.AddSeconds(x.i), x.p == '+' ? TimeSpan.FromMilliseconds(1) : null, x.p == '+' ? null : "no answer"))]);

        Assert.Equal((unanswered, Time(seconds), At + Time(began), At + Time(ended)), (found.Unanswered, found.Longest, found.Began, found.Ended));
    }

    private static TimeSpan? Time(int? seconds) => seconds is { } count ? TimeSpan.FromSeconds(count) : null;
}
