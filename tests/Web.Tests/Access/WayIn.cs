using FailoverHub.Web.Configuration;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.SignalR;

namespace FailoverHub.Web.Tests.Access;

/// <summary>One way into the hub, found in the running application: a route with one of its methods, a page, a gRPC method, a SignalR hub or a method of it.</summary>
/// <param name="Name">As <see cref="AccessTable"/> calls it.</param>
/// <param name="Route">Where it leads.</param>
/// <param name="Method">The HTTP method; null: any. A gRPC method has POST. A method of a SignalR hub is called by <paramref name="Call"/>.</param>
/// <param name="Call">Name of the SignalR hub's method; null: it is none.</param>
/// <param name="Metadata">What the application says of it.</param>
internal sealed record WayIn(string Name, RouteEndpoint Route, string? Method, string? Call, IReadOnlyList<object> Metadata)
{
    /// <summary>Served for agents only.</summary>
    public bool IsForAgents => Route.Metadata.GetMetadata<ServedOn>() == ServedOn.Agents;

    public bool IsGrpc => Route.Metadata.GetMetadata<GrpcMethodMetadata>() is not null;

    /// <summary>An address that leads there: what a route leaves open is filled in with a name that nothing has.</summary>
    public string Path => "/" + string.Join('/', Route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart { Name: "documentName" } => "v1",
        RoutePatternParameterPart { Name: "path" } => "nothing.css",
        RoutePatternParameterPart parameter => parameter.Default?.ToString() ?? "no-such",
        _ => "",
    }))));

    /// <summary>Every one that the application has.</summary>
    public static IEnumerable<WayIn> AllOf(EndpointDataSource endpoints) => endpoints.Endpoints.OfType<RouteEndpoint>().SelectMany(Of);

    private static IEnumerable<WayIn> Of(RouteEndpoint route)
    {
        string path = $"/{route.RoutePattern.RawText?.TrimStart('/')}";
        if (route.Metadata.GetMetadata<GrpcMethodMetadata>() is { } grpc)
        {
            yield return new WayIn($"gRPC {grpc.Method.FullName}", route, "POST", null, route.Metadata);
        }
        else if (route.Metadata.GetMetadata<ComponentTypeMetadata>() is not null)
        {
            yield return new WayIn($"page {path}", route, "GET", null, route.Metadata);
        }
        else if (route.Metadata.GetMetadata<HubMetadata>() is { } signal && !path.StartsWith("/_blazor", StringComparison.Ordinal))
        {
            yield return new WayIn($"SignalR {path}", route, null, null, route.Metadata);
            if (!path.EndsWith("/negotiate", StringComparison.Ordinal))
            {
                foreach (System.Reflection.MethodInfo method in signal.HubType.GetMethods().Where(m => m.DeclaringType == signal.HubType && !m.IsSpecialName && m.GetBaseDefinition().DeclaringType == signal.HubType))
                {
                    yield return new WayIn($"SignalR {signal.HubType.Name}.{method.Name}", route, null, method.Name, [.. route.Metadata, .. method.GetCustomAttributes(true)]);
                }
            }
        }
        else if (IsStaticFile(route))
        {
            yield return new WayIn("static files", route, "GET", null, route.Metadata);
        }
        else
        {
            IReadOnlyList<string?> methods = route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } some ? [.. some] : [null];
            foreach (string? method in methods)
            {
                yield return new WayIn($"{method ?? "any"} {path}", route, method, null, route.Metadata);
            }
        }
    }

    private static bool IsStaticFile(RouteEndpoint route) => route.Metadata.Any(m => m.GetType().Name.Contains("StaticAsset", StringComparison.Ordinal))
        || System.IO.Path.HasExtension(route.RoutePattern.RawText) && route.RoutePattern.RawText!.StartsWith("_framework/", StringComparison.Ordinal);
}
