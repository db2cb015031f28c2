using System.Collections.Immutable;
using Bunit;
using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>Hundreds of pairs and nodes: a part of them is drawn, the worst first, and any of them is found.</summary>
public sealed class LargeFleetTests : DashboardTest
{
    private static PairView[] Pairs(int count) =>
        [.. Enumerable.Range(0, count).Select(i => Make.Pair($"web-{i:000}", i == count - 1 ? PairState.NoAnnouncer : PairState.Healthy, "x", $"a-{i:000}", Make.Node($"a-{i:000}", Role.Primary), Make.Node($"b-{i:000}", Role.Secondary, i == 0 ? NodeLink.Stale : NodeLink.Connected)))];

    [Fact]
    public void Overview_DrawsTheWorstAndMoreWhenAsked()
    {
        Fleet.Publish(Fresh(Pairs(70)));
        var page = RenderPage<OverviewPage>();
        Assert.Equal(60, page.FindAll("[data-testid^=pair-card-]").Count);
        Assert.NotEmpty(page.FindAll("[data-testid=pair-card-web-069]"));
        Assert.Equal("Show 10 more of 70", page.Find("[data-testid=show-more]").TextContent);

        On(page, "show-more", button => button.Click());

        page.WaitForAssertion(() => Assert.Equal(70, page.FindAll("[data-testid^=pair-card-]").Count), Safety);
        Assert.Empty(page.FindAll("[data-testid=show-more]"));
        Assert.EndsWith("/?more=1", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);

        On(page, "search", search => search.Input("web-01"));

        page.WaitForAssertion(() => Assert.Equal(10, page.FindAll("[data-testid^=pair-card-]").Count), Safety);
        Assert.EndsWith("/?q=web-01", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_AreFoundByWhatStandsInTheAddress()
    {
        Fleet.Publish(Fresh(Pairs(60)));
        var page = RenderPage<NodesPage>();
        Assert.Equal(100, page.FindAll("[data-testid=node-row]").Count);
        Assert.Equal("1 stale", page.Find("[data-testid=count-Stale]").TextContent.Trim());

        On(page, "count-Stale", chip => chip.Click());
        page.WaitForAssertion(() => Assert.Equal("b-000", Assert.Single(page.FindAll("[data-testid=node-row]")).GetAttribute("data-node")), Safety);

        Services.GetRequiredService<NavigationManager>().NavigateTo("/nodes?q=web-007");
        page.WaitForAssertion(() => Assert.Equal(["a-007", "b-007"], page.FindAll("[data-testid=node-row]").Select(row => row.GetAttribute("data-node"))), Safety);

        Services.GetRequiredService<NavigationManager>().NavigateTo("/nodes?q=nothing");
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=no-match]")), Safety);
    }

    [Theory]
    [InlineData("A-00", 3)]
    [InlineData("stale b-", 1)]
    [InlineData("healthy", 6)]
    [InlineData("web-001 203.0.113", 2)]
    [InlineData("drained", 0)]
    public void Search_EachWordMustOccurSomewhere(string search, int found)
    {
        FleetSnapshot fleet = Fresh(Pairs(3));
        ImmutableArray<NodeView> nodes = fleet.Nodes;

        Assert.Equal(found, NodeList.Select(nodes, NodeList.PairsByNode(fleet.Pairs), search, null).Length);
    }
}
