using System.Globalization;
using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Api.History;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Exports;

/// <summary>How an export is written.</summary>
internal enum ExportFormat
{
    /// <summary>RFC 4180, UTF-8, for spreadsheets.</summary>
    Csv,

    /// <summary>An array of the same objects that the pages of the API have, one a line.</summary>
    Json,
}

/// <summary>The past as files: everything that a filter finds, however much that is, as it is read.</summary>
internal static class ExportEndpoints
{
    private static readonly QueryParameter Format = QueryParameter.Words("format", "csv when left out.", "csv", "json");

    public static void Map(IEndpointRouteBuilder all)
    {
        RouteGroupBuilder api = all.MapGroup("").AddEndpointFilter<RouteGroupBuilder, OneLongRead>();
        api.MapGet("/events/export", EventsAsync).WithTags("History").WithName("exportEvents").WithSummary("All events that a filter finds, newest first, as a file")
            .WithQuery([.. HistoryEndpoints.OfEvents, Format])
            .WithDescription("In CSV a field that a spreadsheet would take for a formula begins with an apostrophe.")
            .Produces<string>(StatusCodes.Status200OK, "text/csv", "application/json").ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/audit/export", AuditAsync).RequireAuthorization(AccessPolicies.ApiAudit).WithTags("History").WithName("exportAudit").WithSummary("All audit entries that a filter finds, newest first, as a file")
            .WithQuery([.. HistoryEndpoints.OfAudit, Format])
            .WithDescription("In CSV a field that a spreadsheet would take for a formula begins with an apostrophe. What can be checked later is /audit/chain.")
            .Produces<string>(StatusCodes.Status200OK, "text/csv", "application/json").ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/audit/chain", Chain).RequireAuthorization(AccessPolicies.ApiAudit).WithTags("History").WithName("exportAuditChain").WithSummary("The whole audit with its signed checkpoints as JSON Lines, for `failoverhub audit verify`")
            .Produces<string>(StatusCodes.Status200OK, "application/jsonl");
    }

    private static IResult EventsAsync(HttpContext context, IHistory history, TimeProvider time)
    {
        var query = new ApiQuery(context, [.. HistoryEndpoints.EventFilters, "format"]);
        HistoryFilter filter = HistoryEndpoints.EventFilter(query);
        return Answer(query, time, "events", new HistoryExport<EventRecord, EventDto>(
            (cursor, limit, stop) => history.EventsAsync(filter, cursor, limit, stop), e => e.ToDto(), CsvColumns.Events), context.RequestAborted);
    }

    private static IResult AuditAsync(HttpContext context, IHistory history, TimeProvider time)
    {
        var query = new ApiQuery(context, [.. HistoryEndpoints.AuditFilters, "format"]);
        HistoryFilter filter = HistoryEndpoints.AuditFilter(query);
        return Answer(query, time, "audit", new HistoryExport<AuditEntry, AuditDto>(
            (cursor, limit, stop) => history.AuditAsync(filter, cursor, limit, stop), a => a.ToDto(), CsvColumns.Audit), context.RequestAborted);
    }

    private static PushStreamHttpResult Chain(HttpContext context, ChainExport export, TimeProvider time) =>
        TypedResults.Stream(output => export.WriteAsync(output, context.RequestAborted), "application/jsonl", FileName("audit", time, "jsonl"));

    private static IResult Answer<TIn, TOut>(ApiQuery query, TimeProvider time, string name, HistoryExport<TIn, TOut> export, CancellationToken cancellationToken)
    {
        ExportFormat format = query.Word<ExportFormat>("format") ?? ExportFormat.Csv;
        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        return format == ExportFormat.Csv
            ? TypedResults.Stream(output => export.WriteCsvAsync(output, cancellationToken), "text/csv; charset=utf-8", FileName(name, time, "csv"))
            : TypedResults.Stream(output => export.WriteJsonAsync(output, cancellationToken), "application/json", FileName(name, time, "json"));
    }

    private static string FileName(string name, TimeProvider time, string extension) =>
        string.Create(CultureInfo.InvariantCulture, $"failoverhub-{name}-{time.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.{extension}");
}
