using System.Collections.Immutable;
using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability.Targets;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Reachability;

/// <summary>What operators have probed beside the addresses that are found in the fleet.</summary>
internal static class TargetEndpoints
{
    private const string Tag = "Reachability";
    private const string Etag = "The answer's ETag is its revision: send it back as If-Match with a change, and the change is refused with 412 when somebody was faster.";

    public static void MapReads(IEndpointRouteBuilder api)
    {
        api.MapGet("/targets", (TargetList list) => TypedResults.Ok(new PageDto<TargetDto>([.. list.Current.Select(t => t.ToDto())], null)))
            .WithTags(Tag).WithName("listTargets").WithSummary("Every target that operators have added, by name").Produces<PageDto<TargetDto>>();
        api.MapGet("/targets/{target}", (string target, HttpContext context, TargetList list) => list.Find(target) is { } found ? Tagged(context, found, TypedResults.Ok(found.ToDto())) : NoSuch(target))
            .WithTags(Tag).WithName("getTarget").WithSummary("One of them").WithDescription(Etag).Produces<TargetDto>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    public static void MapChanges(IEndpointRouteBuilder api)
    {
        api.MapPost("/targets", AddAsync).WithTags(Tag).WithName("addTarget").WithSummary("Have something probed")
            .WithDescription($"At most {TargetList.Most} of them, {TargetList.MostHttp} of kind http. Those of kind http need a token of scope admin: the hub fetches them. Audited with what it was before.")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<TargetBody>)
            .Produces<TargetDto>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapPut("/targets/{target}", ChangeAsync).WithTags(Tag).WithName("changeTarget").WithSummary("Have it probed in another way; its past stays with it")
            .WithMetadata(new TakesIfMatch()).AddOpenApiOperationTransformer(ApiBody.DescribeAsync<TargetBody>)
            .Produces<TargetDto>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapDelete("/targets/{target}", RemoveAsync).WithTags(Tag).WithName("removeTarget").WithSummary("Have it probed no more")
            .WithMetadata(new TakesIfMatch()).Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> AddAsync(HttpContext context, TargetList list) =>
        await WithTargetAsync(context, null, async (target, actor) => await list.AddAsync(target, actor, context.RequestAborted), made => TypedResults.Created($"/api/v1/targets/{made.Name}", made.ToDto()));

    private static async Task<IResult> ChangeAsync(string target, HttpContext context, TargetList list)
    {
        if (list.Find(target) is not { } known)
        {
            return await KeptAsync(async () =>
            {
                await list.RefuseUnknownAsync(TargetList.Changed, target, RequestActor.Of(context), context.RequestAborted);
                return NoSuch(target);
            });
        }

        return RevisionTag.TryRead(context.Request.Headers.IfMatch, out long? seen) is { } wrong
            ? BadCondition(wrong)
            : await WithTargetAsync(context, known.Name, async (wanted, actor) => await list.ChangeAsync(wanted, seen, actor, context.RequestAborted), made => TypedResults.Ok(made.ToDto()));
    }

    private static async Task<IResult> RemoveAsync(string target, HttpContext context, TargetList list) => RevisionTag.TryRead(context.Request.Headers.IfMatch, out long? seen) is { } wrong
        ? BadCondition(wrong)
        : await KeptAsync(async () => await list.RemoveAsync(target, seen, RequestActor.Of(context), context.RequestAborted) switch
        {
            { Problem: null } => TypedResults.NoContent(),
            { Stale: true } stale => ChangedMeanwhile(stale),
            _ => NoSuch(target),
        });

    private static async Task<IResult> WithTargetAsync(HttpContext context, string? name, Func<NamedTarget, Actor, Task<TargetChange>> change, Func<NamedTarget, IResult> good)
    {
        (TargetBody? body, IResult? problem) = await ApiBody.ReadAsync<TargetBody>(context);
        if (body is null)
        {
            return problem!;
        }

        if (Read(body, name, out ImmutableDictionary<string, string> problems) is not { } target)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, problems);
        }

        return await KeptAsync(async () => await change(target, RequestActor.Of(context)) switch
        {
            { Target: { } made } => Tagged(context, made, good(made)),
            { NotFound: true } => NoSuch(target.Name),
            { Stale: true } stale => ChangedMeanwhile(stale),
            { Forbidden: true } forbidden => TypedResults.Problem(forbidden.Problem, statusCode: StatusCodes.Status403Forbidden, title: "Forbidden"),
            var refused => TypedResults.Problem(refused.Problem, statusCode: StatusCodes.Status409Conflict, title: "Refused"),
        });
    }

    private static NamedTarget? Read(TargetBody body, string? name, out ImmutableDictionary<string, string> problems)
    {
        if (!ApiWords.TryParseKebab(body.Kind, out NamedTargetKind kind))
        {
            problems = ImmutableDictionary<string, string>.Empty.Add("kind", $"Write {ApiWords.Choices<NamedTargetKind>()}.");
            return null;
        }

        if (name is not null && body.Name is { } other && !string.Equals(other, name, StringComparison.OrdinalIgnoreCase))
        {
            problems = ImmutableDictionary<string, string>.Empty.Add("name", "A name stays as it is: remove the target and add another.");
            return null;
        }

        return NamedTarget.TryCreate(
            new NamedTargetDraft
            {
                Name = name ?? body.Name,
                Kind = kind,
                Address = body.Address,
                Port = body.Port,
                Interval = TimeSpan.FromSeconds(body.IntervalSeconds ?? (kind == NamedTargetKind.Http ? 5 : 1)),
                Statuses = body.Statuses,
                BodyPattern = body.BodyPattern,
                TrustAnyCertificate = body.TrustAnyCertificate,
                CertificateDays = body.CertificateDays,
            },
            out problems);
    }

    private static async Task<IResult> KeptAsync(Func<Task<IResult>> change)
    {
        try
        {
            return await change();
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiBody.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
    }

    private static IResult Tagged(HttpContext context, NamedTarget target, IResult answer)
    {
        context.Response.Headers.ETag = RevisionTag.Of(target.Revision);
        return answer;
    }

    private static ProblemHttpResult BadCondition(string wrong) => ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { ["If-Match"] = wrong });

    private static ProblemHttpResult ChangedMeanwhile(TargetChange stale) => TypedResults.Problem(stale.Problem, statusCode: StatusCodes.Status412PreconditionFailed, title: "Changed meanwhile");

    private static ProblemHttpResult NoSuch(string target) => ApiProblems.NotFound($"No target is called '{target}'.");
}
