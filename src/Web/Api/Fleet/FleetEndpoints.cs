using FailoverHub.Web.Fleet;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Fleet;

/// <summary>The present: pairs and nodes.</summary>
internal static class FleetEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/pairs", ListPairs).WithTags("Fleet").WithName("listPairs").WithSummary("All failover pairs as they are now, by name")
            .WithDescription("Query: cursor, limit (1 to 500, 100 when left out), state (a pair state).")
            .Produces<PageDto<PairDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/pairs/{pair}", FindPair).WithTags("Fleet").WithName("getPair").WithSummary("One failover pair as it is now, by id or name")
            .Produces<PairDto>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/nodes", ListNodes).WithTags("Fleet").WithName("listNodes").WithSummary("All nodes as they are now, by name")
            .WithDescription("Query: cursor, limit (1 to 500, 100 when left out).")
            .Produces<PageDto<NodeDto>>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/nodes/{node}", FindNode).WithTags("Fleet").WithName("getNode").WithSummary("One node as it is now")
            .Produces<NodeDto>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static IResult ListPairs(HttpContext context, IFleetView fleet)
    {
        var query = new ApiQuery(context, "cursor", "limit", "state");
        int limit = query.Limit(500, 100);
        PairState? state = query.State<PairState>("state");
        return query.Failed
            ? ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems)
            : Page(
                fleet.Current.Pairs.Where(p => state is null || p.State == state),
                p => p.Name, query.Text("cursor"), limit, p => p.ToDto());
    }

    private static Results<Ok<PairDto>, ProblemHttpResult> FindPair(string pair, IFleetView fleet) =>
        fleet.Current.FindPair(pair) is { } found ? TypedResults.Ok(found.ToDto()) : ApiProblems.NotFound($"No pair is called '{pair}'.");

    private static IResult ListNodes(HttpContext context, IFleetView fleet)
    {
        var query = new ApiQuery(context, "cursor", "limit");
        int limit = query.Limit(500, 100);
        FleetSnapshot now = fleet.Current;
        return query.Failed
            ? ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems)
            : Page(now.Nodes, n => n.Name, query.Text("cursor"), limit, n => n.ToDto(PairOf(now, n.Name)));
    }

    private static Results<Ok<NodeDto>, ProblemHttpResult> FindNode(string node, IFleetView fleet)
    {
        FleetSnapshot now = fleet.Current;
        return now.FindNode(node) is { } found ? TypedResults.Ok(found.ToDto(PairOf(now, found.Name))) : ApiProblems.NotFound($"No node is called '{node}'.");
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
