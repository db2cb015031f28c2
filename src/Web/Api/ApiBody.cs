using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace FailoverHub.Web.Api;

/// <summary>A request's body: read strictly, and described as what it is read into.</summary>
internal static class ApiBody
{
    /// <summary>Either the body, or the answer that says what is wrong with it; then the attempt is audited.</summary>
    public static async Task<(T? Body, IResult? Problem)> ReadAsync<T>(HttpContext context)
        where T : class
    {
        (T? body, IResult? problem, string why) = await TryReadAsync<T>(context);
        if (problem is not null)
        {
            await RefusedRequest.AuditAsync(context, why);
        }

        return (body, problem);
    }

    private static async Task<(T? Body, IResult? Problem, string Why)> TryReadAsync<T>(HttpContext context)
        where T : class
    {
        if (!context.Request.HasJsonContentType())
        {
            return (null, ApiProblems.Malformed(StatusCodes.Status415UnsupportedMediaType, new Dictionary<string, string> { ["$"] = "Send the request as application/json." }), "not sent as application/json");
        }

        try
        {
            return await JsonSerializer.DeserializeAsync<T>(context.Request.Body, ApiJson.Bodies, context.RequestAborted) is { } body
                ? (body, null, "")
                : (null, Malformed("The body is null; send a JSON object."), "the body is null");
        }
        catch (JsonException exception)
        {
            string why = $"The body cannot be understood at '{exception.Path ?? "$"}': unknown field, missing field, wrong type, null where something has to be, or no JSON object.";
            return (null, Malformed(why), why);
        }
        catch (BadHttpRequestException exception)
        {
            const string Unfinished = "The body is too large, or ended before it was complete.";
            return (null, ApiProblems.Malformed(exception.StatusCode, new Dictionary<string, string> { ["$"] = Unfinished }), Unfinished);
        }
    }

    /// <summary>For the OpenAPI document.</summary>
    public static async Task DescribeAsync<T>(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken) =>
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = await context.GetOrCreateSchemaAsync(typeof(T), null, cancellationToken) } },
        };

    public static ProblemHttpResult Malformed(string why) => ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { ["$"] = why });

    public static ProblemHttpResult Unavailable(string why) =>
        TypedResults.Problem(why, statusCode: StatusCodes.Status503ServiceUnavailable, title: "The hub cannot keep a record, so it does nothing");
}
