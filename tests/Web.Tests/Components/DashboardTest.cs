using AngleSharp.Dom;
using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Stories;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;

namespace FailoverHub.Web.Tests.Components;

/// <summary>The dashboard's services over fakes of the other rooms, with MudBlazor's providers beside the component.</summary>
public abstract class DashboardTest : BunitContext
{
    /// <summary>Long past anything that a slow machine needs; a test that works never waits for it.</summary>
    protected static readonly TimeSpan Safety = TimeSpan.FromSeconds(20);

    protected DashboardTest()
    {
        JSInterop.Mode = JSRuntimeMode.Loose;
        Services.AddMudServices();
        Services.AddSingleton(TimeProvider.System);
        Services.AddScoped<BrowserInterop>();
        Services.AddSingleton<IFleetView>(Fleet);
        Services.AddSingleton<IReachability>(Reachability);
        Services.AddSingleton<IProbedTargets>(Reachability);
        Services.AddSingleton<IReachabilityHistory>(Reachability);
        Services.AddSingleton<FailoverHub.Web.Reachability.Outages.IOutages>(Reachability);
        Services.AddSingleton<IOperations>(Operations);
        Services.AddSingleton<IAlerts>(ActiveAlerts);
        Services.AddSingleton<IMaintenance>(Maintenance);
        Services.AddSingleton<IHistory>(History);
        Services.AddSingleton<LongReads>();
        Services.AddSingleton<OperationTrails>();
        Services.AddAuthorizationCore(rules =>
        {
            foreach (string policy in (string[])[AccessPolicies.PageView, AccessPolicies.PageAudit, AccessPolicies.PageOperate, AccessPolicies.PageApprove, AccessPolicies.PageAdmin])
            {
                rules.AddPolicy(policy, asked => asked.RequireAssertion(_ => SignedIn));
            }
        });
        Services.AddSingleton<IAuthorizationService, DefaultAuthorizationService>();
        Services.AddSingleton<AuthenticationStateProvider, Visitor>();
        Services.AddSingleton<PageRights>();
    }

    /// <summary>The session of whoever looks at the page is open.</summary>
    internal bool SignedIn { get; set; } = true;

    internal FakeFleet Fleet { get; } = new();

    internal FakeReachability Reachability { get; } = new();

    internal FakeOperations Operations { get; } = new();

    internal FakeHistory History { get; } = new();

    internal FakeAlerts ActiveAlerts { get; } = new();

    internal FakeMaintenance Maintenance { get; } = new();

    internal static Actor Somebody { get; } = new("operator", "192.0.2.1", null) { Rights = Rights.View | Rights.Audit | Rights.Operate };

    /// <summary>The component, the dialogs and popovers it opens, and what the layout tells every page.</summary>
    protected IRenderedComponent<PageFrame> RenderPage<T>(params (string Name, object? Value)[] parameters)
        where T : IComponent => Render<PageFrame>(frame => frame.Add(f => f.Page, builder =>
        {
            builder.OpenComponent<T>(0);
            foreach ((string name, object? value) in parameters)
            {
                builder.AddComponentParameter(1, name, value);
            }

            builder.CloseComponent();
        }));

    /// <summary>Finds and acts in one go on the renderer's own dispatcher: a page that lives repaints between two calls.</summary>
    protected static void On(IRenderedComponent<PageFrame> page, string testId, Action<IElement> act) =>
        page.InvokeAsync(() => act(page.Find($"[data-testid={testId}]"))).GetAwaiter().GetResult();

    /// <summary>A fleet whose facts are of this moment: for pages, which read the clock.</summary>
    internal static FleetSnapshot Fresh(params PairView[] pairs) => Make.Fleet([.. pairs]) with { At = DateTimeOffset.UtcNow };

    private sealed class Visitor : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() =>
            Task.FromResult(new AuthenticationState(AccessPolicies.Person("operator", [HubRoles.Operator], "test")));
    }

    /// <summary>For pages that change what only an admin may: the room behind them asks for that right too.</summary>
    internal sealed class AdminVisitor : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() =>
            Task.FromResult(new AuthenticationState(AccessPolicies.Person("ann", [HubRoles.Admin], "test")));
    }
}
