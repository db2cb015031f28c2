using System.Collections.Immutable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Discovery;

/// <summary>A metadata service on loopback that insists on what the platform's insists on.</summary>
internal sealed class MetadataServer : IAsyncDisposable
{
    private const string Token = "0123456789abcdef";

    private readonly WebApplication _application;

    private MetadataServer(WebApplication application) => _application = application;

    public string Instance { get; set; } = Documents.Instance;

    public string Network { get; set; } = Documents.Network;

    /// <summary>Written piece by piece, so that nobody knows its length before.</summary>
    public bool Chunked { get; set; }

    /// <summary>Method and path of each question.</summary>
    public Signal<string> Asked { get; } = new();

    public Uri Address => new(_application.Urls.Single());

    public ImmutableArray<Uri> Endpoints => [Address];

    public static async Task<MetadataServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new MetadataServer(builder.Build());
        server._application.Run(server.AnswerAsync);
        await server._application.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        Asked.Add($"{request.Method} {request.Path}");
        var body = (request.Method, request.Path.Value) switch
        {
            ("PUT", "/v1/token") when request.Headers["Metadata-Token-Expiry-Seconds"] == "3600" => Token,
            ("GET", "/v1/instance") when IsAllowed(request) => Instance,
            ("GET", "/v1/network") when IsAllowed(request) => Network,
            _ => null,
        };
        context.Response.StatusCode = body is null ? 401 : 200;
        var bytes = Documents.Bytes(body ?? "no");
        if (Chunked)
        {
            await context.Response.Body.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await context.Response.Body.FlushAsync();
            await context.Response.Body.WriteAsync(bytes.AsMemory(bytes.Length / 2));
        }
        else
        {
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes);
        }
    }

    private static bool IsAllowed(HttpRequest request) => request.Headers["Metadata-Token"] == Token && request.Headers.Accept == "application/json";
}
