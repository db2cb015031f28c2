using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Api.Repeats;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Alerts;

/// <summary>Rules and channels: read by whoever may read (rules) or administer (channels, whose addresses may be secrets), changed by admins.</summary>
internal static class AlertSettingEndpoints
{
    private const string Tag = "Alerts";
    private const string Etag = "The answer's ETag is its revision: send it back as If-Match with a change, and the change is refused with 412 when somebody was faster.";

    public static void MapReads(IEndpointRouteBuilder api)
    {
        api.MapGet("/alert-rules", (AlertSettings settings) => TypedResults.Ok(settings.Rules.Select(r => r.ToDto()).ToArray()))
            .WithTags(Tag).WithName("listAlertRules").WithSummary("Every alert rule, by name").Produces<AlertRuleDto[]>();
        api.MapGet("/alert-rules/{id}", (string id, HttpContext context, AlertSettings settings) => settings.FindRule(id) is { } rule ? (IResult)Tagged(context, rule.Revision, rule.ToDto()) : NoRule(id))
            .WithTags(Tag).WithName("getAlertRule").WithSummary("One alert rule").WithDescription(Etag).Produces<AlertRuleDto>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    /// <summary>For tokens of scope admin only, reading channels too.</summary>
    public static void MapAdministration(IEndpointRouteBuilder api)
    {
        Describe<AlertRuleBody, AlertRuleDto>(api.MapPost("/alert-rules", (HttpContext context, AlertSettings settings, AuditLog audit) => RuleAsync(null, context, settings, audit)), StatusCodes.Status201Created)
            .WithName("createAlertRule").WithSummary("Make an alert rule");
        Changes(Describe<AlertRuleBody, AlertRuleDto>(api.MapPost("/alert-rules/{id}", (string id, HttpContext context, AlertSettings settings, AuditLog audit) => RuleAsync(id, context, settings, audit)), StatusCodes.Status200OK))
            .WithName("changeAlertRule").WithSummary("Change an alert rule: the body is all of it");
        Changes(api.MapDelete("/alert-rules/{id}", (string id, HttpContext context, AlertSettings settings, AuditLog audit) => RemoveAsync(
            context, seen => settings.RemoveRuleAsync(id, seen, RequestActor.Of(context), context.RequestAborted), () => ChangedMeanwhileAsync(context, audit, "alert-rule-removed", settings.FindRule(id)))))
            .WithTags(Tag).WithName("removeAlertRule").WithSummary("Remove an alert rule; its alerts end").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

        api.MapGet("/alert-channels", (AlertSettings settings) => TypedResults.Ok(settings.Channels.Select(c => c.ToDto()).ToArray()))
            .WithTags(Tag).WithName("listAlertChannels").WithSummary("Every alert channel, by name, without its secret").Produces<AlertChannelDto[]>();
        api.MapGet("/alert-channels/{id}", (string id, HttpContext context, AlertSettings settings) => settings.FindChannel(id) is { } channel ? (IResult)Tagged(context, channel.Revision, channel.ToDto()) : NoChannel(id))
            .WithTags(Tag).WithName("getAlertChannel").WithSummary("One alert channel").WithDescription(Etag).Produces<AlertChannelDto>().ProducesProblem(StatusCodes.Status404NotFound);
        Describe<AlertChannelBody, AlertChannelDto>(api.MapPost("/alert-channels", (HttpContext context, AlertSettings settings, AuditLog audit) => ChannelAsync(null, context, settings, audit)).WithMetadata(new AnsweredOnce()), StatusCodes.Status201Created)
            .WithName("createAlertChannel").WithSummary("Make an alert channel").WithDescription("A webhook without a secret gets one, which is in this answer and nowhere else.");
        Changes(Describe<AlertChannelBody, AlertChannelDto>(api.MapPost("/alert-channels/{id}", (string id, HttpContext context, AlertSettings settings, AuditLog audit) => ChannelAsync(id, context, settings, audit)).WithMetadata(new AnsweredOnce()), StatusCodes.Status200OK))
            .WithName("changeAlertChannel").WithSummary("Change an alert channel: the body is all of it, a secret that is left out stays unless it leads to another host");
        Changes(api.MapDelete("/alert-channels/{id}", (string id, HttpContext context, AlertSettings settings, AuditLog audit) => RemoveAsync(
            context, seen => settings.RemoveChannelAsync(id, seen, RequestActor.Of(context), context.RequestAborted), () => ChangedMeanwhileAsync(context, audit, "alert-channel-removed", settings.FindChannel(id)))))
            .WithTags(Tag).WithName("removeAlertChannel").WithSummary("Remove an alert channel; what waits for it is dropped").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        Describe<AlertEmptyBody, DeliveryDto>(api.MapPost("/alert-channels/{id}/test", TestAsync), StatusCodes.Status200OK).ProducesProblem(StatusCodes.Status404NotFound)
            .WithName("testAlertChannel").WithSummary("Send a test message now, and say how it went");
        api.MapGet("/alert-channels/{id}/deliveries", DeliveriesAsync).WithTags(Tag).WithName("listAlertDeliveries").WithSummary("Messages to a channel and what became of them, newest first")
            .WithQuery(QueryParameter.Cursor, QueryParameter.Limit(500, 100)).Produces<PageDto<DeliveryDto>>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static RouteHandlerBuilder Describe<TBody, TAnswer>(RouteHandlerBuilder route, int good) => route.WithTags(Tag).AddOpenApiOperationTransformer(ApiBody.DescribeAsync<TBody>)
        .Produces<TAnswer>(good).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static RouteHandlerBuilder Changes(RouteHandlerBuilder route) => route.WithMetadata(new TakesIfMatch()).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status412PreconditionFailed);

    private static async Task<IResult> RuleAsync(string? id, HttpContext context, AlertSettings settings, AuditLog audit)
    {
        (AlertRuleBody? body, long? seen, IResult? problem) = await ReadAsync<AlertRuleBody>(context);
        if (body is null)
        {
            return problem!;
        }

        var problems = new Dictionary<string, string>();
        AlertRule rule = body.ToRule(id ?? "", problems);
        if (id is not null && settings.FindRule(id) is { } known && known.Kind != rule.Kind)
        {
            problems.TryAdd("kind", $"It is {AlertKinds.Of(known.Kind).Word}, and stays so: make another rule.");
        }

        if (problems.Count > 0)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, problems);
        }

