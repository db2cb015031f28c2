using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class PairListTests
{
    private static readonly PairView[] Pairs =
    [
        Make.HealthyPair("web"),
        Make.HealthyPair("api"),
        Make.HealthyPair("mail") with { State = PairState.Degraded },
        Make.HealthyPair("db") with { State = PairState.NoAnnouncer },
        Make.HealthyPair("cdn") with { State = PairState.Unknown },
    ];

    [Fact]
    public void Select_NoFilter_ProblemsFirstThenByName() =>
        Assert.Equal(["db", "cdn", "mail", "api", "web"], PairList.Select([.. Pairs], null, null).Select(pair => pair.Name));

    [Theory]
    [InlineData("WEB", 1)]
    [InlineData("degraded", 1)]
    [InlineData("203.0.113", 5)]
    [InlineData("node-b mail", 1)]
    [InlineData("node-b nothing", 0)]
    [InlineData("  ", 5)]
    public void Select_Words_MustAllOccurSomewhere(string search, int found) =>
        Assert.Equal(found, PairList.Select([.. Pairs], search, null).Length);

    [Fact]
    public void Select_AState_ShowsOnlyThat() =>
        Assert.Equal(["api", "web"], PairList.Select([.. Pairs], "", PairState.Healthy).Select(pair => pair.Name));

    [Fact]
    public void Counts_OnlyStatesThatOccur_WorstFirst() =>
        Assert.Equal([(PairState.NoAnnouncer, 1), (PairState.Unknown, 1), (PairState.Degraded, 1), (PairState.Healthy, 2)], PairList.Counts([.. Pairs]));

    [Fact]
    public void WorstFirst_HasEveryStateOnce() =>
        Assert.Equal(Enum.GetValues<PairState>().Order(), PairList.WorstFirst.Order());
}
