using FailoverHub.Web.Access;
using FailoverHub.Web.Configuration;
using Microsoft.AspNetCore.Http.Connections;

namespace FailoverHub.Web.Api.Live;

/// <summary>The SignalR hub as a part of the API.</summary>
internal static class LiveApi
{
    public static IServiceCollection AddLiveApi(this IServiceCollection services)
    {
        services.AddSingleton<LiveClients>();
        services.AddSingleton<LiveAccess>();
        services.AddSingleton<LiveSources>();
        services.AddSignalR()
            .AddHubOptions<FleetHub>(hub =>
            {
                hub.KeepAliveInterval = TimeSpan.FromSeconds(5);
                hub.ClientTimeoutInterval = TimeSpan.FromSeconds(20);

                // Nothing that a client may say is larger than the number of an event.
                hub.MaximumReceiveMessageSize = 4 * 1024;
                hub.MaximumParallelInvocationsPerClient = FleetHub.MaxStreams;
            })
            .AddJsonProtocol(json => ApiJson.Apply(json.PayloadSerializerOptions));
        return services;
    }

    public static void MapLiveApi(this IEndpointRouteBuilder app) =>
        app.MapHub<FleetHub>(FleetHub.Path, connection =>
        {
            // A WebSocket, or where a proxy allows none a stream of events; long polling would ask a hundred times what one stream tells.
            connection.Transports = HttpTransportType.WebSockets | HttpTransportType.ServerSentEvents;
            connection.CloseOnAuthenticationExpiration = true;
        }).RequireAuthorization(AccessPolicies.ApiRead).RequireRateLimiting(AccessLimits.Api).WithMetadata(ServedOn.Browser);
}
