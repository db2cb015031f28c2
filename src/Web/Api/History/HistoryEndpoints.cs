using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Api.Exports;
using FailoverHub.Web.History;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.History;

/// <summary>The past: events and audit.</summary>
internal static class HistoryEndpoints
{
    private static readonly QueryParameter[] Common =
    [
        QueryParameter.From, QueryParameter.To, QueryParameter.Text("pair", "Name of the pair."), QueryParameter.Text("node", "Name of the node."),
        QueryParameter.Text("operation", "Id of the operation that it belongs to."), QueryParameter.Search(),
    ];

    public static readonly QueryParameter[] OfEvents = [.. Common, QueryParameter.Text("kind", "Stable word, such as session-lost."), QueryParameter.Severity()];
    public static readonly QueryParameter[] OfAudit = [.. Common, QueryParameter.Text("action", "Stable word, such as switchover or sign-in."), QueryParameter.Text("actor", "Who, such as 'token deploy'.")];
    private static readonly QueryParameter[] Paging = [QueryParameter.Cursor, QueryParameter.Limit(500, 100)];

    /// <summary>Parameters that <see cref="EventFilter"/> reads.</summary>
    public static readonly string[] EventFilters = [.. OfEvents.Select(p => p.Name)];

    /// <summary>Parameters that <see cref="AuditFilter"/> reads.</summary>
    public static readonly string[] AuditFilters = [.. OfAudit.Select(p => p.Name)];

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/events", EventsAsync).WithTags("History").WithName("listEvents").WithSummary("What happened, newest first")
            .WithQuery([.. OfEvents, .. Paging])
            .Produces<PageDto<EventDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/audit", AuditAsync).RequireAuthorization(AccessPolicies.ApiAudit).WithTags("History").WithName("listAudit").WithSummary("What somebody did or tried to do, newest first")
            .WithQuery([.. OfAudit, .. Paging])
            .Produces<PageDto<AuditDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/audit/checkpoints", CheckpointsAsync).RequireAuthorization(AccessPolicies.ApiAudit).WithTags("History").WithName("listAuditCheckpoints").WithSummary("Signatures over the head of the audit's chain, newest first")
            .WithDescription("Who keeps one can prove later that the audit up to there was neither changed nor cut off.").WithQuery([.. Paging])
            .Produces<PageDto<AuditCheckpointDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/audit/verify", VerifyAsync).AddEndpointFilter<RouteHandlerBuilder, OneLongRead>().RequireAuthorization(AccessPolicies.ApiAudit).WithTags("History").WithName("verifyAudit").WithSummary("Check that no audit entry was changed or removed, and that its checkpoints signed what is there")
            .Produces<AuditVerificationDto>();
    }

    private static Task<IResult> EventsAsync(HttpContext context, IHistory history)
    {
        var query = new ApiQuery(context);
        HistoryFilter filter = EventFilter(query);
        return PageAsync(query, limit => history.EventsAsync(filter, query.Text("cursor"), limit, context.RequestAborted), e => e.ToDto());
    }

    private static Task<IResult> AuditAsync(HttpContext context, IHistory history)
    {
        var query = new ApiQuery(context);
        HistoryFilter filter = AuditFilter(query);
        return PageAsync(query, limit => history.AuditAsync(filter, query.Text("cursor"), limit, context.RequestAborted), a => a.ToDto());
    }

    private static Task<IResult> CheckpointsAsync(HttpContext context, IHistory history)
    {
        var query = new ApiQuery(context, "cursor", "limit");
        return PageAsync(query, limit => history.CheckpointsAsync(query.Text("cursor"), limit, context.RequestAborted), c => c.ToDto());
    }

    private static async Task<Ok<AuditVerificationDto>> VerifyAsync(IHistory history, CancellationToken cancellationToken) =>
        TypedResults.Ok((await history.VerifyAuditAsync(cancellationToken)).ToDto());

    public static HistoryFilter EventFilter(ApiQuery query) => Filter(query) with { Kind = query.Text("kind"), MinimumSeverity = query.Word<EventSeverity>("severity") };

    public static HistoryFilter AuditFilter(ApiQuery query) => Filter(query) with { Kind = query.Text("action"), Actor = query.Text("actor") };

    private static HistoryFilter Filter(ApiQuery query) => new()
    {
        From = query.Time("from"),
        To = query.Time("to"),
        Pair = query.Text("pair"),
        Node = query.Text("node"),
        OperationId = query.Text("operation"),
        Text = query.Search("text"),
    };

    private static async Task<IResult> PageAsync<TIn, TOut>(ApiQuery query, Func<int, Task<HistoryPage<TIn>>> read, Func<TIn, TOut> map)
    {
        int limit = query.Limit(500, 100);
        if (!query.Failed)
        {
            try
            {
                HistoryPage<TIn> page = await read(limit);
                return TypedResults.Ok(new PageDto<TOut>([.. page.Items.Select(map)], page.NextCursor));
            }
            catch (FormatException)
            {
                query.BadCursor();
            }
        }

        return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
    }
}