        Actor actor = RequestActor.Of(context);
        SettingResult<AlertRule> result = id is null ? await settings.CreateAsync(rule, actor, context.RequestAborted) : await settings.ChangeAsync(rule, seen, actor, context.RequestAborted);
        return result is SettingResult<AlertRule>.Stale ? await ChangedMeanwhileAsync(context, audit, "alert-rule-changed", settings.FindRule(id!)) : Answer(context, result, id is null, r => r.Revision, (r, _) => r.ToDto());
    }

    private static async Task<IResult> ChannelAsync(string? id, HttpContext context, AlertSettings settings, AuditLog audit)
    {
        (AlertChannelBody? body, long? seen, IResult? problem) = await ReadAsync<AlertChannelBody>(context);
        if (body is null)
        {
            return problem!;
        }

        var problems = new Dictionary<string, string>();
        AlertChannel channel = body.ToChannel(id ?? "", problems);
        ChannelSecret given = body.ToSecret(channel, problems);
        if (id is not null && settings.FindChannel(id) is { } known && known.Type != channel.Type)
        {
            problems.TryAdd("type", $"It is {ApiWords.Kebab(known.Type)}, and stays so: make another channel.");
        }

        if (problems.Count > 0)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, problems);
        }

        Actor actor = RequestActor.Of(context);
        SettingResult<AlertChannel> result = id is null
            ? await settings.CreateAsync(channel, given, actor, context.RequestAborted)
            : await settings.ChangeAsync(channel, given, body.RenewSecret, seen, actor, context.RequestAborted);
        return result is SettingResult<AlertChannel>.Stale ? await ChangedMeanwhileAsync(context, audit, "alert-channel-changed", settings.FindChannel(id!)) : Answer(context, result, id is null, c => c.Revision, (c, secret) => c.ToDto(secret));
    }

    private static async Task<IResult> TestAsync(string id, HttpContext context, ChannelTrial trial)
    {
        (AlertEmptyBody? body, IResult? problem) = await ApiBody.ReadAsync<AlertEmptyBody>(context);
        return body is null ? problem! : await trial.RunAsync(id, RequestActor.Of(context), context.RequestAborted) switch
        {
            SettingResult<DeliveryRecord>.Done done => TypedResults.Ok(done.Value.ToDto()),
            SettingResult<DeliveryRecord>.NotFound notFound => ApiProblems.NotFound(notFound.What),
            SettingResult<DeliveryRecord>.NotWritten not => ApiBody.Unavailable(not.Why),
            var other => throw new InvalidOperationException($"No answer for {other.GetType().Name}."),
        };
    }

    private static async Task<IResult> DeliveriesAsync(string id, HttpContext context, AlertSettings settings, DeliveryStore deliveries)
    {
        var query = new ApiQuery(context);
        int limit = query.Limit(500, 100);
        long before = long.MaxValue;
        if (query.Text("cursor") is { } cursor && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            query.BadCursor();
        }

        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        if (settings.FindChannel(id) is null)
        {
            return NoChannel(id);
        }

        ImmutableArray<DeliveryRecord> found = await deliveries.ListAsync(id, null, before, limit + 1, context.RequestAborted);
        return TypedResults.Ok(new PageDto<DeliveryDto>([.. found.Take(limit).Select(d => d.ToDto())], found.Length > limit ? found[limit - 1].Id.ToString(CultureInfo.InvariantCulture) : null));
    }

    private static async Task<(T? Body, long? Seen, IResult? Problem)> ReadAsync<T>(HttpContext context)
        where T : class
    {
        if (RevisionTag.TryRead(context.Request.Headers.IfMatch, out long? seen) is { } wrong)
        {
            return (null, null, ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { ["If-Match"] = wrong }));
        }

        (T? body, IResult? problem) = await ApiBody.ReadAsync<T>(context);
        return (body, seen, problem);
    }

    private static async Task<IResult> RemoveAsync<T>(HttpContext context, Func<long?, Task<SettingResult<T>>> remove, Func<Task<IResult>> stale)
    {
        if (RevisionTag.TryRead(context.Request.Headers.IfMatch, out long? seen) is { } wrong)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { ["If-Match"] = wrong });
        }

        SettingResult<T> result = await remove(seen);
        return result is SettingResult<T>.Stale ? await stale() : result is SettingResult<T>.Done ? TypedResults.NoContent() : Refused(result);
    }

    private static Task<IResult> ChangedMeanwhileAsync(HttpContext context, AuditLog audit, string action, AlertRule? now) =>
        ChangedMeanwhileAsync(context, audit, action, $"alert rule {now?.Name}", now?.Revision, now is null ? null : AlertRecords.ToJson(now));

    private static Task<IResult> ChangedMeanwhileAsync(HttpContext context, AuditLog audit, string action, AlertChannel? now) =>
        ChangedMeanwhileAsync(context, audit, action, $"alert channel {now?.Name}", now?.Revision, now is null ? null : AlertRecords.ToJson(now));

    // Refused in the audit too, as of everything else that has a revision. Removed in this very moment: then there is nothing any more to say of it.
    private static async Task<IResult> ChangedMeanwhileAsync(HttpContext context, AuditLog audit, string action, string target, long? revision, string? before)
    {
        if (revision is not { } newest)
        {
            return ApiProblems.NotFound("Somebody has removed it meanwhile.");
        }

        try
        {
            const string Why = "Somebody has changed it since it was looked at: look at it again, then decide again.";
            await audit.WriteAsync(new AuditDraft { Actor = RequestActor.Of(context), Action = action, Target = target, Before = before, Outcome = $"refused: {Why}" }, context.RequestAborted);
            return TypedResults.Problem(string.Create(CultureInfo.InvariantCulture, $"It is at revision {newest}. {Why}"), statusCode: StatusCodes.Status412PreconditionFailed, title: "Changed meanwhile");
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiBody.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
    }

    private static IResult Answer<T, TDto>(HttpContext context, SettingResult<T> result, bool isNew, Func<T, long> revisionOf, Func<T, string?, TDto> map)
    {
        if (result is not SettingResult<T>.Done done)
        {
            return Refused(result);
        }

        context.Response.Headers.ETag = RevisionTag.Of(revisionOf(done.Value));
        return TypedResults.Json(map(done.Value, done.Secret), statusCode: isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static ProblemHttpResult Refused<T>(SettingResult<T> result) => result switch
    {
        SettingResult<T>.Invalid invalid => ApiProblems.Malformed(StatusCodes.Status400BadRequest, invalid.Problems),
        SettingResult<T>.NotFound notFound => ApiProblems.NotFound(notFound.What),
        SettingResult<T>.NotWritten not => ApiBody.Unavailable(not.Why),
        _ => throw new InvalidOperationException($"No answer for {result.GetType().Name}."),
    };

    private static Ok<T> Tagged<T>(HttpContext context, long revision, T dto)
    {
        context.Response.Headers.ETag = RevisionTag.Of(revision);
        return TypedResults.Ok(dto);
    }

    private static ProblemHttpResult NoRule(string id) => ApiProblems.NotFound($"There is no alert rule with the id '{id}'.");

    private static ProblemHttpResult NoChannel(string id) => ApiProblems.NotFound($"There is no alert channel with the id '{id}'.");
}
