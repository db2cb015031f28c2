using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>What somebody sent.</summary>
internal sealed record Received(string Path, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>A real HTTP server on loopback that keeps what it is sent and answers as a test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();

    private Receiver(WebApplication app) => _app = app;

    public Uri Url => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Status and body of each answer.</summary>
    public Func<Received, Task<(int Status, string Body)>> Answer { get; set; } = _ => Task.FromResult((204, ""));

    /// <summary>Further headers of each answer.</summary>
    public Dictionary<string, string> AnswerHeaders { get; } = [];

    public static async Task<Receiver> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        var receiver = new Receiver(app);
        app.Run(receiver.TakeAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>The next one that nobody has taken yet; the bound only ends a test that hangs.</summary>
    public async Task<Received> NextAsync()
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        return await _received.Reader.ReadAsync(safety.Token);
    }

    /// <summary>What came and nobody has taken yet.</summary>
    public IReadOnlyList<Received> Rest()
    {
        var rest = new List<Received>();
        while (_received.Reader.TryRead(out Received? one))
        {
            rest.Add(one);
        }

        return rest;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var received = new Received(context.Request.Path, context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), await reader.ReadToEndAsync(context.RequestAborted));
        _received.Writer.TryWrite(received);
        (int status, string body) = await Answer(received);
        context.Response.StatusCode = status;
        foreach ((string name, string value) in AnswerHeaders)
        {
            context.Response.Headers[name] = value;
        }

        if (body.Length > 0)
        {
            await context.Response.WriteAsync(body, context.RequestAborted);
        }
    }
}
