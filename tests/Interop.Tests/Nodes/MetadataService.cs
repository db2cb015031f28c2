using System.Net;
using FailoverHub.Interop.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Interop.Tests.Nodes;

/// <summary>
/// The platform's metadata service as a node sees it: at its two link-local addresses, port 80, with a token. Served from the test process, listening in the node's network.
/// </summary>
internal sealed class MetadataService : IAsyncDisposable
{
    private const string Token = "7f3a9c";
    private const string Ipv4 = "169.254.169.254";
    private const string Ipv6 = "fd00:a9fe:a9fe::1";

    private readonly WebApplication _application;

    private MetadataService(WebApplication application) => _application = application;

    /// <summary>Starts it for a node of region us-ord, whose data center the harness imitates.</summary>
    /// <param name="center">Where.</param>
    /// <param name="node">a or b.</param>
    /// <param name="source">The address that the platform knows the node by.</param>
    /// <param name="cancellation">Of the test.</param>
    public static async Task<MetadataService> StartAsync(DataCenter center, string node, string source, CancellationToken cancellation)
    {
        var network = Addresses.NodeNetwork(node);
        // Not on loopback: there every address is taken for a shared one.
        await center.Sandbox.ScriptAsync(
            $"""
            ip -n {network} addr add {Ipv4}/32 dev eth0
            ip -n {network} -6 addr add {Ipv6}/128 dev eth0 nodad
            """,
            cancellation);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = at => Native.BindIn(center.Sandbox.NamespaceFile(network), (IPEndPoint)at));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Parse(Ipv4), 80);
            kestrel.Listen(IPAddress.Parse(Ipv6), 80);
        });
        var application = builder.Build();
        application.Run(context => AnswerAsync(context, source));
        await application.StartAsync(cancellation);
        return new MetadataService(application);
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private static Task AnswerAsync(HttpContext context, string source)
    {
        var request = context.Request;
        var allowed = request.Headers["Metadata-Token"] == Token && request.Headers.Accept == "application/json";
        var body = (request.Method, request.Path.Value) switch
        {
            ("PUT", "/v1/token") when request.Headers["Metadata-Token-Expiry-Seconds"] == "3600" => Token,
            ("GET", "/v1/instance") when allowed =>
                """{"id":4242,"host_uuid":"5be1c0ffee5be1c0ffee5be1c0ffee00","label":"web-a","region":"us-ord","type":"g6-nanode-1","tags":[],"specs":{"vcpus":1}}""",
            ("GET", "/v1/network") when allowed =>
                $$"""{"interfaces":[],"ipv4":{"public":["192.0.2.10/32"],"private":[],"shared":["{{Addresses.SharedIpv4}}"]},"ipv6":{"slaac":"{{source}}/128","link_local":"fe80::1/128","ranges":[],"shared_ranges":[] } }""",
            _ => null,
        };
        context.Response.StatusCode = body is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status200OK;
        return context.Response.WriteAsync(body ?? "", context.RequestAborted);
    }
}
