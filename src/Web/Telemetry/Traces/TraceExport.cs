using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FailoverHub.Web.Telemetry.Traces;

/// <summary>
/// Where the spans go: to a collector that speaks OTLP, and nowhere without one. How (gRPC or HTTP, headers, certificates, sampling of requests that are no operations) is said by the standard's
/// own variables `OTEL_EXPORTER_OTLP_…` and `OTEL_TRACES_SAMPLER`. What cannot be delivered is thrown away after 10 s; the hub never waits for a collector.
/// </summary>
internal static class TraceExport
{
    /// <summary>Blazor's own spans: the click, and what it set going.</summary>
    private static readonly string[] Surroundings = ["Microsoft.AspNetCore.Components", "Microsoft.AspNetCore.Components.Server.Circuits"];

    private const string HttpPath = "/v1/traces";

    /// <param name="services">Of the hub.</param>
    /// <param name="endpoint">Of the collector; null: there is none, and nothing is traced.</param>
    public static IServiceCollection AddHubTraces(this IServiceCollection services, Uri? endpoint)
    {
        if (endpoint is null)
        {
            return services;
        }

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("failoverhub", serviceVersion: Configuration.HubVersion.Text))
            .WithTracing(traces => traces
                .AddSource([HubTraces.SourceName, .. Surroundings])
                .AddAspNetCoreInstrumentation(requests => requests.Filter = IsWorthASpan)
                .AddOtlpExporter(exporter => Configure(exporter, endpoint)));
        return services;
    }

    // Agents' streams last for weeks, and who scrapes or asks whether the hub lives does so for ever.
    private static bool IsWorthASpan(HttpContext request) => request.Request.Path.StartsWithSegments("/api") && !HttpMethods.IsGet(request.Request.Method);

    // What is set in code is taken as it is; for HTTP the standard says that the setting is a base.
    private static void Configure(OtlpExporterOptions exporter, Uri endpoint)
    {
        string address = endpoint.AbsoluteUri.TrimEnd('/');
        exporter.Endpoint = exporter.Protocol == OtlpExportProtocol.Grpc || address.EndsWith(HttpPath, StringComparison.Ordinal) ? endpoint : new Uri(address + HttpPath);
    }
}
