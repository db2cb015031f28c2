using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Alerts;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Api.Exports;
using FailoverHub.Web.Api.Fleet;
using FailoverHub.Web.Api.History;
using FailoverHub.Web.Api.Identity;
using FailoverHub.Web.Api.Live;
using FailoverHub.Web.Api.Operations;
using FailoverHub.Web.Api.Reachability;
using FailoverHub.Web.Api.Repeats;
using FailoverHub.Web.Api.Tokens;
using FailoverHub.Web.Api.Users;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data.Requests;
using Microsoft.AspNetCore.Mvc;

namespace FailoverHub.Web.Api;

/// <summary>The interface that scripts rely on: /api/v1, and its description at /openapi/v1.json.</summary>
internal static class HubApi
{
    public static IServiceCollection AddHubApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json => ApiJson.Apply(json.SerializerOptions));
        services.AddProblemDetails();
        services.AddSingleton<RequestKeys>();
        services.AddSingleton<IdempotencyKey>();
        services.AddOpenApi("v1", ApiDescription.Configure);
        services.AddLiveApi();
        return services;
    }

    public static void MapHubApi(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder api = app.MapGroup("/api/v1").WithMetadata(ServedOn.Browser);

        // Reading: a signed-in browser or any token. Every problem is described once, here.
        RouteGroupBuilder read = api.MapGroup("").RequireAuthorization(AccessPolicies.ApiRead).RequireRateLimiting(AccessLimits.Api)
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status429TooManyRequests).ProducesProblem(StatusCodes.Status500InternalServerError);
        FleetEndpoints.Map(read);
        OperationEndpoints.MapReads(read);
        HistoryEndpoints.Map(read);
        ExportEndpoints.Map(read);
        ReachabilityEndpoints.Map(read);
        TargetEndpoints.MapReads(read);
        IdentityEndpoints.MapReads(read);
        RetentionEndpoints.MapReads(read);
        AlertEndpoints.MapReads(read);
        AlertSettingEndpoints.MapReads(read);
        MaintenanceEndpoints.MapReads(read);

        // Changing: a token of scope operate, never a cookie, so that no other page can do it through a signed-in browser.
        RouteGroupBuilder change = api.MapGroup("").RequireAuthorization(AccessPolicies.ApiOperate).RequireRateLimiting(AccessLimits.Api)
            .WithMetadata(new RequestSizeLimitAttribute(OperationBodyReader.MaximumBytes))
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status500InternalServerError);
        TargetEndpoints.MapChanges(change);
        OperationEndpoints.MapChanges(change);
        DecisionEndpoints.MapChanges(change);
        AlertEndpoints.MapChanges(change);
        MaintenanceEndpoints.MapChanges(change);

        // Who may connect: a token of scope admin.
        RouteGroupBuilder administer = api.MapGroup("").RequireAuthorization(AccessPolicies.ApiAdmin).RequireRateLimiting(AccessLimits.Api)
            .WithMetadata(new RequestSizeLimitAttribute(OperationBodyReader.MaximumBytes))
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status500InternalServerError);
        IdentityEndpoints.MapChanges(administer);
        UserEndpoints.Map(administer);
        ApiTokenEndpoints.Map(administer);
        RetentionEndpoints.MapChanges(administer);
        AlertSettingEndpoints.MapAdministration(administer);

        // Approving: a right of its own, which whoever asks for operations need not have.
        RouteGroupBuilder approve = api.MapGroup("").RequireAuthorization(AccessPolicies.ApiApprove).RequireRateLimiting(AccessLimits.Api)
            .WithMetadata(new RequestSizeLimitAttribute(OperationBodyReader.MaximumBytes))
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status500InternalServerError);
        DecisionEndpoints.MapApprovals(approve);

        app.MapLiveApi();

        // Without this a misspelt call would be answered with the dashboard's page.
        api.Map("/{**rest}", (HttpContext context) => ApiProblems.NotFound($"There is no {context.Request.Method} {context.Request.Path}. /openapi/v1.json lists what there is."))
            .RequireAuthorization(AccessPolicies.ApiRead).RequireRateLimiting(AccessLimits.Api).ExcludeFromDescription();

        app.MapOpenApi("/openapi/{documentName}.json").RequireAuthorization(AccessPolicies.ApiRead).RequireRateLimiting(AccessLimits.Api).WithMetadata(ServedOn.Browser);
    }
}
