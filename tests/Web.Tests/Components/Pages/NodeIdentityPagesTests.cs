using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Components.Pages.Nodes.Joining;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Identity.Past;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Identity;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>What pages say about who a node is, and how one is added; the desk behind them is the real one of a hub with TLS.</summary>
[Trait("Kind", "Hub")]
public sealed class NodeIdentityPagesTests : DashboardTest, IAsyncLifetime
{
    private static readonly Actor Admin = new("ann", "192.0.2.1", null) { Rights = Rights.All };

    private readonly TemporaryFolder _folder = new();
    private readonly TestNode _machine = new();
    private HubUnderTest _hub = null!;

    public async ValueTask InitializeAsync()
    {
        _hub = await HubUnderTest.StartAsync(_folder.Path, tls: AgentsEndpoint.Default);
        Services.AddSingleton(_hub.Get<JoinTokens>());
        Services.AddSingleton(_hub.Get<HubIdentity>());
        Services.AddSingleton(_hub.Get<NodeChanges>());
        Services.AddSingleton(_hub.Get<CertificateHistory>());
        Services.AddSingleton(_hub.Get<AuditLog>());
        Services.AddScoped<PageGate>();
        Services.AddSingleton<AuthenticationStateProvider, AdminVisitor>();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _hub.DisposeAsync();
        _machine.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task AddNode_ShowsOneCommandAndTurnsGreenWhenTheNodeHasArrived()
    {
        Fleet.Publish(FleetSnapshot.Empty);
        var page = Open<AddNodePage>();
        On(page, "join-node", element => element.Input("web-1"));
        await page.InvokeAsync(() => page.Find("[data-testid=join-make]").Click());
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=join-command]")), Safety);
        string[] command = page.Find("[data-testid=join-command]").TextContent.Split(' ');
        Assert.Equal(["|", "failoverhub-agent", "join", "--hub", AgentsEndpoint.Default.PublicUrl, "--node", "web-1", "--token", "-"], command[2..]);
        Assert.Equal("waiting", page.Find("[data-testid=join-progress]").GetAttribute("data-step"));

        await _machine.JoinAsync(_hub.AgentUrl, command[1], "web-1");
        Fleet.Publish(Fresh() with { Version = 2 });
        page.WaitForAssertion(() => Assert.Equal("joined", page.Find("[data-testid=join-progress]").GetAttribute("data-step")), Safety);

        Fleet.Publish(Fresh() with { Version = 3, Nodes = [Make.Node("web-1", Role.Primary)] });
        page.WaitForAssertion(() => Assert.Equal("connected", page.Find("[data-testid=join-progress]").GetAttribute("data-step")), Safety);
        Assert.Contains("tone-good", page.Find("[data-testid=join-progress]").ClassName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddNode_BySomebodyWhoMayNot_MakesNothing()
    {
        SignedIn = false;
        var page = Open<AddNodePage>();

        await page.InvokeAsync(() => page.Find("[data-testid=join-make]").Click());

        page.WaitForAssertion(() => Assert.Equal(PageGate.SignedOut, page.Find("[data-testid=join-problem]").TextContent.Trim()), Safety);
        Assert.Empty(await _hub.Get<JoinTokens>().ListAsync(Xunit.TestContext.Current.CancellationToken));
        AuditEntry tried = Assert.Single(await AuditAsync("join-token-created"));
        Assert.Equal(("ann", "hub", "refused: not allowed (page-admin)"), (tried.Actor, tried.Target, tried.Outcome));
    }

    [Fact]
    public void AddNode_ForSomebodyWhoIsNoAdmin_CannotBePressedAndSaysWhatItNeeds()
    {
        Show(Make.Node("web-1", Role.Primary) with { Identity = Identity(-2) });

        var nodes = RenderPage<NodesPage>();
        var add = Render<AddNodePage>();

        Assert.True(nodes.Find("[data-testid=add-node]").HasAttribute("disabled"));
        Assert.StartsWith("Needs the role Admin", nodes.Find("[data-testid=add-node-why]").TextContent, StringComparison.Ordinal);
        Assert.Empty(nodes.FindAll("[data-testid=identity-new]"));
        Assert.True(add.Find("[data-testid=join-make]").HasAttribute("disabled"));
        Assert.StartsWith("Needs the role Admin", add.Find("[data-testid=join-why]").TextContent, StringComparison.Ordinal);
        Assert.False(Render<NodesPage>(p => p.AddCascadingValue(Admin)).Find("[data-testid=add-node]").HasAttribute("disabled"));
    }

    [Fact]
    public async Task AddNode_UnderANameThatCannotBe_IsRefusedAndAudited()
    {
        var page = Open<AddNodePage>();
        On(page, "join-node", element => element.Input("-web"));

        await page.InvokeAsync(() => page.Find("[data-testid=join-make]").Click());

        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=join-problem]")), Safety);
        Assert.StartsWith("refused: ", Assert.Single(await AuditAsync("join-token-created")).Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revoke_BySomebodyWhoMayNotAnyMore_DoesNothingAndIsAudited()
    {
        Show(Make.Node("web-1", Role.Primary) with { Identity = Identity(25) });
        var page = Open<NodePage>(("Name", "web-1"));
        await page.InvokeAsync(() => page.Find("[data-testid=node-revoke]").Click());
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=node-change-dialog]")), Safety);
        On(page, "node-change-reason", element => element.Input("stolen"));
        On(page, "node-change-typed", element => element.Input("web-1"));
        SignedIn = false;

        On(page, "node-change-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=node-change-refusal]")), Safety);
        AuditEntry tried = Assert.Single(await AuditAsync(NodeChanges.Revoked));
        Assert.Equal(("ann", "node web-1", "refused: not allowed (page-admin)"), (tried.Actor, tried.Target, tried.Outcome));
    }

