using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Api.Operations;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;

namespace FailoverHub.Web.Api;

/// <summary>Everything the API says when it says no: RFC 9457 problem details.</summary>
internal static class ApiProblems
{
    public const string ContentType = "application/problem+json";

    public static ProblemHttpResult NotFound(string what) =>
        TypedResults.Problem(what, statusCode: StatusCodes.Status404NotFound, title: "Not found");

    public static ProblemHttpResult Malformed(int status, IReadOnlyDictionary<string, string> problems) =>
        TypedResults.Problem(
            string.Join(' ', problems.Select(p => p.Key == "$" ? p.Value : $"{p.Key}: {p.Value}")),
            statusCode: status,
            title: status == StatusCodes.Status400BadRequest ? "The request cannot be understood" : ReasonPhrases.GetReasonPhrase(status),
            extensions: new Dictionary<string, object?> { ["errors"] = problems.ToDictionary(p => p.Key, p => new[] { p.Value }) });

    /// <summary>The first rule that stands in the way gives status, rule and remedy; the others are listed.</summary>
    public static ProblemHttpResult Refused(OperationPreview preview)
    {
        ImmutableArray<RuleResult> blocking = [.. preview.Rules.Where(r => r.Blocks)];
        RuleResult first = blocking[0];
        return TypedResults.Problem(
            first.Message,
            statusCode: first.HttpStatus,
            title: $"Refused by {first.RuleId} {first.Name}",
            extensions: new Dictionary<string, object?>
            {
                ["ruleId"] = first.RuleId,
                ["rule"] = first.Name,
                ["remedy"] = first.Remedy,
                ["canOverride"] = first.CanOverride,
                ["retryAfterSeconds"] = first.RetryAfter is { } wait ? LaterResult.Seconds(wait) : null,
                ["blockingRules"] = blocking.Select(r => r.ToDto()).ToArray(),
            });
    }

    /// <summary>Answer to a request that the hub has looked at.</summary>
    public static IResult Answer(SubmitResult result) => result switch
    {
        SubmitResult.Accepted accepted => TypedResults.Accepted($"/api/v1/operations/{accepted.OperationId}", new OperationAcceptedDto(accepted.OperationId)),
        SubmitResult.Refused refused when refused.Preview.Rules.First(r => r.Blocks) is { RetryAfter: { } wait } => new LaterResult(Refused(refused.Preview), wait),
        SubmitResult.Refused refused => Refused(refused.Preview),
        SubmitResult.TooLate late => TypedResults.Problem(late.Why, statusCode: StatusCodes.Status409Conflict, title: "Too late"),
        SubmitResult.Invalid invalid => Malformed(StatusCodes.Status400BadRequest, invalid.Problem),
        SubmitResult.Forbidden forbidden => TypedResults.Problem(forbidden.Why, statusCode: StatusCodes.Status403Forbidden, title: "Not allowed"),
        SubmitResult.NotFound notFound => NotFound(notFound.What),
        SubmitResult.Unavailable unavailable => new LaterResult(TypedResults.Problem(
            $"{unavailable.Why} Nothing was done.", statusCode: StatusCodes.Status503ServiceUnavailable, title: "The hub cannot keep a record, so it does nothing"), TimeSpan.FromSeconds(5)),
        _ => throw new InvalidOperationException($"No answer for {result.GetType().Name}."),
    };

    /// <summary>A refusal that is over after a while: Retry-After (RFC 9110 10.2.3) says when.</summary>
    private sealed class LaterResult(ProblemHttpResult problem, TimeSpan wait) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.RetryAfter = Seconds(wait).ToString(CultureInfo.InvariantCulture);
            return problem.ExecuteAsync(httpContext);
        }

        /// <summary>Rounded up, at least 1.</summary>
        public static long Seconds(TimeSpan wait) => Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
    }
}
