using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Agents;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Data;
using FailoverHub.Web.Data.Backup;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Retention;
using FailoverHub.Web.History.Stories;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Identity.Past;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Operations.Waiting;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Answering;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Telemetry.Traces;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FailoverHub.Web.Configuration;

/// <summary>Fleet, operations, history, the agents' endpoint and the database: what the hub is without its interfaces.</summary>
internal static class HubCore
{
    // A report of a node with the most prefixes that an agent takes, each with a sentence of why it is held back, stays below.
    private const int MaxMessageBytes = 4 * 1024 * 1024;

    /// <summary>Registers all of it. <see cref="IReachability"/> is used when it is registered, by whomever.</summary>
    /// <exception cref="DataFolderException">The data folder cannot be written.</exception>
    public static IServiceCollection AddHubCore(this IServiceCollection services, string dataFolder, DatabaseSetting? database = null, AgentsEndpoint? endpoint = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddHubDatabase(dataFolder, database);
        services.AddSingleton<HubWriter>();

        services.AddSingleton<HistoryChanges>();
        services.AddSingleton<EventLog>();
        services.AddSingleton<AuditLog>();
        services.AddAccessAudit();
        services.AddSingleton<SqliteHistory>();
        services.AddSingleton<LongReads>();
        services.AddSingleton<IHistory>(p => p.GetRequiredService<SqliteHistory>());
        services.AddAuditCheckpoints();
        services.AddSingleton<RetentionSettings>();
        services.AddSingleton<OperationTrails>();

        services.AddSingleton<FleetStore>();
        services.AddSingleton<IFleetView>(p => p.GetRequiredService<FleetStore>());

        services.AddSingleton<OperationStore>();
        services.AddSingleton<OperationFeed>();
        services.AddSingleton<IStandingRights, StandingRights>();
        services.AddSingleton(p => new OperationServices(
            p.GetRequiredService<OperationStore>(),
            p.GetRequiredService<FleetStore>(),
            p.GetRequiredService<OperationFeed>(),
            p.GetService<IReachability>(),
            p.GetRequiredService<TimeProvider>())
        {
            Standing = p.GetRequiredService<IStandingRights>(),
            Meter = p.GetService<IMoveMeter>(),
            Limits = p.GetService<OperationLimits>() ?? new OperationLimits(),
        });
        services.AddSingleton<FreezeStore>();
        services.AddSingleton<FreezeDesk>();
        services.AddSingleton<FreezeKeeper>();
        services.AddSingleton<OperationSettlement>();
        services.AddSingleton<OperationRuns>();
        services.AddSingleton<WaitingStore>();
        services.AddSingleton<OperationAgenda>();
        services.AddSingleton<BulkRuns>();
        services.AddSingleton<DrillRuns>();
        services.AddSingleton<ComposedRuns>();
        services.AddSingleton<NodeReferences>();
        services.AddSingleton<OperationDecisions>();
        services.AddSingleton<OperationRooms>();
        services.AddSingleton<OperationDesk>();
        services.AddSingleton<IOperations>(p => p.GetRequiredService<OperationDesk>());

        services.AddSingleton(endpoint ?? AgentsEndpoint.Default);
        services.AddSingleton<HubIdentity>();
        services.AddSingleton<EndpointCertificates>();
        services.AddSingleton<NodeRegister>();
        services.AddSingleton<JoinTokens>();
        services.AddSingleton<WrongTokens>();
        services.AddSingleton<OpenJoinTokens>();
        services.AddSingleton<NodeDeskServices>();
        services.AddSingleton<NodeDesk>();
        services.AddSingleton<NodeChanges>();
        services.AddSingleton<PairAdmission>();
        services.AddSingleton<CertificateHistory>();
        services.AddSingleton<IdentityRoom>();
        services.AddSingleton<UnprovenConnections>();
        services.AddSingleton<NodeConnections>();
        services.AddSingleton<HandshakeQueue>();
        services.AddSingleton<NodeComplaints>();
        services.AddSingleton<RefusedCalls>();

        services.AddSingleton<IdentityKeys>();
        services.AddSingleton<VantageStreams>();
        services.AddSingleton<OperationTraces>();
        services.AddSingleton<AgentLinkServices>();
        services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = MaxMessageBytes;
            options.Interceptors.Add<AgentGate>();
        });
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            BrowserConnections.Bound(kestrel.Limits);

            // A dead peer is found within 15 s, also when it has nothing to say.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(5);
        });

        services.AddSingleton<HubRooms>();
        services.AddHostedService<HubLifetime>();

        // After the owner that brings the database to its newest schema.
        services.AddHostedService<RestoreAudit>();
        services.AddHostedService<RetentionLoop>();
        services.AddHostedService<RefusalReports>();
        services.AddSingleton<CheckpointLoop>();
        services.AddHostedService(p => p.GetRequiredService<CheckpointLoop>());
        return services;
    }

    /// <summary>Maps the agents' gRPC services; they need HTTP/2 on their port. <see cref="AgentGate"/> decides who may call what.</summary>
    public static void MapAgents(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<AgentLinkService>();
        endpoints.MapGrpcService<EnrollmentService>();
    }
}
