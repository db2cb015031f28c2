using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace FailoverHub.Web.Api;

/// <summary>What the OpenAPI document says beside the routes themselves.</summary>
internal static class ApiDescription
{
    private const string Scheme = "bearer";

    public static void Configure(OpenApiOptions options)
    {
        // The dashboard's and the agents' routes are not for scripts.
        options.ShouldInclude = route => route.RelativePath?.StartsWith("api/v1/", StringComparison.Ordinal) == true;

        options.AddDocumentTransformer((document, _, _) =>
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
            return Task.CompletedTask;
        });
    }
}
