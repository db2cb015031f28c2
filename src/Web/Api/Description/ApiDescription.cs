using FailoverHub.Web.Api.Repeats;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace FailoverHub.Web.Api.Description;

/// <summary>What the OpenAPI document says beside the routes themselves.</summary>
internal static class ApiDescription
{
    private const string Scheme = "bearer";
    private const string Problem = "application/problem+json";

    public static void Configure(OpenApiOptions options)
    {
        // The dashboard's and the agents' routes are not for scripts.
        options.ShouldInclude = route => route.RelativePath?.StartsWith("api/v1/", StringComparison.Ordinal) == true;
        options.AddOperationTransformer(DescribeCallAsync);
        options.AddDocumentTransformer(DescribeAsync);
    }

    private static Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "FailoverHub",
            Version = "v1",
            Description = "Failover pairs as they are now, their history, and the operations that move shared addresses. Every fact is as old as the report "
                + "it came with; silence is Unknown. Errors are RFC 9457 problem details; where a rule refused they carry ruleId and remedy.",
        };
        document.Servers?.Clear();
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A token from `failoverhub token create`: scope read for GET, scope operate for POST too.",
        };
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
        if (document.Components.Schemas?.TryGetValue("ProblemDetails", out IOpenApiSchema? problem) == true)
        {
            DescribeProblem((OpenApiSchema)problem);
        }

        return Task.CompletedTask;
    }

    /// <summary>The members that ours have beside those of RFC 9457.</summary>
    private static void DescribeProblem(OpenApiSchema problem)
    {
        // What the API reads is strict; what it says of a problem may grow.
        problem.AdditionalPropertiesAllowed = true;
        problem.AdditionalProperties = null;
        problem.Properties ??= new Dictionary<string, IOpenApiSchema>();
        problem.Properties["traceId"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The request in the hub's traces." };
        problem.Properties["ruleId"] = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^SR-[0-9]{2}$", Description = "The rule that refused; absent: no rule did." };
        problem.Properties["rule"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Its name." };
        problem.Properties["remedy"] = new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null, Description = "What to do about it." };
        problem.Properties["canOverride"] = new OpenApiSchema { Type = JsonSchemaType.Boolean, Description = "It may be named in overrideRules." };
        problem.Properties["blockingRules"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.Object }, Description = "Every rule that stands in the way." };
        problem.Properties["errors"] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "What is wrong, by field or parameter; $ is the body as a whole.",
            AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
        };
    }

    private static Task DescribeCallAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        IList<object> metadata = context.Description.ActionDescriptor.EndpointMetadata;
        bool post = string.Equals(context.Description.HttpMethod, "POST", StringComparison.OrdinalIgnoreCase);
        operation.Parameters ??= [];
        foreach (OpenApiParameter parameter in operation.Parameters.OfType<OpenApiParameter>().Where(p => p.In == ParameterLocation.Path))
        {
            parameter.Description ??= DescribePath(parameter.Name);
        }

        foreach (QueryParameter query in metadata.OfType<QueryParameters>().LastOrDefault()?.All ?? [])
        {
            operation.Parameters.Add(new OpenApiParameter { Name = query.Name, In = ParameterLocation.Query, Description = query.Description, Schema = query.Schema });
        }

        if (post && !metadata.OfType<AnsweredOnce>().Any())
        {
            operation.Parameters.Add(Header(IdempotencyKey.Header, "A key of your own, 1 to 255 visible ASCII characters. Sent again with the same body within 24 hours it gives the same answer, and nothing is done twice; with another body it is refused with 422.", IdempotencyKey.LongestKey));
        }

        if (post && context.Description.RelativePath is { } path && (path.EndsWith("/operations", StringComparison.Ordinal) || path.EndsWith("/operations/preview", StringComparison.Ordinal)))
        {
            operation.Parameters.Add(Header("If-Match", "The ETag of the pair as it was last seen. When somebody has changed the pair since, the answer is 412. The same as expectedRevision.", 40));
        }

        if (metadata.OfType<TakesIfMatch>().Any())
        {
            operation.Parameters.Add(Header("If-Match", "The ETag of what is changed as it was last seen. When somebody has changed it since, the answer is 412.", 40));
        }

        DescribeAnswers(operation);
        ApiExamples.AddTo(operation);
        return Task.CompletedTask;
    }

    private static void DescribeAnswers(OpenApiOperation operation)
    {
        foreach ((string status, IOpenApiResponse answer) in operation.Responses ?? [])
        {
            if (answer is not OpenApiResponse response)
            {
                continue;
            }

            response.Headers ??= new Dictionary<string, IOpenApiHeader>();
            if (status is "429" or "503")
            {
                response.Headers["Retry-After"] = new OpenApiHeader { Description = "Seconds until it is worth trying again.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } };
            }

            if (status is "202")
            {
                response.Headers["Location"] = new OpenApiHeader { Description = "Where to follow it.", Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
            }

            if (status is "200" && operation.OperationId is "getPair" or "getAlertRule" or "getAlertChannel" or "getTarget")
            {
                response.Headers["ETag"] = new OpenApiHeader { Description = "Its revision, for If-Match.", Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
            }

            // The framework writes "application/json" for some of them; what is sent is a problem document.
            if (status[0] is '4' or '5' && response.Content?.Remove("application/json", out OpenApiMediaType? media) == true)
            {
                response.Content[Problem] = media;
            }
        }
    }

    private static OpenApiParameter Header(string name, string description, int longest) =>
        new() { Name = name, In = ParameterLocation.Header, Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = longest } };

    private static string DescribePath(string? name) => name switch
    {
        "pair" => "Id or name of the pair.",
        "node" => "Name of the node.",
        "id" => "Its id.",
        "target" => "An address, or a prefix with its slash escaped: 203.0.113.10%2F32.",
        _ => "Its name.",
    };
}
