using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Identity.Past;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Operations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>How pages show a node that reports an address of a pair it is not of, and how an admin lets it in; the hub behind them is a real one.</summary>
[Trait("Kind", "Hub")]
public sealed class ClaimantPagesTests : DashboardTest, IAsyncLifetime
{
    private static readonly Actor Admin = new("ann", "192.0.2.1", null) { Rights = Rights.All };

    private OperationRig _rig = null!;

    public async ValueTask InitializeAsync()
    {
        _rig = await OperationRig.StartAsync();
        Services.AddSingleton(_rig.Hub.Get<PairAdmission>());
        Services.AddSingleton(_rig.Hub.Get<AuditLog>());
        Services.AddScoped<PageGate>();
        Services.AddSingleton<AuthenticationStateProvider, AdminVisitor>();
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

    /// <summary>The dialog offers neither another role nor an end: all that it can be asked for is to stand back.</summary>
    [Theory]
    [InlineData("claimant-drain", OperationType.Drain)]
    [InlineData("claimant-demote", OperationType.SetRole)]
    public async Task Claimant_IsToldToStandBackOnThePageOfThePair(string button, OperationType type)
    {
        var pair = Make.HealthyPair() with { Claimants = [new ClaimantView("node-c", [Make.Prefix])] };
        Fleet.Publish(Fresh(pair) with { Nodes = [.. pair.Members.Select(m => m.Node), Make.Node("node-c", Role.Primary)] });
        var page = RenderPage<PairPage>(("Name", "web"));
        Assert.Contains("It announces 203.0.113.10/32 as primary.", page.Find("[data-testid=claimant-does]").TextContent, StringComparison.Ordinal);

        await page.InvokeAsync(() => page.Find($"[data-testid={button}]").Click());
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=confirm-dialog]")), Safety);
        Assert.Empty(page.FindAll("[data-testid=role-primary], [data-testid=expires-in]"));
        On(page, "confirm-reason", element => element.Input("who is that"));
        On(page, "confirm-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Equal((type, "node-c", pair.Id), Operations.Submitted.Select(s => (s.Request.Type, s.Request.Node!, s.Request.Pair!)).Single()), Safety);
        Assert.Equal(type == OperationType.SetRole ? Role.Secondary : null, Operations.Submitted.Single().Request.Role);
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

    /// <summary>Whose session has ended, or who is no admin any more, lets nobody in, and that he tried it is in the audit.</summary>
    [Fact]
    public async Task LetInOfAnEndedSession_IsRefusedAndAudited()
    {
        await using var stranger = await Agents.FakeAgent.StartAsync(_rig.Hub.AgentUrl, "web-3", ProtoRole.Secondary);
        var known = await _rig.Hub.UntilAsync(s => s.FindPair("web")!.Claimants.Any());
        var page = await OpenLetInAsync(known);
        On(page, "let-in-reason", element => element.Input("a new machine"));
        SignedIn = false;

        On(page, "let-in-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Contains(PageGate.SignedOut, page.Find("[data-testid=let-in-refusal]").TextContent, StringComparison.Ordinal), Safety);
        var entry = Assert.Single(await _rig.AuditAsync(), a => a.Action == PairAdmission.Action);
        Assert.Equal(("ann", "node web-3 of pair web", "refused: not allowed (page-admin)"), (entry.Actor, entry.Target, entry.Outcome));
        Assert.Equal(["web-1", "web-2"], _rig.Pair.Members.Select(m => m.Node.Name));
    }

    [Fact]
    public async Task LetInInPlaceOfAnother_AsksForAReasonAndDoesIt()
    {
        await using var stranger = await Agents.FakeAgent.StartAsync(_rig.Hub.AgentUrl, "web-3", ProtoRole.Secondary);
        await _rig.B.DisposeAsync();
        var known = await _rig.Hub.UntilAsync(s => s.FindPair("web")!.Claimants.Any() && !s.FindNode("web-2")!.IsFresh);
        var page = await OpenLetInAsync(known);
        Assert.True(page.Find("[data-testid=let-in-submit]").HasAttribute("disabled"));

        On(page, "let-in-leaves", element => element.Change("web-2"));
        Assert.Contains("web-2 leaves the pair", page.Find("[data-testid=let-in-effect]").TextContent, StringComparison.Ordinal);
        On(page, "let-in-reason", element => element.Input("web-2 was sold"));
        On(page, "let-in-submit", element => element.Click());

        var seen = await _rig.Hub.UntilAsync(s => s.FindPair("web")!.Members.Any(m => m.Node.Name == "web-3"));
        Assert.Equal(["web-1", "web-3"], seen.FindPair("web")!.Members.Select(m => m.Node.Name));
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=let-in-dialog]")), Safety);
    }

    private async Task<IRenderedComponent<PageFrame>> OpenLetInAsync(FleetSnapshot known)
    {
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
        return page;
    }
}
