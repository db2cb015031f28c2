using Bunit;
using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Identity.Past;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Operations;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>How pages show a node that reports an address of a pair it is not of, and how an admin lets it in; the hub behind them is a real one.</summary>
public sealed class ClaimantPagesTests : DashboardTest, IAsyncLifetime
{
    private static readonly Actor Admin = new("ann", "192.0.2.1", null) { Rights = Rights.All };

    private OperationRig _rig = null!;

    public async ValueTask InitializeAsync()
    {
        _rig = await OperationRig.StartAsync();
        Services.AddSingleton(_rig.Hub.Get<PairAdmission>());
        Services.AddSingleton(_rig.Hub.Get<NodeChanges>());
        Services.AddSingleton(_rig.Hub.Get<CertificateHistory>());
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _rig.DisposeAsync();
    }

    [Fact]
    public void Claimant_StandsOnThePageOfThePair_AndOnlyAnAdminLetsItIn()
    {
        var pair = Make.HealthyPair() with { Claimants = [new ClaimantView("node-c", [Make.Prefix])] };
        Fleet.Publish(Fresh(pair) with { Nodes = [.. pair.Members.Select(m => m.Node), Make.Node("node-c", Role.Secondary)] });

        var page = RenderPage<PairPage>(("Name", "web"));

        Assert.Contains("node-c reports 203.0.113.10/32 and is no node of this pair", page.Find("[data-testid=claimant]").TextContent, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("[data-testid=claimant-let-in]"));
    }

    [Theory]
    [InlineData("node-c", "web")]
    [InlineData("node-a", "")]
    public void PageOfANode_NamesThePairsThatItClaims(string node, string claimed)
    {
        var pair = Make.HealthyPair() with { Claimants = [new ClaimantView("node-c", [Make.Prefix])] };
        Fleet.Publish(Fresh(pair) with { Nodes = [.. pair.Members.Select(m => m.Node), Make.Node("node-c", Role.Secondary)] });

        Assert.Equal(claimed, string.Join(" ", RenderPage<NodePage>(("Name", node)).FindAll("[data-testid=claims-pair]").Select(e => e.GetAttribute("data-pair"))));
    }

    [Fact]
    public async Task LetInInPlaceOfAnother_AsksForAReasonAndDoesIt()
    {
        await using var stranger = await Agents.FakeAgent.StartAsync(_rig.Hub.AgentUrl, "web-3", ProtoRole.Secondary);
        await _rig.B.DisposeAsync();
        var known = await _rig.Hub.UntilAsync(s => s.FindPair("web")!.Claimants.Any() && !s.FindNode("web-2")!.IsFresh);
        var page = Render<PageFrame>(frame => frame.Add(f => f.Page, builder =>
        {
            builder.OpenComponent<CascadingValue<Actor>>(0);
            builder.AddComponentParameter(1, "Value", Admin);
            builder.AddComponentParameter(2, "ChildContent", (RenderFragment)(inner =>
            {
                inner.OpenComponent<ClaimantNote>(0);
                inner.AddComponentParameter(1, "Pair", known.FindPair("web"));
                inner.CloseComponent();
            }));
            builder.CloseComponent();
        }));
        await page.InvokeAsync(() => page.Find("[data-testid=claimant-let-in]").Click());
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=let-in-dialog]")), Safety);
        Assert.True(page.Find("[data-testid=let-in-submit]").HasAttribute("disabled"));

        On(page, "let-in-leaves", element => element.Change("web-2"));
        Assert.Contains("web-2 leaves the pair", page.Find("[data-testid=let-in-effect]").TextContent, StringComparison.Ordinal);
        On(page, "let-in-reason", element => element.Input("web-2 was sold"));
        On(page, "let-in-submit", element => element.Click());

        var seen = await _rig.Hub.UntilAsync(s => s.FindPair("web")!.Members.Any(m => m.Node.Name == "web-3"));
        Assert.Equal(["web-1", "web-3"], seen.FindPair("web")!.Members.Select(m => m.Node.Name));
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=let-in-dialog]")), Safety);
    }
}
