using System.Collections.Immutable;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Api.Alerts;

/// <summary>What is wrong, what was, and who has taken it on.</summary>
internal static class AlertEndpoints
{
    private const string Tag = "Alerts";
    private static readonly string[] States = ["active", "resolved"];

    public static void MapReads(IEndpointRouteBuilder api)
    {
        api.MapGet("/alerts", ListAsync).WithTags(Tag).WithName("listAlerts").WithSummary("Alerts, active ones and those that are over, newest first")
            .WithQuery(QueryParameter.Cursor, QueryParameter.Limit(500, 100), QueryParameter.Words("state", "Only active ones, or only those that are over.", States), QueryParameter.Severity(),
                QueryParameter.Text("pair", "Name of the pair."), QueryParameter.Text("node", "Name of the node."), QueryParameter.Text("rule", "Id of the rule."), QueryParameter.Search())
            .Produces<PageDto<AlertDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/alerts/{id}", FindAsync).WithTags(Tag).WithName("getAlert").WithSummary("One alert, with who was told of it")
            .Produces<AlertStoryDto>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    public static void MapChanges(IEndpointRouteBuilder api)
    {
        Describe<AlertReasonBody>(api.MapPost("/alerts/{id}/acknowledge", (string id, HttpContext context, IAlerts alerts) => ChangeAsync<AlertReasonBody>(id, context, alerts, body => new AlertChangeRequest.Acknowledge(body.Reason))))
            .WithName("acknowledgeAlert").WithSummary("Take an alert on: nobody is reminded any more");
        Describe<AlertEmptyBody>(api.MapPost("/alerts/{id}/unacknowledge", (string id, HttpContext context, IAlerts alerts) => ChangeAsync<AlertEmptyBody>(id, context, alerts, _ => new AlertChangeRequest.Unacknowledge())))
            .WithName("unacknowledgeAlert").WithSummary("Give an alert back: people are reminded as before");
        Describe<AlertShelveBody>(api.MapPost("/alerts/{id}/shelve", (string id, HttpContext context, IAlerts alerts) => ChangeAsync<AlertShelveBody>(id, context, alerts, body => new AlertChangeRequest.Shelve(TimeSpan.FromSeconds(body.Seconds), body.Reason))))
            .WithName("shelveAlert").WithSummary("Tell nobody of an alert for a time, also when it ends and begins again meanwhile");
        Describe<AlertEmptyBody>(api.MapPost("/alerts/{id}/unshelve", (string id, HttpContext context, IAlerts alerts) => ChangeAsync<AlertEmptyBody>(id, context, alerts, _ => new AlertChangeRequest.Unshelve())))
            .WithName("unshelveAlert").WithSummary("Tell people of an alert again before its time");
    }

    private static RouteHandlerBuilder Describe<T>(RouteHandlerBuilder route) => route.WithTags(Tag).AddOpenApiOperationTransformer(ApiBody.DescribeAsync<T>)
        .Produces<AlertDto>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<IResult> ListAsync(HttpContext context, IAlerts alerts)
    {
        var query = new ApiQuery(context);
        int limit = query.Limit(500, 100);
        var filter = new AlertFilter
        {
            Active = query.Choice("state", States) switch { "active" => true, "resolved" => false, _ => null },
            MinimumSeverity = query.Word<EventSeverity>("severity"),
            Pair = query.Text("pair"),
            Node = query.Text("node"),
            RuleId = query.Text("rule"),
            Text = query.Search("text"),
        };
        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        // What is active says now what is so; on the disk its sentence may be a minute old.
        ImmutableArray<Alert> found = await alerts.ListAsync(filter, query.Text("cursor"), limit + 1, context.RequestAborted);
        var active = alerts.Current.Active.ToDictionary(a => a.Id);
        AlertDto[] page = [.. found.Take(limit).Select(a => active.GetValueOrDefault(a.Id, a).ToDto())];
        return TypedResults.Ok(new PageDto<AlertDto>(page, found.Length > limit ? page[^1].Id : null));
    }

    private static async Task<IResult> FindAsync(string id, IAlerts alerts, CancellationToken stop) =>
        await alerts.FindAsync(id, stop) is { } found
            ? TypedResults.Ok(new AlertStoryDto { Alert = found.ToDto(), Deliveries = [.. (await alerts.DeliveriesAsync(id, stop)).Select(d => d.ToDto())] })
            : ApiProblems.NotFound($"There is no alert with the id '{id}'.");

    private static async Task<IResult> ChangeAsync<T>(string id, HttpContext context, IAlerts alerts, Func<T, AlertChangeRequest> wanted)
        where T : class
    {
        (T? body, IResult? problem) = await ApiBody.ReadAsync<T>(context);
        return body is null ? problem! : await alerts.ChangeAsync(id, wanted(body), RequestActor.Of(context), context.RequestAborted) switch
        {
            AlertResult.Done done => TypedResults.Ok(done.Alert.ToDto()),
            AlertResult.NotFound notFound => ApiProblems.NotFound(notFound.What),
            AlertResult.Invalid invalid => ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { [invalid.Field] = invalid.Why }),
            AlertResult.TooLate late => TypedResults.Problem(late.Why, statusCode: StatusCodes.Status409Conflict, title: "Too late"),
            AlertResult.Forbidden forbidden => TypedResults.Problem(forbidden.Why, statusCode: StatusCodes.Status403Forbidden, title: "Not allowed"),
            AlertResult.Unavailable unavailable => ApiBody.Unavailable(unavailable.Why),
            var other => throw new InvalidOperationException($"No answer for {other.GetType().Name}."),
        };
    }
}
