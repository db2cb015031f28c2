using FailoverHub.Web.Access;
using FailoverHub.Web.Configuration;
using OpenTelemetry.Metrics;

namespace FailoverHub.Web.Telemetry;

/// <summary>What the hub tells of itself: /metrics for Prometheus.</summary>
internal static class HubTelemetry
{
    public const string Path = "/metrics";

    public static IServiceCollection AddHubTelemetry(this IServiceCollection services)
    {
        services.AddSingleton<MeteredRooms>();
        services.AddSingleton<HubMetrics>();
        services.AddSingleton<OperationCounts>();
        services.AddHostedService(p => p.GetRequiredService<OperationCounts>());
        services.AddSingleton<AlertCounts>();
        services.AddSingleton<VantageCounts>();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(HubMetrics.MeterName, "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting")
            .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));
        return services;
    }

    /// <summary>For whoever may read: Prometheus sends a token of scope read (`authorization` in its configuration).</summary>
    public static void MapHubTelemetry(this IEndpointRouteBuilder app)
    {
        // Who listens first, so that what begins at zero is heard; then who speaks, which nobody else asks for.
        app.ServiceProvider.GetRequiredService<MeterProvider>();
        app.ServiceProvider.GetRequiredService<HubMetrics>();
        app.ServiceProvider.GetRequiredService<AlertCounts>();
        app.ServiceProvider.GetRequiredService<VantageCounts>();
        app.MapPrometheusScrapingEndpoint(Path).WithMetadata(ServedOn.Browser).RequireAuthorization(AccessPolicies.ApiRead).RequireRateLimiting(AccessLimits.Api);
    }
}