    [Fact]
    public void Certificate_SaysHowManyDaysAreLeft()
    {
        Show(Make.Node("web-1", Role.Primary) with { Identity = Identity(days: 22.5) });

        var admin = Open<NodePage>(("Name", "web-1"));
        Assert.Contains("22 days left", admin.Find("[data-testid=certificate-days]").TextContent, StringComparison.Ordinal);
        Assert.NotEmpty(admin.FindAll("[data-testid=node-revoke]"));
        Assert.True(admin.Find("[data-testid=node-remove]").HasAttribute("disabled"));
    }

    [Fact]
    public void Certificate_SeenBySomebodyWhoIsNoAdmin_CannotBeChanged()
    {
        Show(Make.Node("web-1", Role.Primary) with { Identity = Identity(days: 22.5) });

        var other = RenderPage<NodePage>(("Name", "web-1"));

        Assert.Empty(other.FindAll("[data-testid=node-revoke]"));
        Assert.NotEmpty(other.FindAll("[data-testid=certificate-why]"));
    }

    [Fact]
    public async Task EarlierCertificates_AreShownWhenSomebodyAsks()
    {
        var token = (await _hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), Admin, Xunit.TestContext.Current.CancellationToken)).Token!;
        await _machine.JoinAsync(_hub.AgentUrl, token.ToString(), "web-1");
        await _machine.RenewAsync(_hub.AgentUrl);
        var seen = await _hub.UntilAsync(s => s.FindNode("web-1")?.Identity?.Renewals == 1);
        Show(Make.Node("web-1", Role.Primary) with { Identity = seen.FindNode("web-1")!.Identity });
        var page = Open<NodePage>(("Name", "web-1"));
        Assert.Empty(page.FindAll("[data-testid=certificate-row]"));

        await page.InvokeAsync(() => page.Find("[data-testid=certificates-show]").Click());

        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll("[data-testid=certificate-row]").Count), Safety);
        Assert.Equal(["in use", "replaced"], page.FindAll("[data-testid=certificate-row]").Select(r => r.Children[3].TextContent.Trim()));
        Assert.Equal(["renewal", "join token"], page.FindAll("[data-testid=certificate-row]").Select(r => r.Children[1].TextContent.Trim()));
    }

    [Theory]
    [InlineData(-2, "has expired")]
    [InlineData(3.5, "ends soon (3 days left)")]
    public void CertificateThatEnds_IsTheFirstThingOnTheOverview(double days, string said)
    {
        Show(Make.Node("web-1", Role.Primary, NodeLink.Offline) with { Identity = Identity(days) });

        var page = Open<OverviewPage>();

        Assert.Contains(said, page.Find("[data-testid=identity-note]").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Copy_IsShownOnTheOverviewAndOnTheNodesPage(bool overview)
    {
        Show(Make.Node("web-1", Role.Primary) with { Identity = Identity(25), CloneSign = "Two machines use the certificate of web-1.", CloneSignAt = TimeProvider.System.GetUtcNow() });

        var page = overview ? Open<OverviewPage>() : Open<NodePage>(("Name", "web-1"));

        Assert.Contains("Two machines", page.Find("[data-testid=identity-note]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Refusal_IsShownWithWhatToDo()
    {
        Show(Make.Node("web-1", Role.Primary, NodeLink.Offline) with { Identity = Identity(-2), Refusal = "The certificate of 'web-1' expired. Join again.", RefusedFrom = "192.0.2.9:4711" });

        var note = Open<NodePage>(("Name", "web-1")).Find("[data-testid=node-refusal]").TextContent;

        Assert.Contains("192.0.2.9:4711", note, StringComparison.Ordinal);
        Assert.Contains("Join again.", note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revoke_AsksForReasonAndNameAndDoesIt()
    {
        var token = (await _hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), Admin, Xunit.TestContext.Current.CancellationToken)).Token!;
        await _machine.JoinAsync(_hub.AgentUrl, token.ToString(), "web-1");
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Identity is not null);
        Show(Make.Node("web-1", Role.Primary) with { Identity = Identity(25) });
        var page = Open<NodePage>(("Name", "web-1"));
        await page.InvokeAsync(() => page.Find("[data-testid=node-revoke]").Click());
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=node-change-dialog]")), Safety);

        On(page, "node-change-reason", element => element.Input("stolen"));
        Assert.True(page.Find("[data-testid=node-change-submit]").HasAttribute("disabled"));
        On(page, "node-change-typed", element => element.Input("web-1"));
        On(page, "node-change-submit", element => element.Click());

        var seen = await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Revoked);
        Assert.Equal("stolen.", seen.FindNode("web-1")!.Identity!.RevokedReason);
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=node-change-dialog]")), Safety);
    }

    private async Task<IReadOnlyList<AuditEntry>> AuditAsync(string action) => (await _hub.History.AuditAsync(new HistoryFilter { Kind = action }, null, 50, Xunit.TestContext.Current.CancellationToken)).Items;

    private static NodeIdentityView Identity(double days) => new()
    {
        NodeId = "0123456789abcdef0123456789abcdef",
        JoinedAt = TimeProvider.System.GetUtcNow().AddDays(-40),
        Serial = "4b0f",
        IssuedAt = TimeProvider.System.GetUtcNow().AddDays(days - 30),
        NotAfter = TimeProvider.System.GetUtcNow().AddDays(days),
        Renewals = 1,
    };

    private void Show(NodeView node) => Fleet.Publish(Fresh() with { Nodes = [node] });

    /// <summary>The page as an admin sees it.</summary>
    private IRenderedComponent<PageFrame> Open<T>(params (string Name, object? Value)[] parameters)
        where T : IComponent => Render<PageFrame>(frame => frame.Add(f => f.Page, builder =>
        {
            builder.OpenComponent<CascadingValue<Actor>>(0);
            builder.AddComponentParameter(1, "Value", Admin);
            builder.AddComponentParameter(2, "ChildContent", (RenderFragment)(inner =>
            {
                inner.OpenComponent<T>(0);
                foreach ((string name, object? value) in parameters)
                {
                    inner.AddComponentParameter(1, name, value);
                }

                inner.CloseComponent();
            }));
            builder.CloseComponent();
        }));
}
