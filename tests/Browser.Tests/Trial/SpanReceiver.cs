using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Web.Tests.Telemetry.Traces.Otlp;
using Google.Protobuf;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>A collector as OTLP by HTTP has it: it keeps the spans that the trial's hub sends. One loop, from its making to its disposal.</summary>
internal sealed class SpanReceiver : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<Span> _spans = new();
    private readonly Task _receiving;

    public SpanReceiver()
    {
        Endpoint = new Uri($"http://127.0.0.1:{FreePort()}/");
        _listener.Prefixes.Add(Endpoint.AbsoluteUri);
        _listener.Start();
        _receiving = ReceiveAsync();
    }

    /// <summary>For FAILOVERHUB_OTLP_ENDPOINT, with OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.</summary>
    public Uri Endpoint { get; }

    /// <summary>All that have come.</summary>
    public IReadOnlyCollection<Span> Spans => _spans;

    public static string Hex(ByteString id) => Convert.ToHexStringLower(id.Span);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _receiving;
        _listener.Close();
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                foreach (var span in ExportTraceServiceRequest.Parser.ParseFrom(body.ToArray()).ResourceSpans.SelectMany(of => of.ScopeSpans).SelectMany(of => of.Spans))
                {
                    _spans.Enqueue(span);
                }

                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException && !_listener.IsListening)
        {
            // It was stopped.
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
