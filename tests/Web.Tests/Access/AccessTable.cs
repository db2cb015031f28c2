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
    private const string Approvers = "approve admin";
    private const string Administrators = "admin";
    private const string Admins = "Admin";

    public static IReadOnlyDictionary<string, string> Rows { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["DELETE /api/v1/alert-channels/{id}"] = Administrators,
        ["DELETE /api/v1/alert-rules/{id}"] = Administrators,
        ["DELETE /api/v1/api-tokens/{name}"] = Administrators,
        ["DELETE /api/v1/join-tokens/{id}"] = Administrators,
        ["DELETE /api/v1/maintenance-windows/{id}"] = Operators,
        ["DELETE /api/v1/targets/{target}"] = Operators,
        ["DELETE /api/v1/users/{user}"] = Administrators,
        ["GET /_framework/opaque-redirect"] = Viewers,
        ["GET /api/v1/alert-channels"] = Administrators,
        ["GET /api/v1/alert-channels/{id}"] = Administrators,
        ["GET /api/v1/alert-channels/{id}/deliveries"] = Administrators,
        ["GET /api/v1/alert-rules"] = Readers,
        ["GET /api/v1/alert-rules/{id}"] = Readers,
        ["GET /api/v1/alerts"] = Readers,
        ["GET /api/v1/alerts/{id}"] = Readers,
        ["GET /api/v1/api-tokens"] = Administrators,
        ["GET /api/v1/audit"] = AuditReaders,
        ["GET /api/v1/audit/chain"] = AuditReaders,
        ["GET /api/v1/audit/checkpoints"] = AuditReaders,
        ["GET /api/v1/audit/export"] = AuditReaders,
        ["GET /api/v1/audit/verify"] = AuditReaders,
        ["GET /api/v1/events"] = Readers,
        ["GET /api/v1/events/export"] = Readers,
        ["GET /api/v1/join-tokens"] = Readers,
        ["GET /api/v1/maintenance-windows"] = Readers,
        ["GET /api/v1/maintenance-windows/{id}"] = Readers,
        ["GET /api/v1/nodes"] = Readers,
        ["GET /api/v1/nodes/{node}"] = Readers,
        ["GET /api/v1/operations"] = Readers,
        ["GET /api/v1/operations/{id}"] = Readers,
        ["GET /api/v1/operations/{id}/report"] = Readers,
        ["GET /api/v1/operations/{id}/story"] = AuditReaders,
        ["GET /api/v1/pairs"] = Readers,
        ["GET /api/v1/pairs/{pair}"] = Readers,
        ["GET /api/v1/pairs/{pair}/outages"] = Readers,
        ["GET /api/v1/reachability"] = Readers,
        ["GET /api/v1/reachability/{target}"] = Readers,
        ["GET /api/v1/reachability/{target}/samples"] = Readers,
        ["GET /api/v1/vantage-points"] = Readers,
        ["GET /api/v1/settings/retention"] = Readers,
        ["GET /api/v1/targets"] = Readers,
        ["GET /api/v1/targets/{target}"] = Readers,
        ["GET /api/v1/users"] = Administrators,
        ["GET /api/v1/users/{user}"] = Administrators,
        ["GET /openapi/{documentName}.json"] = Readers,
        ["GET /setup"] = Admins,
        ["GET /sign-in"] = Everybody,
        ["GET /sign-in/next"] = Everybody,
        ["GET /sign-in/provider"] = Everybody,
        ["GET /sign-in/provider/callback"] = Everybody,
        ["GET /{**path:file}"] = Viewers,
        ["HEAD /{**path:file}"] = Viewers,
        ["POST /account/passkeys/"] = Viewers,
        ["POST /account/passkeys/options"] = Viewers,
        ["POST /api/v1/alert-channels"] = Administrators,
        ["POST /api/v1/alert-channels/{id}"] = Administrators,
        ["POST /api/v1/alert-channels/{id}/test"] = Administrators,
        ["POST /api/v1/alert-rules"] = Administrators,
        ["POST /api/v1/alert-rules/{id}"] = Administrators,
        ["POST /api/v1/alerts/{id}/acknowledge"] = Operators,
        ["POST /api/v1/alerts/{id}/shelve"] = Operators,
        ["POST /api/v1/alerts/{id}/unacknowledge"] = Operators,
        ["POST /api/v1/alerts/{id}/unshelve"] = Operators,
        ["POST /api/v1/api-tokens"] = Administrators,
        ["POST /api/v1/audit/checkpoints"] = Administrators,
        ["POST /api/v1/join-tokens"] = Administrators,
        ["POST /api/v1/maintenance-windows"] = Operators,
        ["POST /api/v1/maintenance-windows/{id}/end"] = Operators,
        ["POST /api/v1/nodes/{node}/operations"] = Operators,
        ["POST /api/v1/nodes/{node}/operations/preview"] = Operators,
        ["POST /api/v1/nodes/{node}/remove"] = Administrators,
        ["POST /api/v1/nodes/{node}/rename"] = Administrators,
        ["POST /api/v1/nodes/{node}/revoke"] = Administrators,
        ["POST /api/v1/operations"] = Operators,
        ["POST /api/v1/operations/preview"] = Operators,
        ["POST /api/v1/operations/{id}/approve"] = Approvers,
        ["POST /api/v1/operations/{id}/cancel"] = Operators,
        ["POST /api/v1/operations/{id}/reject"] = Approvers,
        ["POST /api/v1/pairs/{pair}/members"] = Administrators,
        ["POST /api/v1/pairs/{pair}/operations"] = Operators,
        ["POST /api/v1/pairs/{pair}/operations/preview"] = Operators,
        ["POST /api/v1/settings/retention"] = Administrators,
        ["POST /api/v1/targets"] = Operators,
        ["POST /api/v1/users"] = Administrators,
        ["POST /api/v1/users/{user}/lock"] = Administrators,
        ["POST /api/v1/users/{user}/reset"] = Administrators,
        ["POST /api/v1/users/{user}/roles"] = Administrators,
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
        ["any /failoverhub.v1.Enrollment/{unimplementedMethod:grpcunimplemented}"] = Everybody,
        ["any /metrics"] = Readers,
        ["any /healthz/live"] = Everybody,
        ["any /healthz/ready"] = Everybody,
        ["any /{unimplementedService}/{unimplementedMethod:grpcunimplemented}"] = Everybody,
        ["PUT /api/v1/targets/{target}"] = Operators,
        ["SignalR /hubs/fleet"] = Readers,
        ["SignalR /hubs/fleet/negotiate"] = Readers,
        ["SignalR FleetHub.WatchEvents"] = Readers,
        ["SignalR FleetHub.WatchFleet"] = Readers,
        ["SignalR FleetHub.WatchOperations"] = Readers,
        ["gRPC /failoverhub.v1.AgentLink/Connect"] = Everybody,
        ["gRPC /failoverhub.v1.Enrollment/GetAuthority"] = Everybody,
        ["gRPC /failoverhub.v1.Enrollment/Join"] = Everybody,
        ["gRPC /failoverhub.v1.Enrollment/Renew"] = Everybody,
        ["page /"] = Viewers,
        ["page /account"] = Viewers,
        ["page /alerts"] = Viewers,
        ["page /alerts/maintenance"] = Viewers,
        ["page /alerts/{Id}"] = Viewers,
        ["page /audit"] = Auditors,
        ["page /events"] = Viewers,
        ["page /nodes"] = Viewers,
        ["page /nodes/add"] = Viewers,
        ["page /nodes/{Name}"] = Viewers,
        ["page /not-found"] = Viewers,
        ["page /operations"] = Viewers,
        ["page /reachability"] = Viewers,
        ["page /reachability/{*Id}"] = Viewers,
        ["page /operations/bulk-drain"] = Viewers,
        ["page /operations/{Id}"] = Viewers,
        ["page /pairs/{Name}"] = Viewers,
        ["page /settings/alert-channels"] = Admins,
        ["page /settings/alert-rules"] = Admins,
        ["page /settings/retention"] = Admins,
        ["page /settings/tokens"] = Admins,
        ["page /settings/users"] = Admins,
        ["static files"] = Everybody,
    };

    /// <summary>
    /// What those get who are let in and bring nothing along: no body, no form, a name that nothing has. Most reads answer 200; here stands what does not.
    /// That it is not 401 or 403 is what counts, and that it is the same for all of them.
    /// </summary>
    public static IReadOnlyDictionary<string, int> Answers { get; } = new Dictionary<string, int>(StringComparer.Ordinal)
    {
    };

    /// <summary>How a way is asked that takes any method.</summary>
    public static IReadOnlyList<string> MethodsOfAny { get; } = ["GET", "POST"];

    /// <summary>Whether the way is open to somebody.</summary>
    public static bool LetsIn(string way, string who) => Rows.TryGetValue(way, out string? some) && (some == Everybody || some.Split(' ').Contains(who));

    /// <summary>The status for somebody who is let in.</summary>
    public static int AnswerOf(string way, string method, string who) =>
        Answers.TryGetValue($"{way} {who}", out int his) || Answers.TryGetValue($"{way} {method}", out his) || Answers.TryGetValue(way, out his) ? his : 200;

    /// <summary>Where a token counts; elsewhere it is as good as none.</summary>
    public static bool IsForScripts(string path) => path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/openapi/", StringComparison.Ordinal) || path.StartsWith("/hubs/", StringComparison.Ordinal) || path == "/metrics";

    /// <summary>What a SignalR method is called with so that it has something to tell at once.</summary>
    public static object?[] ArgumentsOf(string method) => method == "WatchEvents" ? [0L] : [];
}
