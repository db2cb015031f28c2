using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Retention;

namespace FailoverHub.Web.Api.History;

/// <summary>How long the past is kept, and signing it.</summary>
internal static class RetentionEndpoints
{
    public static void MapReads(IEndpointRouteBuilder api) =>
        api.MapGet("/settings/retention", async (RetentionSettings settings, CancellationToken stop) => TypedResults.Ok(ToDto(await settings.ReadAsync(stop))))
            .WithTags("History").WithName("getRetention").WithSummary("How long the past is kept; the audit is kept for ever").Produces<RetentionDto>();

    public static void MapChanges(IEndpointRouteBuilder api)
    {
        api.MapPost("/settings/retention", ChangeAsync).WithTags("History").WithName("setRetention").WithSummary("Change how long the past is kept")
            .WithDescription("A shorter time removes what is older within some minutes, for good. The change is audited with what was before.")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<RetentionDto>)
            .Produces<RetentionDto>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapPost("/audit/checkpoints", SignAsync).WithTags("History").WithName("signAudit").WithSummary("Sign the head of the audit's chain now; the hub does so each hour")
            .WithDescription("That somebody asks for it is an audit entry, and the one that is signed. A broken chain is not signed: 409, and the refusal is audited.")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<CheckpointBody>)
            .Produces<AuditCheckpointDto>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, RetentionSettings settings)
    {
        (RetentionDto? body, IResult? problem) = await ApiBody.ReadAsync<RetentionDto>(context);
        if (body is null)
        {
            return problem!;
        }

        var wanted = new RetentionPeriods(body.EventDays, body.ProbeHours, body.MinuteDays, body.HourDays);
        var problems = new Dictionary<string, string>();
        if (!wanted.EventsMakeSense)
        {
            problems["eventDays"] = $"Write 1 to {RetentionPeriods.MostEventDays}, or null: for ever.";
        }

        if (!wanted.ProbesMakeSense)
        {
            problems["probeHours"] = $"Write 1 to {RetentionPeriods.MostProbeHours}.";
        }

        if (!wanted.MinutesMakeSense)
        {
            problems["minuteDays"] = $"Write 1 to {RetentionPeriods.MostMinuteDays}.";
        }

        if (!wanted.HoursMakeSense)
        {
            problems["hourDays"] = $"Write 1 to {RetentionPeriods.MostHourDays}.";
        }

        if (problems.Count > 0)
        {
            await RefusedRequest.AuditAsync(context, string.Join(' ', problems.Select(p => $"{p.Key}: {p.Value}")));
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, problems);
        }

        try
        {
            return await settings.ChangeAsync(wanted, RequestActor.Of(context), context.RequestAborted) is { } why
                ? TypedResults.Problem(why, statusCode: StatusCodes.Status403Forbidden, title: "Not allowed")
                : TypedResults.Ok(ToDto(wanted));
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiBody.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
    }

    private static async Task<IResult> SignAsync(HttpContext context, AuditCheckpoints checkpoints)
    {
        (CheckpointBody? body, IResult? problem) = await ApiBody.ReadAsync<CheckpointBody>(context);
        if (body is null)
        {
            return problem!;
        }

        try
        {
            CheckpointOutcome outcome = await checkpoints.MakeForAsync(RequestActor.Of(context), body.Reason, context.RequestAborted);
            return outcome.Made is { } made
                ? TypedResults.Created("/api/v1/audit/checkpoints", made.ToDto())
                : TypedResults.Problem(outcome.Broken?.Text, statusCode: StatusCodes.Status409Conflict, title: "The audit is not intact, so it was not signed");
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiBody.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
    }

    private static RetentionDto ToDto(RetentionPeriods periods) => new() { EventDays = periods.EventDays, ProbeHours = periods.ProbeHours, MinuteDays = periods.MinuteDays, HourDays = periods.HourDays };
}

/// <summary>How long the past is kept. The audit is kept for ever.</summary>
public sealed record RetentionDto
{
    /// <summary>Events, in days: 1 to 36500; null: for ever.</summary>
    public required int? EventDays { get; init; }

    /// <summary>Single probes of shared addresses, in hours: 1 to 9600.</summary>
    public required int ProbeHours { get; init; }

    /// <summary>What probes come to each minute, in days: 1 to 400; 30 when it is left out.</summary>
    public int MinuteDays { get; init; } = RetentionPeriods.Default.MinuteDays;

    /// <summary>What probes come to each hour, in days: 1 to 3660; 400 when it is left out.</summary>
    public int HourDays { get; init; } = RetentionPeriods.Default.HourDays;
}

/// <summary>Body of POST /api/v1/audit/checkpoints.</summary>
public sealed record CheckpointBody
{
    /// <summary>Why now, for the audit; may be left out.</summary>
    public string? Reason { get; init; }
}
