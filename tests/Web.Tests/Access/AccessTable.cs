namespace FailoverHub.Web.Tests.Access;

/// <summary>Who may take which way into the hub: roles of signed-in people, then scopes of tokens. A new way gets its row here, in the commit that makes it.</summary>
internal static class AccessTable
{
    private const string Everybody = "everybody";
    private const string Viewers = "Viewer Operator Approver Auditor Admin";
    private const string Readers = Viewers + " read operate approve admin";
    private const string Auditors = "Operator Approver Auditor Admin";
    private const string AuditReaders = Auditors + " read operate approve admin";
    private const string Operators = "operate admin";
    private const string Admins = "Admin";

    public static IReadOnlyDictionary<string, string> Rows { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["GET /_framework/opaque-redirect"] = Viewers,
        ["GET /api/v1/audit"] = AuditReaders,
        ["GET /api/v1/audit/chain"] = AuditReaders,
        ["GET /api/v1/audit/checkpoints"] = AuditReaders,
        ["GET /api/v1/audit/export"] = AuditReaders,
        ["GET /api/v1/audit/verify"] = AuditReaders,
        ["GET /api/v1/events"] = Readers,
        ["GET /api/v1/events/export"] = Readers,
        ["GET /api/v1/nodes"] = Readers,
        ["GET /api/v1/nodes/{node}"] = Readers,
        ["GET /api/v1/operations"] = Readers,
        ["GET /api/v1/operations/{id}"] = Readers,
        ["GET /api/v1/operations/{id}/story"] = AuditReaders,
        ["GET /api/v1/pairs"] = Readers,
        ["GET /api/v1/pairs/{pair}"] = Readers,
        ["GET /api/v1/reachability"] = Readers,
        ["GET /api/v1/reachability/{target}"] = Readers,
        ["GET /api/v1/reachability/{target}/samples"] = Readers,
        ["GET /openapi/{documentName}.json"] = Readers,
        ["GET /setup"] = Admins,
        ["GET /sign-in"] = Everybody,
        ["GET /sign-in/next"] = Everybody,
        ["GET /sign-in/provider"] = Everybody,
        ["GET /{**path:file}"] = Viewers,
        ["HEAD /{**path:file}"] = Viewers,
        ["POST /account/passkeys/"] = Viewers,
        ["POST /account/passkeys/options"] = Viewers,
        ["POST /api/v1/nodes/{node}/operations"] = Operators,
        ["POST /api/v1/nodes/{node}/operations/preview"] = Operators,
        ["POST /api/v1/operations"] = Operators,
        ["POST /api/v1/operations/preview"] = Operators,
        ["POST /api/v1/operations/{id}/cancel"] = Operators,
        ["POST /api/v1/pairs/{pair}/operations"] = Operators,
        ["POST /api/v1/pairs/{pair}/operations/preview"] = Operators,
        ["POST /setup"] = Admins,
        ["POST /sign-in"] = Everybody,
        ["POST /sign-in/next"] = Everybody,
        ["POST /sign-in/passkey/"] = Everybody,
        ["POST /sign-in/passkey/options"] = Everybody,
        ["POST /sign-in/password"] = Everybody,
        ["POST /sign-out"] = Everybody,
        ["any /_blazor"] = Viewers,
        ["any /_blazor/disconnect/"] = Viewers,
        ["any /_blazor/initializers/"] = Viewers,
        ["any /_blazor/negotiate"] = Viewers,
        ["any /api/v1/{**rest}"] = Readers,
        ["any /failoverhub.v1.AgentLink/{unimplementedMethod:grpcunimplemented}"] = Everybody,
        ["any /metrics"] = Readers,
        ["any /healthz/live"] = Everybody,
        ["any /healthz/ready"] = Everybody,
        ["any /{unimplementedService}/{unimplementedMethod:grpcunimplemented}"] = Everybody,
        ["SignalR /hubs/fleet"] = Readers,
        ["SignalR /hubs/fleet/negotiate"] = Readers,
        ["SignalR FleetHub.WatchEvents"] = Readers,
        ["SignalR FleetHub.WatchFleet"] = Readers,
        ["SignalR FleetHub.WatchOperations"] = Readers,
        ["gRPC /failoverhub.v1.AgentLink/Connect"] = Everybody,
        ["page /"] = Viewers,
        ["page /account"] = Viewers,
        ["page /audit"] = Auditors,
        ["page /events"] = Viewers,
        ["page /nodes"] = Viewers,
        ["page /nodes/{Name}"] = Viewers,
        ["page /not-found"] = Viewers,
        ["page /operations"] = Viewers,
        ["page /operations/{Id}"] = Viewers,
        ["page /pairs/{Name}"] = Viewers,
        ["page /settings/tokens"] = Admins,
        ["page /settings/users"] = Admins,
        ["static files"] = Everybody,
    };
}
