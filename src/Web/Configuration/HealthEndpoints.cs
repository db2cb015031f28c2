using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FailoverHub.Web.Configuration;

/// <summary>Live: the process answers. Ready: the hub has started and its database can be read.</summary>
internal static class HealthEndpoints
{
    public static IServiceCollection AddHubHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<Started>("started").AddCheck<Database>("database");
        return services;
    }

    /// <summary>Without signing in: whoever restarts a dead hub has no token, and the answers tell one word.</summary>
    public static void MapHubHealth(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder health = app.MapGroup("/healthz").WithMetadata(ServedOn.Browser).AllowAnonymous();
        health.MapHealthChecks("/live", new HealthCheckOptions { Predicate = _ => false });
        health.MapHealthChecks("/ready").RequireRateLimiting(AccessLimits.Api);
    }

    private sealed class Started(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) =>
            Task.FromResult(lifetime.ApplicationStarted.IsCancellationRequested && !lifetime.ApplicationStopping.IsCancellationRequested
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("The hub is starting or stopping."));
    }

    private sealed class Database(IServiceProvider services) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
        {
            try
            {
                await HubDatabase.ReadAsync(services, cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (System.Data.Common.DbException exception)
            {
                return HealthCheckResult.Unhealthy("The database cannot be read.", exception);
            }
        }
    }
}
