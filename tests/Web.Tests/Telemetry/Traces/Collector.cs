using System.Threading.Channels;
using FailoverHub.Web.Tests.Telemetry.Traces.Otlp;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Web.Tests.Telemetry.Traces;

/// <summary>A small real collector: OTLP by gRPC, and by HTTP with protobuf, each on a port of its own. It keeps what it is sent.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly Channel<Span> _arrived = Channel.CreateUnbounded<Span>();
    private readonly List<Span> _spans = [];
    private WebApplication _app = null!;

    /// <summary>For gRPC.</summary>
    public Uri Grpc => Bound(0);

    /// <summary>For HTTP with protobuf.</summary>
    public Uri Http => Bound(1);

    public string? ServiceName { get; private set; }

    public static async Task<Collector> StartAsync()
    {
        var collector = new Collector();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(collector);
        collector._app = builder.Build();
        collector._app.MapGrpcService<Receiver>();
        collector._app.MapPost("/v1/traces", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            collector.Take(ExportTraceServiceRequest.Parser.ParseFrom(body.ToArray()));
            return Results.Bytes([], "application/x-protobuf");
        });
        await collector._app.StartAsync(TestContext.Current.CancellationToken);
        return collector;
    }

    /// <summary>Everything of one trace, once it has a span of that name. The bound only ends a test that hangs.</summary>
    public async Task<List<Span>> TraceAsync(string traceId, string name)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (!Of(traceId).Exists(s => s.Name == name))
        {
            try
            {
                _spans.Add(await _arrived.Reader.ReadAsync(safety.Token));
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"No span '{name}' came; there are {string.Join(", ", _spans.Select(s => $"{Hex(s.TraceId)} {s.Name}"))}");
            }
        }

        while (_arrived.Reader.TryRead(out Span? more))
        {
            _spans.Add(more);
        }

        return Of(traceId);
    }

    public static string Hex(ByteString id) => Convert.ToHexStringLower(id.Span);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private List<Span> Of(string traceId) => _spans.FindAll(s => Hex(s.TraceId) == traceId);

    private Uri Bound(int index) => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(index));

    private void Take(ExportTraceServiceRequest sent)
    {
        foreach (ResourceSpans of in sent.ResourceSpans)
        {
            ServiceName = of.Resource.Attributes.First(a => a.Key == "service.name").Value.StringValue;
            foreach (Span span in of.ScopeSpans.SelectMany(s => s.Spans))
            {
                _arrived.Writer.TryWrite(span);
            }
        }
    }

    internal sealed class Receiver(Collector collector) : TraceService.TraceServiceBase
    {
        public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context)
        {
            collector.Take(request);
            return Task.FromResult(new ExportTraceServiceResponse());
        }
    }
}
