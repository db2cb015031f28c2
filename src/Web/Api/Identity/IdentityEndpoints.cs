using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Repeats;
using FailoverHub.Web.Data;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Identity;

/// <summary>Who may connect: join tokens, and revoking, renaming and removing nodes.</summary>
internal static class IdentityEndpoints
{
    private const string Tag = "Identity";

    public static void MapReads(IEndpointRouteBuilder api) =>
        api.MapGet("/join-tokens", ListAsync).WithTags(Tag).WithName("listJoinTokens").WithSummary("The newest join tokens, newest first; never the tokens themselves")
            .Produces<JoinTokenDto[]>();

    public static void MapChanges(IEndpointRouteBuilder api)
    {
        api.MapPost("/join-tokens", CreateAsync).WithMetadata(new AnsweredOnce()).WithTags(Tag).WithName("createJoinToken").WithSummary("Make a token with which one node joins")
            .WithDescription("The token is in this answer and nowhere else. It is good once and for a short time; `command` is what to run on the node.")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<JoinTokenBody>)
            .Produces<JoinTokenCreatedDto>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapDelete("/join-tokens/{id}", WithdrawAsync).WithTags(Tag).WithName("withdrawJoinToken").WithSummary("Make an unused join token useless")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        Describe(api.MapPost("/nodes/{node}/revoke", (string node, HttpContext context, NodeChanges changes) => ChangeAsync(
            context, (body, actor) => changes.RevokeAsync(node, body.Reason ?? "", actor, context.RequestAborted))))
            .WithName("revokeNode").WithSummary("Make a node's certificate worthless at once and drop its stream; it goes on announcing");
        Describe(api.MapPost("/nodes/{node}/rename", (string node, HttpContext context, NodeChanges changes) => ChangeAsync(
            context, (body, actor) => changes.RenameAsync(node, body.Name?.Trim() ?? "", body.Reason ?? "", actor, context.RequestAborted))))
            .WithName("renameNode").WithSummary("Give a node another name; its certificate stays and its history keeps the old name");
        Describe(api.MapPost("/nodes/{node}/remove", (string node, HttpContext context, NodeChanges changes) => ChangeAsync(
            context, (body, actor) => changes.RemoveAsync(node, body.Reason ?? "", actor, context.RequestAborted))))
            .WithName("removeNode").WithSummary("Forget a node that is not connected; its history stays");
        api.MapPost("/pairs/{pair}/members", LetInAsync).WithTags(Tag).WithName("letIntoPair").WithSummary("Make a node that reports an address of the pair one of its nodes")
            .WithDescription("A pair's `claimants` are nodes that report its addresses and are not of it; no rule relies on them until this is done. With `inPlaceOf` another node leaves the pair for it. Nothing is sent to any node. The audit entry and the change are one transaction; a refusal is audited too.")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<PairMemberBody>)
            .Produces<NodeChangedDto>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static RouteHandlerBuilder Describe(RouteHandlerBuilder route) => route.WithTags(Tag)
        .WithDescription("The audit entry and the change are one transaction. A refusal is audited too.")
        .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<NodeChangeBody>)
        .Produces<NodeChangedDto>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Ok<JoinTokenDto[]>> ListAsync(JoinTokens tokens, CancellationToken cancellationToken) =>
        TypedResults.Ok((await tokens.ListAsync(cancellationToken)).Select(t => t.ToDto()).ToArray());

    private static async Task<IResult> CreateAsync(HttpContext context, JoinTokens tokens, HubIdentity identity)
    {
        (JoinTokenBody? body, IResult? problem) = await ApiBody.ReadAsync<JoinTokenBody>(context);
        if (body is null)
        {
            return problem!;
        }

        try
        {
            var request = new JoinTokenRequest(body.Node?.Trim(), body.ForExisting, body.Minutes is { } minutes ? TimeSpan.FromMinutes(minutes) : JoinTokens.DefaultLifetime);
            JoinTokenCreation made = await tokens.CreateAsync(request, RequestActor.Of(context), context.RequestAborted);
            return made is { Token: { } token, Info: { } info }
                ? TypedResults.Created((string?)null, info.ToCreatedDto(token, await identity.PublicUrlAsync(context.RequestAborted)))
                : ApiBody.Malformed(made.Problem!);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiBody.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
    }

    private static async Task<IResult> WithdrawAsync(string id, HttpContext context, JoinTokens tokens)
    {
        try
        {
            return await tokens.WithdrawAsync(id, RequestActor.Of(context), context.RequestAborted)
                ? TypedResults.NoContent()
                : ApiProblems.NotFound($"There is no unused join token '{id}'.");
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiBody.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, Func<NodeChangeBody, Actor, Task<NodeChange>> change)
    {
        (NodeChangeBody? body, IResult? problem) = await ApiBody.ReadAsync<NodeChangeBody>(context);
        return body is null ? problem! : Answer(await change(body, RequestActor.Of(context)));
    }

    private static async Task<IResult> LetInAsync(string pair, HttpContext context, PairAdmission admission)
    {
        (PairMemberBody? body, IResult? problem) = await ApiBody.ReadAsync<PairMemberBody>(context);
        return body is null ? problem!
            : body.Node?.Trim() is not { Length: > 0 } node ? ApiBody.Malformed("node: name the node that is let in.")
            : Answer(await admission.LetInAsync(pair, node, body.InPlaceOf?.Trim() is { Length: > 0 } leaves ? leaves : null, body.Reason ?? "", RequestActor.Of(context), context.RequestAborted));
    }

    private static IResult Answer(NodeChange change) => change switch
    {
        NodeChange.Done done => TypedResults.Ok(new NodeChangedDto(done.Text)),
        NodeChange.Refused refused => TypedResults.Problem(refused.Why, statusCode: StatusCodes.Status409Conflict, title: "Refused"),
        NodeChange.Forbidden forbidden => TypedResults.Problem(forbidden.Why, statusCode: StatusCodes.Status403Forbidden, title: "Not allowed"),
        NodeChange.NotFound notFound => ApiProblems.NotFound(notFound.What),
        NodeChange.NotAudited not => ApiBody.Unavailable(not.Why),
        var other => throw new InvalidOperationException($"No answer for {other.GetType().Name}."),
    };
}
