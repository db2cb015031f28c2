using System.Collections.Immutable;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Api.Description;

namespace FailoverHub.Web.Api.Alerts;

/// <summary>Times in which nobody is told: planned, ended and removed by whoever may operate.</summary>
internal static class MaintenanceEndpoints
{
    private const string Tag = "Alerts";

    public static void MapReads(IEndpointRouteBuilder api)
    {
        api.MapGet("/maintenance-windows", ListAsync).WithTags(Tag).WithName("listMaintenanceWindows").WithSummary("Maintenance windows, those planned last first")
            .WithQuery(QueryParameter.Cursor, QueryParameter.Limit(500, 100), QueryParameter.Words("state", "Only planned ones, those in force, or those that are over.", [.. Enum.GetValues<MaintenanceState>().Select(ApiWords.Kebab)]))
            .Produces<PageDto<MaintenanceWindowDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/maintenance-windows/{id}", FindAsync).WithTags(Tag).WithName("getMaintenanceWindow").WithSummary("One maintenance window")
            .Produces<MaintenanceWindowDto>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    public static void MapChanges(IEndpointRouteBuilder api)
    {
        api.MapPost("/maintenance-windows", PlanAsync).WithTags(Tag).WithName("planMaintenance").WithSummary("Tell nobody of what is wrong with something for a time")
            .WithDescription("Alerts that it covers are raised, shown with the reason and kept quiet, as far as their rules say quietInMaintenance. What is still wrong when it ends is told then. Windows may overlap.")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<MaintenanceWindowBody>).Produces<MaintenanceWindowDto>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapPost("/maintenance-windows/{id}/end", EndAsync).WithTags(Tag).WithName("endMaintenance").WithSummary("End a window that is in force before its time")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<MaintenanceEndBody>).Produces<MaintenanceWindowDto>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapDelete("/maintenance-windows/{id}", RemoveAsync).WithTags(Tag).WithName("removeMaintenance").WithSummary("Remove a window that has not begun, or is over")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> ListAsync(HttpContext context, MaintenanceDesk desk, TimeProvider time)
    {
        var query = new ApiQuery(context);
        int limit = query.Limit(500, 100);
        string? word = query.Choice("state", [.. Enum.GetValues<MaintenanceState>().Select(ApiWords.Kebab)]);
        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        MaintenanceState? state = word is not null && ApiWords.TryParseKebab(word, out MaintenanceState chosen) ? chosen : null;
        ImmutableArray<MaintenanceWindow> found = await desk.ListAsync(state, query.Text("cursor"), limit + 1, context.RequestAborted);
        DateTimeOffset now = time.GetUtcNow();
        return TypedResults.Ok(new PageDto<MaintenanceWindowDto>([.. found.Take(limit).Select(w => w.ToDto(now))], found.Length > limit ? found[limit - 1].Id : null));
    }

    private static async Task<IResult> FindAsync(string id, MaintenanceDesk desk, TimeProvider time, CancellationToken stop) =>
        await desk.FindAsync(id, stop) is { } window ? TypedResults.Ok(window.ToDto(time.GetUtcNow())) : ApiProblems.NotFound($"There is no maintenance window with the id '{id}'.");

    private static async Task<IResult> PlanAsync(HttpContext context, MaintenanceDesk desk, TimeProvider time)
    {
        (MaintenanceWindowBody? body, IResult? problem) = await ApiBody.ReadAsync<MaintenanceWindowBody>(context);
        if (body is null)
        {
            return problem!;
        }

        if (!ApiWords.TryParseKebab(body.Scope, out MaintenanceScope scope))
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { ["scope"] = $"Write {ApiWords.Choices<MaintenanceScope>()}." });
        }

        var request = new MaintenanceRequest { Scope = scope, Target = body.Target, From = body.From, To = body.Until, Reason = body.Reason };
        return Answer(await desk.PlanAsync(request, RequestActor.Of(context), context.RequestAborted), window => TypedResults.Created($"/api/v1/maintenance-windows/{window.Id}", window.ToDto(time.GetUtcNow())));
    }

    private static async Task<IResult> EndAsync(string id, HttpContext context, MaintenanceDesk desk, TimeProvider time)
    {
        (MaintenanceEndBody? body, IResult? problem) = await ApiBody.ReadAsync<MaintenanceEndBody>(context);
        return body is null ? problem! : Answer(await desk.EndAsync(id, body.Reason, RequestActor.Of(context), context.RequestAborted), window => TypedResults.Ok(window.ToDto(time.GetUtcNow())));
    }

    private static async Task<IResult> RemoveAsync(string id, HttpContext context, MaintenanceDesk desk) =>
        Answer(await desk.RemoveAsync(id, RequestActor.Of(context), context.RequestAborted), _ => TypedResults.NoContent());

    private static IResult Answer(MaintenanceResult result, Func<MaintenanceWindow, IResult> good) => result switch
    {
        MaintenanceResult.Done done => good(done.Window),
        MaintenanceResult.Invalid invalid => ApiProblems.Malformed(StatusCodes.Status400BadRequest, invalid.Problems),
        MaintenanceResult.NotFound notFound => ApiProblems.NotFound(notFound.What),
        MaintenanceResult.TooLate late => TypedResults.Problem(late.Why, statusCode: StatusCodes.Status409Conflict, title: "Not in this state"),
        MaintenanceResult.Forbidden forbidden => TypedResults.Problem(forbidden.Why, statusCode: StatusCodes.Status403Forbidden, title: "Not allowed"),
        MaintenanceResult.Unavailable unavailable => ApiBody.Unavailable(unavailable.Why),
        _ => throw new InvalidOperationException($"No answer for {result.GetType().Name}."),
    };
}
