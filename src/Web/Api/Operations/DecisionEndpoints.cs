using System.Text.Json;
using FailoverHub.Web.Access;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace FailoverHub.Web.Api.Operations;

/// <summary>Why something is decided about an operation.</summary>
public sealed record DecisionBody
{
    /// <summary>Why, 3 to 500 characters; it stands in the audit.</summary>
    public string? Reason { get; init; }
}

/// <summary>What may be decided about an operation that there is already.</summary>
internal static class DecisionEndpoints
{
    public static void MapChanges(IEndpointRouteBuilder api)
    {
        Describe(api.MapPost("/operations/{id}/cancel", (string id, HttpContext context, IOperations operations) => DecideAsync(context, reason => operations.CancelAsync(id, reason, RequestActor.Of(context), context.RequestAborted))))
            .WithName("cancelOperation").WithSummary("Stop an operation that is under way")
            .WithDescription("What waits does not begin; what was sent is taken back, as after a failed step; follow the operation to see how it ends. 409: it has ended, is ending, or its outcome is not known.");
    }

    public static void MapApprovals(IEndpointRouteBuilder api)
    {
        Describe(api.MapPost("/operations/{id}/approve", (string id, HttpContext context, IOperations operations) => DecideAsync(context, reason => operations.ApproveAsync(id, reason, RequestActor.Of(context), context.RequestAborted))))
            .WithName("approveOperation").WithSummary("Agree, as a second person, to an operation that waits for that")
            .WithDescription("It begins, or waits for its time; the rules are checked again. 403: whoever asked for it cannot approve it (SR-11). 409: it does not wait for approval, or a rule stands in the way now.");
        Describe(api.MapPost("/operations/{id}/reject", (string id, HttpContext context, IOperations operations) => DecideAsync(context, reason => operations.RejectAsync(id, reason, RequestActor.Of(context), context.RequestAborted))))
            .WithName("rejectOperation").WithSummary("End an operation that waits for a second person")
            .WithDescription("Nothing was sent, and nothing is. 409: it does not wait for approval.");
    }

    private static RouteHandlerBuilder Describe(RouteHandlerBuilder route) => route.WithTags("Operations")
        .AddOpenApiOperationTransformer(DescribeBodyAsync)
        .Produces<OperationAcceptedDto>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task DescribeBodyAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken) =>
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new() { Schema = await context.GetOrCreateSchemaAsync(typeof(DecisionBody), null, cancellationToken) },
            },
        };

    // What can be read goes to the desk, which audits what it refuses; what cannot is audited here.
    private static async Task<IResult> DecideAsync(HttpContext context, Func<string, Task<SubmitResult>> decide)
    {
        if (!context.Request.HasJsonContentType())
        {
            return await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, "$", "Send the request as application/json.");
        }

        DecisionBody? body;
        try
        {
            body = await JsonSerializer.DeserializeAsync<DecisionBody>(context.Request.Body, ApiJson.Bodies, context.RequestAborted);
        }
        catch (JsonException)
        {
            return await RefuseAsync(context, StatusCodes.Status400BadRequest, "$", "The body is not one JSON object with a reason.");
        }
        catch (BadHttpRequestException exception)
        {
            return await RefuseAsync(context, exception.StatusCode, "$", "The body is too large, or ended before it was complete.");
        }

        return body?.Reason?.Any(char.IsControl) == true
            ? await RefuseAsync(context, StatusCodes.Status400BadRequest, "reason", "Write one line of text, without control characters.")
            : await AnswerAsync(context, await decide(body?.Reason ?? ""));
    }

    // Of an operation that there is not, the desk has nothing to write down.
    private static async Task<IResult> AnswerAsync(HttpContext context, SubmitResult result)
    {
        if (result is SubmitResult.NotFound notFound)
        {
            await RefusedRequest.AuditAsync(context, notFound.What);
        }

        return ApiProblems.Answer(result);
    }

    private static async Task<IResult> RefuseAsync(HttpContext context, int status, string where, string why)
    {
        await RefusedRequest.AuditAsync(context, why);
        return ApiProblems.Malformed(status, new Dictionary<string, string> { [where] = why });
    }
}
