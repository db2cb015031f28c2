using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Metrics;

/// <summary>The listening socket of <c>/metrics</c>, if it was asked for and could be had: without it the agent does everything else all the same.</summary>
internal sealed partial class MetricsEndpoint : IDisposable
{
    private const int Waiting = 16;

    private readonly Socket? _listener;
    private readonly MetricsServer? _server;

    private MetricsEndpoint(Socket? listener, MetricsServer? server) => (_listener, _server) = (listener, server);

    /// <param name="address">Where; null: nowhere.</param>
    /// <param name="view">What the page is made of.</param>
    /// <param name="time">For the patience with clients.</param>
    /// <param name="logger">Its log.</param>
    public static MetricsEndpoint Open(IPEndPoint? address, Func<CancellationToken, Task<MetricsView>> view, TimeProvider time, ILogger<MetricsServer> logger)
    {
        if (address is null)
        {
            return new MetricsEndpoint(null, null);
        }

        Socket? listener = null;
        try
        {
            listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            listener.Bind(address);
            listener.Listen(Waiting);
            return new MetricsEndpoint(listener, new MetricsServer(listener, async cancellation => MetricsText.Of(await view(cancellation)), time, logger));
        }
        catch (SocketException exception)
        {
            listener?.Dispose();
            NoMetrics(logger, address.ToString(), exception.Message);
            return new MetricsEndpoint(null, null);
        }
    }

    /// <summary>Runs until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => _server?.RunAsync(cancellationToken) ?? Task.CompletedTask;

    public void Dispose() => _listener?.Dispose();

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "No /metrics at {Address}: {Problem}; everything else goes on")]
    private static partial void NoMetrics(ILogger logger, string address, string problem);
}
