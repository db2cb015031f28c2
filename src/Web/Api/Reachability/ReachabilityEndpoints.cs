using System.Net;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Reachability;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Reachability;

/// <summary>Whether shared addresses answer.</summary>
internal static class ReachabilityEndpoints
{
    private static readonly TimeSpan DefaultSpan = TimeSpan.FromHours(1);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/reachability", List).WithTags("Reachability").WithName("listReachability").WithSummary("Every probed address")
            .Produces<PageDto<ReachabilityDto>>();
        api.MapGet("/reachability/{target}", Find).WithTags("Reachability").WithName("getReachability").WithSummary("One shared address as it is now")
            .WithDescription("The target is an address, or a prefix with its slash escaped: 203.0.113.10%2F32.")
            .Produces<ReachabilityDto>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/reachability/{target}/samples", SamplesAsync).WithTags("Reachability").WithName("listProbeSamples").WithSummary("Stored probes of one shared address, oldest first")
            .WithDescription("An hour back from now when the times are left out. Probes are kept for 24 hours.")
            .WithQuery(QueryParameter.From, QueryParameter.To, QueryParameter.Limit(10_000, 3_600))
            .Produces<PageDto<ProbeDto>>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static Ok<PageDto<ReachabilityDto>> List(IReachability reachability) =>
        TypedResults.Ok(new PageDto<ReachabilityDto>([.. reachability.Current.Select(t => t.ToDto())], null));

    private static Results<Ok<ReachabilityDto>, ProblemHttpResult> Find(string target, IReachability reachability) =>
        Target(target, reachability) is { } found ? TypedResults.Ok(found.ToDto()) : NotProbed(target);

    private static async Task<IResult> SamplesAsync(string target, HttpContext context, IReachability reachability, TimeProvider time)
    {
        var query = new ApiQuery(context);
        DateTimeOffset to = query.Time("to") ?? time.GetUtcNow();
        DateTimeOffset from = query.Time("from") ?? (to - DateTimeOffset.MinValue < DefaultSpan ? DateTimeOffset.MinValue : to - DefaultSpan);
        int limit = query.Limit(10_000, 3_600);
        if (query.Failed)
        {
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, query.Problems);
        }

        if (Target(target, reachability) is not { } found)
        {
            return NotProbed(target);
        }

        IReadOnlyList<ProbeSample> samples = await reachability.SamplesAsync(found.Prefix, from, to, limit, context.RequestAborted);
        return TypedResults.Ok(new PageDto<ProbeDto>([.. samples.Select(s => s.ToDto())], null));
    }

    /// <summary>Routing leaves "%2F" as it is, because a decoded slash would change which route is meant.</summary>
    private static TargetReachability? Target(string target, IReachability reachability)
    {
        string text = Uri.UnescapeDataString(target);
        if (IPNetwork.TryParse(text, out IPNetwork prefix))
        {
            return reachability.Find(prefix);
        }

        return IPAddress.TryParse(text, out IPAddress? address)
            ? reachability.Current.FirstOrDefault(t => t.Address.Equals(address)) ?? reachability.Current.FirstOrDefault(t => t.Prefix.Contains(address))
            : null;
    }

    private static ProblemHttpResult NotProbed(string target) => ApiProblems.NotFound($"'{Uri.UnescapeDataString(target)}' is not an address or prefix that the hub probes.");
}
