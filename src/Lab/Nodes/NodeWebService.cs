using System.Collections.Immutable;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FailoverHub.Lab.Nodes;

/// <summary>What the nodes serve over HTTP: every path answers with the name of the node, so that a client sees who answered.</summary>
internal sealed class NodeWebService : IAsyncDisposable
{
    private readonly WebApplication _app;

    public NodeWebService(ImmutableArray<TrialNode> nodes, int port)
    {
        var names = new NodeNames(nodes);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 2048;
            foreach (var node in nodes)
            {
                kestrel.Listen(node.Address, port);
            }
        });
        _app = builder.Build();
        _app.Run(context => AnswerAsync(context, names));
    }

    /// <exception cref="IOException">A port is taken.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => _app.StartAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // Nobody waits for an answer of a node that is switched off.
        using var atOnce = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(atOnce.Token);
        await _app.DisposeAsync();
    }

    private static Task AnswerAsync(HttpContext context, NodeNames names)
    {
        var address = context.Connection.LocalIpAddress ?? IPAddress.None;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Connection = "close";
        var body = Encoding.UTF8.GetBytes($"{names.Find(address)}\n");
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body).AsTask();
    }

    /// <summary>The process has one owner of its signals, and it is not this service.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
