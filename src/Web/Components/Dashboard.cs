using FailoverHub.Web.Components.Live;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MudBlazor.Services;

namespace FailoverHub.Web.Components;

/// <summary>The dashboard as a room of the hub: what it needs from the container, and where it is served.</summary>
internal static class Dashboard
{
    /// <summary>Registers Blazor, MudBlazor and what pages inject beside the other rooms' interfaces.</summary>
    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents(circuits =>
        {
            // A browser that was away longer loads the page anew; its URL holds all that it showed.
            circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(2);
        }).AddHubOptions(hub =>
        {
            // The browser greys its page when it has heard nothing for 8 s (start.js), so the hub speaks oftener.
            hub.KeepAliveInterval = TimeSpan.FromSeconds(3);
            hub.ClientTimeoutInterval = TimeSpan.FromSeconds(15);
        });
        services.AddMudServices();
        services.AddCascadingAuthenticationState();
        services.AddHttpContextAccessor();
        services.AddAuthorization();
        services.TryAddSingleton(TimeProvider.System);
        services.AddScoped<BrowserInterop>();
        services.AddScoped<Pages.Reachability.TargetDesk>();
        return services;
    }

    /// <summary>Serves the pages, for signed-in people only. Static files are mapped by the caller: the sign-in page needs them too.</summary>
    public static void MapDashboard(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = "'none'")
            .RequireAuthorization(FailoverHub.Web.Access.AccessPolicies.PageView);
}
