using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Stories;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Reachability.Outages;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace FailoverHub.Web.Api.Operations;

/// <summary>The wanted: set operations going and follow them.</summary>
internal static class OperationEndpoints
{
    public static void MapReads(IEndpointRouteBuilder api)
    {
        api.MapGet("/operations", ListAsync).WithTags("Operations").WithName("listOperations").WithSummary("The newest operations, newest first")
            .WithQuery(
                QueryParameter.Text("pair", "Only of this pair, by id or name."), QueryParameter.Text("type", "Only of this type, such as switchover."),
                QueryParameter.Text("status", "Only in this state, such as Running."), QueryParameter.Text("actor", "Only what this actor asked for."),
                QueryParameter.Text("text", "Only with these words in title, reason or outcome."), QueryParameter.Cursor, QueryParameter.Limit(500, 100))
            .Produces<PageDto<OperationDto>>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/operations/{id}", FindAsync).WithTags("Operations").WithName("getOperation").WithSummary("One operation with its steps")
            .Produces<OperationDto>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/operations/{id}/story", StoryAsync).RequireAuthorization(AccessPolicies.ApiAudit).WithTags("Operations").WithName("getOperationStory").WithSummary("One operation from the request to the measured outage")
            .Produces<OperationStoryDto>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/operations/{id}/report", ReportAsync).WithTags("Operations").WithName("getDrillReport").WithSummary("What a drill showed: both moves and what they cost")
            .WithDescription("While it is under way: so far. What a move cost is there some seconds after it.")
            .Produces<DrillReportDto>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<DrillReportDto>, ProblemHttpResult>> ReportAsync(string id, IOperations operations, IOutages outages, CancellationToken cancellationToken) =>
        await DrillReport.FindAsync(operations, outages, id, cancellationToken) is { } found ? TypedResults.Ok(found.ToDto()) : ApiProblems.NotFound($"No drill has the id '{id}'.");

    private static async Task<Results<Ok<OperationStoryDto>, ProblemHttpResult>> StoryAsync(string id, OperationTrails trails, CancellationToken cancellationToken) =>
        await trails.FindAsync(id, cancellationToken) is { } found ? TypedResults.Ok(found.ToDto()) : ApiProblems.NotFound($"No operation has the id '{id}'.");

    public static void MapChanges(IEndpointRouteBuilder api)
    {
        Describe(api.MapPost("/pairs/{pair}/operations", (string pair, HttpContext context, IOperations operations, AuditLog audit) => SubmitAsync(context, operations, audit, pair, null)))
            .WithName("startPairOperation").WithSummary("Set an operation of a pair going");
        DescribePreview(api.MapPost("/pairs/{pair}/operations/preview", (string pair, HttpContext context, IOperations operations) => PreviewAsync(context, operations, pair, null)))
            .WithName("previewPairOperation").WithSummary("What an operation of a pair would do");
        Describe(api.MapPost("/operations", (HttpContext context, IOperations operations, AuditLog audit) => SubmitAsync(context, operations, audit, FreezeFacts.All, null)))
            .WithName("startFleetOperation").WithSummary("Freeze or unfreeze all pairs, or drain a node of each pair in a data center");
        DescribePreview(api.MapPost("/operations/preview", (HttpContext context, IOperations operations) => PreviewAsync(context, operations, FreezeFacts.All, null)))
            .WithName("previewFleetOperation").WithSummary("What freezing or unfreezing all pairs would do");
        Describe(api.MapPost("/nodes/{node}/operations", (string node, HttpContext context, IOperations operations, AuditLog audit) => SubmitAsync(context, operations, audit, null, node)))
            .WithName("startNodeOperation").WithSummary("Set an operation of a node going");
        DescribePreview(api.MapPost("/nodes/{node}/operations/preview", (string node, HttpContext context, IOperations operations) => PreviewAsync(context, operations, null, node)))
            .WithName("previewNodeOperation").WithSummary("What an operation of a node would do");
    }

    private static RouteHandlerBuilder Describe(RouteHandlerBuilder route) => route.WithTags("Operations")
        .WithDescription("Rules are checked and the audit entry is written before anything is sent. A refusal names its rule in ruleId, says what to do in remedy, and has the rule's own status: 409, 412, 422, 423, 429. Where waiting helps Retry-After says for how long.")
        .AddOpenApiOperationTransformer(DescribeBodyAsync)
        .Produces<OperationAcceptedDto>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status423Locked).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static RouteHandlerBuilder DescribePreview(RouteHandlerBuilder route) => route.WithTags("Operations")
        .WithDescription("Nothing is done and nothing is stored.")
        .AddOpenApiOperationTransformer(DescribeBodyAsync)
        .Produces<PreviewDto>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);

    /// <summary>Not Accepts(): routing would then take a wrong media type for another route, and answer 404 where 415 says what is wrong.</summary>
    private static async Task DescribeBodyAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new() { Schema = await context.GetOrCreateSchemaAsync(typeof(OperationBody), null, cancellationToken) },
            },
        };
        ApiExamples.AddTo(operation);
    }

    private static async Task<IResult> SubmitAsync(HttpContext context, IOperations operations, AuditLog audit, string? pair, string? node)
    {
        OperationBodyReader.Read read = await OperationBodyReader.ReadAsync(context, pair, node);
        if (read.Request is { } request)
        {
            return ApiProblems.Answer(await operations.SubmitAsync(request, RequestActor.Of(context), context.RequestAborted));
        }

        try
        {
            await audit.WriteAsync(ToAuditDraft(read, pair, node, RequestActor.Of(context)), context.RequestAborted);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiProblems.Answer(new SubmitResult.Unavailable($"The refusal could not be written to the audit ({e.GetBaseException().Message})."));
        }

        return ApiProblems.Malformed(read.Status, read.Problems);
    }

    /// <summary>Whoever tries something and fails at its form tried it all the same.</summary>
    private static AuditDraft ToAuditDraft(OperationBodyReader.Read read, string? pair, string? node, Actor actor) => new()
    {
        Actor = actor,
        Action = read.Body?.Type is { } word && ApiWords.TryParseKebab(word, out OperationType _) ? word : "unknown operation",
        Target = pair == FreezeFacts.All ? "all pairs" : pair is not null ? AuditTarget.Pair(pair) : AuditTarget.Node(node ?? ""),
        Reason = read.Body?.Reason,
        Outcome = $"refused, malformed: {string.Join("; ", read.Problems.Select(p => $"{p.Key}: {p.Value}"))}",
    };

    private static async Task<IResult> PreviewAsync(HttpContext context, IOperations operations, string? pair, string? node)
    {
        OperationBodyReader.Read read = await OperationBodyReader.ReadAsync(context, pair, node);
        if (read.Request is not { } request)
        {
            return ApiProblems.Malformed(read.Status, read.Problems);
        }

        return operations.Preview(request, out SubmitResult? problem) is { } preview
            ? TypedResults.Ok(preview.ToDto())
            : ApiProblems.Answer(problem ?? new SubmitResult.NotFound("There is no such pair or node."));
    }

    private static async Task<IResult> ListAsync(HttpContext context, IFleetView fleet, IOperations operations)
    {
        var query = new ApiQuery(context);
        int limit = query.Limit(500, 100);
        var filter = new OperationFilter
        {
            Type = query.Word<OperationType>("type"),
            Statuses = query.State<OperationStatus>("status") is { } status ? [status] : [],
            Actor = query.Text("actor"),
            Text = query.Search("text"),
        };
        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        if (query.Text("pair") is { } pair)
        {
            filter = filter with { PairId = fleet.Current.FindPair(pair)?.Id };
            if (filter.PairId is null)
            {
                return ApiProblems.NotFound($"No pair is called '{pair}'.");
            }
        }

        // The cursor is the last operation of the page before: what is begun between two pages shifts nothing.
        IReadOnlyList<OperationView>? found = query.Text("cursor") is { } cursor
            ? await operations.BeforeAsync(filter, cursor, limit + 1, context.RequestAborted)
            : await operations.RecentAsync(filter, limit + 1, context.RequestAborted);
        if (found is null)
        {
            query.BadCursor();
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        return TypedResults.Ok(new PageDto<OperationDto>([.. found.Take(limit).Select(o => o.ToDto())], found.Count > limit ? found[limit - 1].Id : null));
    }

    private static async Task<Results<Ok<OperationDto>, ProblemHttpResult>> FindAsync(string id, IOperations operations, CancellationToken cancellationToken) =>
        await operations.FindAsync(id, cancellationToken) is { } found ? TypedResults.Ok(found.ToDto()) : ApiProblems.NotFound($"No operation has the id '{id}'.");
}
