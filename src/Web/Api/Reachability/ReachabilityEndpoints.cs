using System.Net;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Reachability;

/// <summary>Whether addresses answer, and did.</summary>
internal static class ReachabilityEndpoints
{
    private static readonly TimeSpan DefaultSpan = TimeSpan.FromHours(1);

    private const string Named = "The target is an address, a prefix with its slash escaped (203.0.113.10%2F32), target:NAME or node:NAME.";

    private static readonly QueryParameter Vantage = QueryParameter.Text("vantage", "From where: hub, or the id or name of a node that asks it.");

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/reachability", List).WithTags("Reachability").WithName("listReachability").WithSummary("Everything that is probed")
            .Produces<PageDto<ReachabilityDto>>();
        api.MapGet("/reachability/{target}", FindAsync).WithTags("Reachability").WithName("getReachability").WithSummary("One target as it is now, and what it did over a time")
            .WithDescription($"{Named} With `vantage`: as that one sees it; a node that does not ask it now is unknown, and its past is there all the same. With `from`, `to` or both: a chart of at most 300 points, whose length follows from that of the time; `to` is now and `from` an hour before when left out.")
            .WithQuery(QueryParameter.From, QueryParameter.To, Vantage)
            .Produces<ReachabilityDto>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/reachability/{target}/samples", SamplesAsync).WithTags("Reachability").WithName("listProbeSamples").WithSummary("Stored probes of one target, oldest first")
            .WithDescription("An hour back from now when the times are left out. Probes are kept for 24 hours.")
            .WithQuery(QueryParameter.From, QueryParameter.To, Vantage, QueryParameter.Limit(10_000, 3_600))
            .Produces<PageDto<ProbeDto>>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/vantage-points", Vantages).WithTags("Reachability").WithName("listVantagePoints").WithSummary("The nodes that ask targets for the hub, who is lost first")
            .WithDescription("A node is one while it is asked for something, and stays one when it is lost, until it is back, is removed, or has not offered itself for a day.")
            .Produces<PageDto<VantageStandingDto>>();
        api.MapGet("/pairs/{pair}/outages", OutagesAsync).WithTags("Reachability").WithName("listOutages").WithSummary("What each move of a pair's addresses cost, newest first")
            .WithDescription("Measured from every vantage point some seconds after each switchover, failback and failover, asked for or not.")
            .WithQuery(QueryParameter.Limit(500, 100))
            .Produces<PageDto<OutageDto>>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> OutagesAsync(string pair, HttpContext context, IFleetView fleet, IOutages outages)
    {
        var query = new ApiQuery(context);
        int limit = query.Limit(500, 100);
        return query.Failed ? ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems)
            : fleet.Current.FindPair(pair) is not { } found ? ApiProblems.NotFound($"No pair is called '{pair}'.")
            : TypedResults.Ok(new PageDto<OutageDto>([.. (await outages.OfPairAsync(found.Name, limit, context.RequestAborted)).Select(o => o.ToDto())], null));
    }

    private static Ok<PageDto<VantageStandingDto>> Vantages(IProbedTargets targets) =>
        TypedResults.Ok(new PageDto<VantageStandingDto>([.. targets.Vantages.Select(v => v.ToDto())], null));

    private static Ok<PageDto<ReachabilityDto>> List(IProbedTargets targets) =>
        TypedResults.Ok(new PageDto<ReachabilityDto>([.. targets.Current.Select(t => t.ToDto())], null));

    private static async Task<IResult> FindAsync(string target, HttpContext context, IProbedTargets targets, IReachabilityHistory history, TimeProvider time)
    {
        var query = new ApiQuery(context);
        bool wanted = query.Text("from") is not null || query.Text("to") is not null;
        DateTimeOffset to = query.Time("to") ?? time.GetUtcNow();
        DateTimeOffset from = query.Time("from") ?? Before(to);
        string? vantage = query.Text("vantage");
        var problems = new Dictionary<string, string>(query.Problems);
        TimeSpan? step = null;
        if (!query.Failed && wanted && (to <= from || (step = ChartSteps.For(from, to)) is null))
        {
            problems["from"] = to <= from ? "Write a time before `to`." : "That is longer than anything is kept.";
        }

        if (problems.Count > 0)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, problems);
        }

        if (Probed(target, targets) is not { } found)
        {
            return NotProbed(target);
        }

        VantagePoint? seen = vantage is null ? null : SeenFrom(found, vantage);
        string id = seen?.Id ?? VantagePoint.HubId;
        return TypedResults.Ok(found.ToDto(step is { } length ? (await history.ReadAsync(found.Id, id, from, to, length, context.RequestAborted)).ToDto(id) : null, seen));
    }

    /// <summary>Whoever does not ask it now may have done so.</summary>
    private static VantagePoint SeenFrom(ProbedTarget target, string vantage) =>
        target.VantagePoints.FirstOrDefault(v => string.Equals(v.Id, vantage, StringComparison.OrdinalIgnoreCase))
        ?? target.VantagePoints.FirstOrDefault(v => string.Equals(v.Name, vantage, StringComparison.OrdinalIgnoreCase))
        ?? new VantagePoint { Id = vantage, Name = vantage, State = ReachabilityState.Unknown, Recent = [], Problem = null };

    private static async Task<IResult> SamplesAsync(string target, HttpContext context, IReachabilityHistory history, IProbedTargets targets, TimeProvider time)
    {
        var query = new ApiQuery(context);
        DateTimeOffset to = query.Time("to") ?? time.GetUtcNow();
        DateTimeOffset from = query.Time("from") ?? Before(to);
        int limit = query.Limit(10_000, 3_600);
        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        if (Probed(target, targets) is not { } found)
        {
            return NotProbed(target);
        }

        IReadOnlyList<ProbeSample> samples = await history.SamplesAsync(found.Id, query.Text("vantage") ?? VantagePoint.HubId, from, to, limit, context.RequestAborted);
        return TypedResults.Ok(new PageDto<ProbeDto>([.. samples.Select(s => s.ToDto())], null));
    }

    private static DateTimeOffset Before(DateTimeOffset to) => to - DateTimeOffset.MinValue < DefaultSpan ? DateTimeOffset.MinValue : to - DefaultSpan;

    /// <summary>Routing leaves "%2F" as it is, because a decoded slash would change which route is meant.</summary>
    private static ProbedTarget? Probed(string target, IProbedTargets targets)
    {
        string text = Uri.UnescapeDataString(target);
        if (targets.Find(text) is { } byId)
        {
            return byId;
        }

        if (IPNetwork.TryParse(text, out IPNetwork prefix))
        {
            return targets.Find(prefix.ToString());
        }

        return IPAddress.TryParse(text, out IPAddress? address)
            ? targets.Current.FirstOrDefault(t => t.Prefix is not null && t.Address == address.ToString()) ?? targets.Current.FirstOrDefault(t => t.Prefix?.Contains(address) == true)
            : null;
    }

    private static ProblemHttpResult NotProbed(string target) => ApiProblems.NotFound($"'{Uri.UnescapeDataString(target)}' is nothing that the hub probes.");
}
