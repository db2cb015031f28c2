using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Fleet;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Fleet;

/// <summary>The present: pairs and nodes.</summary>
internal static class FleetEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/pairs", ListPairs).WithTags("Fleet").WithName("listPairs").WithSummary("All failover pairs as they are now, by name")
            .WithQuery(QueryParameter.Cursor, QueryParameter.Limit(500, 100), QueryParameter.State())
            .Produces<PageDto<PairDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/pairs/{pair}", FindPair).WithTags("Fleet").WithName("getPair").WithSummary("One failover pair as it is now, by id or name")
            .WithDescription("The answer's ETag is the pair's revision: send it back as If-Match with an operation, and the operation is refused with 412 when somebody has changed the pair since.")
            .Produces<PairDto>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/nodes", ListNodes).WithTags("Fleet").WithName("listNodes").WithSummary("All nodes as they are now, by name")
            .WithQuery(QueryParameter.Cursor, QueryParameter.Limit(500, 100))
            .Produces<PageDto<NodeDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/nodes/{node}", FindNode).WithTags("Fleet").WithName("getNode").WithSummary("One node as it is now")
            .Produces<NodeDto>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static IResult ListPairs(HttpContext context, IFleetView fleet)
    {
        var query = new ApiQuery(context);
        int limit = query.Limit(500, 100);
        PairState? state = query.State<PairState>("state");
        return query.Failed
            ? ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems)
            : Page(
                fleet.Current.Pairs.Where(p => state is null || p.State == state),
                p => p.Name, query.Text("cursor"), limit, p => p.ToDto());
    }

    private static Results<Ok<PairDto>, ProblemHttpResult> FindPair(string pair, HttpContext context, IFleetView fleet)
    {
        if (fleet.Current.FindPair(pair) is not { } found)
        {
            return ApiProblems.NotFound($"No pair is called '{pair}'.");
        }

        context.Response.Headers.ETag = RevisionTag.Of(found.Revision);
        return TypedResults.Ok(found.ToDto());
    }

    private static IResult ListNodes(HttpContext context, IFleetView fleet)
    {
        var query = new ApiQuery(context);
        int limit = query.Limit(500, 100);
        FleetSnapshot now = fleet.Current;
        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        ILookup<string, string> pairs = now.Pairs.SelectMany(p => p.Members.Select(m => (Node: m.Node.Name, Pair: p.Name))).ToLookup(m => m.Node, m => m.Pair);
        return Page(now.Nodes, n => n.Name, query.Text("cursor"), limit, n => n.ToDto(pairs[n.Name].FirstOrDefault(), now.At));
    }

    private static Results<Ok<NodeDto>, ProblemHttpResult> FindNode(string node, IFleetView fleet)
    {
        FleetSnapshot now = fleet.Current;
        return now.FindNode(node) is { } found ? TypedResults.Ok(found.ToDto(PairOf(now, found.Name), now.At)) : ApiProblems.NotFound($"No node is called '{node}'.");
    }

    private static string? PairOf(FleetSnapshot fleet, string node) =>
        fleet.Pairs.FirstOrDefault(p => p.Members.Any(m => m.Node.Name == node))?.Name;

    /// <summary>The cursor is the last name of the page before: what comes or goes between two pages shifts nothing.</summary>
    private static Ok<PageDto<TOut>> Page<TIn, TOut>(IEnumerable<TIn> all, Func<TIn, string> nameOf, string? cursor, int limit, Func<TIn, TOut> map)
    {
        TIn[] page = [.. all.OrderBy(nameOf, StringComparer.Ordinal).Where(x => cursor is null || string.CompareOrdinal(nameOf(x), cursor) > 0).Take(limit + 1)];
        bool more = page.Length > limit;
        return TypedResults.Ok(new PageDto<TOut>([.. page.Take(limit).Select(map)], more ? nameOf(page[limit - 1]) : null));
    }
}
