using System.Collections.Immutable;
using System.Net;
using Bunit;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>A pair with several addresses is as well as the worst of them, and says which that is.</summary>
public sealed class PairAddressesTests : DashboardTest
{
    private static readonly IPNetwork Second = IPNetwork.Parse("203.0.113.11/32");
    private static readonly IPNetwork Third = IPNetwork.Parse("203.0.113.12/32");

    private static readonly PairView Pair = Make.Pair("web", PairState.Healthy, "x", "node-a", NodeWith("node-a", Role.Primary, Role.Secondary), NodeWith("node-b", Role.Secondary, Role.Secondary));

    private static NodeView NodeWith(string name, Role first, Role second) => Make.Node(name, first) with
    {
        Prefixes = [Make.PrefixOn(first, first), Make.PrefixOn(second, second, Second), Make.PrefixOn(second, second, Third)],
    };

    private static TargetReachability Target(IPNetwork prefix, ReachabilityState state) => Make.Target(state, Make.Samples(3)) with { Prefix = prefix, Address = prefix.BaseAddress };

    private static ImmutableArray<TargetReachability> Targets(ReachabilityState first, ReachabilityState second, ReachabilityState third) =>
        [Target(Make.Prefix, first), Target(Second, second), Target(Third, third)];

    [Fact]
    public void WorstFirst_NoAnswerBeforeNotKnownBeforeAnswer_AndNothingOfAnotherPair()
    {
        ImmutableArray<TargetReachability> all = [.. Targets(ReachabilityState.Reachable, ReachabilityState.Unknown, ReachabilityState.Unreachable), Target(IPNetwork.Parse("198.51.100.1/32"), ReachabilityState.Unreachable)];

        var found = PairAddresses.WorstFirst(Pair, PairAddresses.ByPrefix(all));

        Assert.Equal([Third, Second, Make.Prefix], found.Select(target => target.Prefix));
    }

    [Theory]
    [InlineData(ReachabilityState.Reachable, ReachabilityState.Reachable, "all 3 answer", "All 3 addresses answer.")]
    [InlineData(ReachabilityState.Unreachable, ReachabilityState.Reachable, "1 of 3: no answer", "No answer from 203.0.113.11.")]
    [InlineData(ReachabilityState.Unreachable, ReachabilityState.Unknown, "1 of 3: no answer", "No answer from 203.0.113.11. Whether 203.0.113.12 answers is not known.")]
    public void SeveralAddresses_AreCountedAndNamed(ReachabilityState second, ReachabilityState third, string count, string sentence)
    {
        var targets = PairAddresses.WorstFirst(Pair, PairAddresses.ByPrefix(Targets(ReachabilityState.Reachable, second, third)));

        Assert.Equal((count, sentence), (PairAddresses.Count(targets), PairAddresses.Sentence(targets)));
    }

    [Fact]
    public void OneAddress_NeedsNoCount() => Assert.Null(PairAddresses.Count([Target(Second, ReachabilityState.Unreachable)]));

    [Fact]
    public void SecondAddressDoesNotAnswer_CardAndPageShowThatOne()
    {
        Fleet.Publish(Fresh(Pair));
        Reachability.Publish(Targets(ReachabilityState.Reachable, ReachabilityState.Reachable, ReachabilityState.Unreachable));

        var page = RenderPage<PairPage>(("Name", "web"));
        var card = Render<OverviewPage>();

        Assert.Equal("203.0.113.12 1 of 3: no answer", card.Find("[data-testid=card-address]").TextContent);
        Assert.Equal("Unreachable", card.Find("[data-testid=pair-card-web] [data-testid=reachability-now]").GetAttribute("data-state"));
        Assert.Contains("No answer from 203.0.113.12.", page.Find("[data-testid=traffic-picture]").GetAttribute("aria-label"), StringComparison.Ordinal);
        Assert.Equal("Unreachable", page.Find("[data-testid=reachability-panel] [data-testid=reachability-now]").GetAttribute("data-state"));
    }

    [Fact]
    public void RolesThatDifferByPrefix_AreNotShownAsOneRole()
    {
        var card = Render<PairCard>(p => p.Add(c => c.Now, Make.At).Add(c => c.Pair, Pair));

        Assert.Contains("203.0.113.11/32 secondary", card.Find("[data-testid=member-node-a] [data-testid=roles-differ]").GetAttribute("title"), StringComparison.Ordinal);
        Assert.Empty(card.FindAll("[data-testid=member-node-b] [data-testid=roles-differ]"));
    }
}
