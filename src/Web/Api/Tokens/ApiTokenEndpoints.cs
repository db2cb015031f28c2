using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Api.Repeats;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.Api.Tokens;

/// <summary>Tokens of the API, made and revoked by the API. Every refusal is in the audit, like every change: the room below writes both.</summary>
internal static class ApiTokenEndpoints
{
    private const string Tag = "Tokens";

    /// <summary>For tokens of scope admin only, reading too.</summary>
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/api-tokens", async (ApiTokens tokens, CancellationToken stop) => TypedResults.Ok((await tokens.ListAsync(stop)).Select(t => t.ToDto()).ToArray()))
            .WithTags(Tag).WithName("listApiTokens").WithSummary("Every token that is not revoked, by name; never the tokens themselves").Produces<ApiTokenDto[]>();
        api.MapPost("/api-tokens", CreateAsync).WithMetadata(new AnsweredOnce()).WithTags(Tag).WithName("createApiToken").WithSummary("Make a token of the API")
            .WithDescription("The token is in this answer and nowhere else.")
            .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<ApiTokenBody>)
            .Produces<ApiTokenCreatedDto>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapDelete("/api-tokens/{name}", RevokeAsync).WithTags(Tag).WithName("revokeApiToken").WithSummary("Take a token's rights away at once; its streams end")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> CreateAsync(HttpContext context, ApiTokens tokens)
    {
        (ApiTokenBody? body, IResult? problem) = await ApiBody.ReadAsync<ApiTokenBody>(context);
        if (body is null)
        {
            return problem!;
        }

        if (ApiScopes.Parse(body.Scope) is not { } scope)
        {
            const string Unknown = "There are the scopes read, operate, approve and admin.";
            await RefusedRequest.AuditAsync(context, $"scope: {Unknown}");
            return ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { ["scope"] = Unknown });
        }

        return await WrittenAsync(async () =>
        {
            // More days than a TimeSpan can have are too many as well, and the room says so.
            TimeSpan lifetime = body.Days is { } days ? TimeSpan.FromDays(Math.Clamp(days, 0, (int)ApiTokens.LongestLifetime.TotalDays + 1)) : ApiTokens.DefaultLifetime;
            TokenCreation made = await tokens.CreateAsync(body.Name, scope, lifetime, RequestActor.Of(context), context.RequestAborted);
            if (made.Token is not { } token)
            {
                return TypedResults.Problem(made.Problem, statusCode: StatusCodes.Status409Conflict, title: "Refused");
            }

            return (await tokens.ListAsync(context.RequestAborted)).FirstOrDefault(t => t.Name == body.Name) is { } info
                ? TypedResults.Created((string?)null, new ApiTokenCreatedDto { Token = token, Info = info.ToDto() })
                : ApiProblems.NotFound($"The token '{body.Name}' was revoked meanwhile.");
        });
    }

    private static Task<IResult> RevokeAsync(string name, HttpContext context, ApiTokens tokens) => WrittenAsync(async () =>
        await tokens.RevokeAsync(name, RequestActor.Of(context), context.RequestAborted)
            ? TypedResults.NoContent()
            : ApiProblems.NotFound($"No token has the name '{name}', or it is revoked already."));

    private static async Task<IResult> WrittenAsync(Func<Task<IResult>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return ApiBody.Unavailable($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
    }
}
