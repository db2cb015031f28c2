using FailoverHub.Web.Agents;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FailoverHub.Web.Configuration;

/// <summary>Fleet, operations, history, the agents' endpoint and the database: what the hub is without its interfaces.</summary>
internal static class HubCore
{
    // A report of a node with 4,096 prefixes stays well below.
    private const int MaxMessageBytes = 1024 * 1024;

    /// <summary>Registers all of it. <see cref="IReachability"/> is used when it is registered, by whomever.</summary>
    /// <exception cref="DataFolderException">The data folder cannot be written.</exception>
    public static IServiceCollection AddHubCore(this IServiceCollection services, string dataFolder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddHubDatabase(dataFolder);
        services.AddSingleton<HubWriter>();

        services.AddSingleton<HistoryChanges>();
        services.AddSingleton<EventLog>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<SqliteHistory>();
        services.AddSingleton<IHistory>(p => p.GetRequiredService<SqliteHistory>());

        services.AddSingleton<FleetStore>();
        services.AddSingleton<IFleetView>(p => p.GetRequiredService<FleetStore>());

        services.AddSingleton<OperationStore>();
        services.AddSingleton<OperationFeed>();
        services.AddSingleton(p => new OperationServices(
            p.GetRequiredService<OperationStore>(),
            p.GetRequiredService<FleetStore>(),
            p.GetRequiredService<OperationFeed>(),
            p.GetService<IReachability>(),
            p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<OperationSettlement>();
        services.AddSingleton<OperationDesk>();
        services.AddSingleton<IOperations>(p => p.GetRequiredService<OperationDesk>());

        services.AddSingleton<AgentLinkServices>();
        services.AddGrpc(options => options.MaxReceiveMessageSize = MaxMessageBytes);
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            // A dead peer is found within 15 s, also when it has nothing to say.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(5);
        });

        services.AddSingleton(p => new HubRooms(
            p.GetRequiredService<IDbContextFactory<HubDbContext>>(),
            p.GetRequiredService<HubWriter>(),
            p.GetRequiredService<FleetStore>(),
            p.GetRequiredService<SqliteHistory>(),
            p.GetRequiredService<OperationSettlement>(),
            p.GetRequiredService<OperationDesk>()));
        services.AddHostedService<HubLifetime>();
        return services;
    }

    /// <summary>Maps the agents' gRPC service; it needs HTTP/2 on its port.</summary>
    public static IEndpointConventionBuilder MapAgentLink(this IEndpointRouteBuilder endpoints) => endpoints.MapGrpcService<AgentLinkService>();
}

/// <summary>The owners that begin and end in order.</summary>
internal sealed record HubRooms(
    IDbContextFactory<HubDbContext> Database,
    HubWriter Writer,
    FleetStore Fleet,
    SqliteHistory History,
    OperationSettlement Settlement,
    OperationDesk Desk);

/// <summary>
/// Begins the hub's owners before any port is open and ends them after the ports are closed: who asks for operations first, then who
/// settles them, then the present, then the writer, which takes what the others still had to say.
/// </summary>
internal sealed class HubLifetime(HubRooms rooms, DataFolder folder) : IHostedService
{
    private IDisposable? _lock;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _lock = folder.LockForHub();
        await HubDatabase.MigrateAsync(rooms.Database, cancellationToken);
        await rooms.History.StartAsync(cancellationToken);
        var stored = await FleetRecords.LoadAsync(rooms.Database, cancellationToken);
        rooms.Writer.Start();
        rooms.Fleet.Start(stored);
        await rooms.Settlement.StartAsync(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await rooms.Desk.DisposeAsync();
        await rooms.Settlement.DisposeAsync();
        await rooms.Fleet.DisposeAsync();
        await rooms.Writer.DisposeAsync();
        _lock?.Dispose();
    }
}
