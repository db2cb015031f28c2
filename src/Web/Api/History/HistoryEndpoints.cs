using FailoverHub.Web.Access;
using FailoverHub.Web.History;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.History;

/// <summary>The past: events and audit.</summary>
internal static class HistoryEndpoints
{
    private const string Paging = "cursor (nextCursor of the page before), limit (1 to 500, 100 when left out)";

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/events", EventsAsync).WithTags("History").WithName("listEvents").WithSummary("What happened, newest first")
            .WithDescription($"Query: from (at or after), to (before), pair, node, kind, severity (at least: info, warning, critical), operation, text (at most 10 words), {Paging}.")
            .Produces<PageDto<EventDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/audit", AuditAsync).WithTags("History").WithName("listAudit").WithSummary("What somebody did or tried to do, newest first").RequireAuthorization(AccessPolicies.ApiAudit)
            .WithDescription($"Query: from (at or after), to (before), pair, node, action, actor, operation, text (at most 10 words), {Paging}.")
            .Produces<PageDto<AuditDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/audit/verify", VerifyAsync).WithTags("History").WithName("verifyAudit").WithSummary("Check that no audit entry was changed or removed").RequireAuthorization(AccessPolicies.ApiAudit)
            .Produces<AuditVerificationDto>();
    }

    private static Task<IResult> EventsAsync(HttpContext context, IHistory history)
    {
        var query = new ApiQuery(context, "from", "to", "pair", "node", "kind", "severity", "operation", "text", "cursor", "limit");
        HistoryFilter filter = Filter(query) with { Kind = query.Text("kind"), MinimumSeverity = query.Word<EventSeverity>("severity") };
        return PageAsync(query, limit => history.EventsAsync(filter, query.Text("cursor"), limit, context.RequestAborted), e => e.ToDto());
    }

    private static Task<IResult> AuditAsync(HttpContext context, IHistory history)
    {
        var query = new ApiQuery(context, "from", "to", "pair", "node", "action", "actor", "operation", "text", "cursor", "limit");
        HistoryFilter filter = Filter(query) with { Kind = query.Text("action"), Actor = query.Text("actor") };
        return PageAsync(query, limit => history.AuditAsync(filter, query.Text("cursor"), limit, context.RequestAborted), a => a.ToDto());
    }

    private static async Task<Ok<AuditVerificationDto>> VerifyAsync(IHistory history, CancellationToken cancellationToken) =>
        TypedResults.Ok((await history.VerifyAuditAsync(cancellationToken)).ToDto());

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
