using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using FailoverHub.Bgp.Session;
using FailoverHub.Lab.Routes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab.RouteServers;

/// <summary>
/// Carries one accepted connection: bytes and time into a <see cref="BgpSession"/>, its effects onto the socket and into the routing loop.
/// Decides nothing. Lives as long as the connection; a node that comes back gets another one.
/// </summary>
internal sealed class NeighborConnection
{
    /// <summary>A neighbor that does not read for so long is gone.</summary>
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a neighbor has to close its side after we have closed ours.</summary>
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly NeighborPlace _place;
    private readonly BgpSession _session;
    private readonly ChannelWriter<RoutingEvent> _routing;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _startedAt;
    private readonly TaskCompletionSource<string> _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _endReason = "connection closed";
    private string? _failure;
    private bool _closed;

    /// <summary>Takes over <paramref name="socket"/>.</summary>
    public NeighborConnection(Socket socket, NeighborPlace place, SessionOptions options, RouteServerServices services)
    {
        _socket = socket;
        _place = place;
        _session = new BgpSession(options, Random.Shared);
        _routing = services.Routing;
        _time = services.Time;
        _logger = services.Logger;
        _startedAt = _time.GetTimestamp();
    }

    private TimeSpan Now => _time.GetElapsedTime(_startedAt);

    /// <summary>Asks for Cease and the end; only the first text counts.</summary>
    public void RequestStop(string text) => _stop.TrySetResult(text);

    /// <summary>Runs until the connection is closed. Its last act is to take the neighbor's routes out of the table.</summary>
    public async Task RunAsync()
    {
        try
        {
            await CarryAsync();
        }
        finally
        {
            _socket.Dispose();
            await _routing.WriteAsync(new RoutingEvent.SessionEnded(_place.Server, _place.Session, _failure ?? _endReason));
        }
    }

    private async Task CarryAsync()
    {
        var buffer = new byte[4096];
        await GiveAsync(new SessionInput.Start());
        await GiveAsync(new SessionInput.Connected(_place.Local, _place.Neighbor));
        var read = ReadAsync(buffer);
        while (!_closed)
        {
            using var waiting = new CancellationTokenSource();
            var due = DueAsync(waiting.Token);
            var first = await Task.WhenAny(_stop.Task, read, due);
            await waiting.CancelAsync();
            await due;
            if (first == _stop.Task)
            {
                _endReason = await _stop.Task;
                await GiveAsync(new SessionInput.Stop(_endReason));
                break;
            }

            if (first != read)
            {
                await GiveAsync(new SessionInput.Tick());
                continue;
            }

            var (count, failure) = await read;
            if (count == 0)
            {
                _endReason = failure;
                await GiveAsync(new SessionInput.Disconnected(failure));
                break;
            }

            await GiveAsync(new SessionInput.Received(buffer.AsMemory(0, count)));
            read = _closed ? read : ReadAsync(buffer);
        }

        await LingerAsync(read, buffer);
    }

    /// <summary>Our last message must arrive: closing over unread bytes would reset the connection and could destroy a NOTIFICATION under way.</summary>
    private async Task LingerAsync(Task<(int Count, string Failure)> read, Memory<byte> buffer)
    {
        using var linger = new CancellationTokenSource();
        var patience = Task.Delay(LingerTime, _time, linger.Token);
        while (await Task.WhenAny(read, patience) == read && (await read).Count > 0)
        {
            read = ReadAsync(buffer);
        }

        await linger.CancelAsync();
        _socket.Dispose();
        await read;
        await patience.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task DueAsync(CancellationToken cancelled)
    {
        if (_session.NextDeadline is not { } deadline)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancelled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        var wait = deadline - Now;
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, _time, cancelled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<(int Count, string Failure)> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            var count = await _socket.ReceiveAsync(buffer);
            return (count, "connection closed by the node");
        }
        catch (SocketException error)
        {
            return (0, error.SocketErrorCode == SocketError.ConnectionReset ? "connection reset by the node" : error.Message);
        }
        catch (ObjectDisposedException)
        {
            return (0, "connection closed by us");
        }
    }

    private async Task GiveAsync(SessionInput input)
    {
        foreach (var effect in _session.Handle(input, Now))
        {
            await ActAsync(effect);
        }
    }

    private async Task ActAsync(SessionEffect effect)
    {
        switch (effect)
        {
            case SessionEffect.Send send when !_closed:
                await SendAsync(send.Bytes);
                break;
            case SessionEffect.Close:
                _closed = true;
                Shutdown(SocketShutdown.Send);
                break;
            case SessionEffect.StateChanged changed:
                await _routing.WriteAsync(new RoutingEvent.SessionMoved(_place.Server, _place.Session, _place.Neighbor, changed.To, changed.Reason));
                break;
            case SessionEffect.RoutesReceived received:
                await TakeRoutesAsync(received.Update);
                break;
            case SessionEffect.Failed failed:
                _failure ??= failed.Error.Text;
                break;
            default:
                // Dial never comes from a passive session; Established and AdvertisementsSent say nothing that the others have not.
                break;
        }
    }

    private async Task TakeRoutesAsync(ReceivedRoutes received)
    {
        var update = PlatformPolicy.Import(received);
        foreach (var refused in update.Refused)
        {
            _logger.RouteRefused(_place.Local, refused.Prefix, _place.Neighbor, refused.Reason);
        }

        await _routing.WriteAsync(new RoutingEvent.RoutesChanged(_place.Server, _place.Session, update));
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var timeout = new CancellationTokenSource(SendTimeout, _time);
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, timeout.Token)..];
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // The pending read sees the same end and tells the session; shutting down makes sure of it.
            _endReason = error is SocketException ? error.Message : "the node does not read";
            Shutdown(SocketShutdown.Both);
        }
    }

    private void Shutdown(SocketShutdown direction)
    {
        try
        {
            _socket.Shutdown(direction);
        }
        catch (SocketException)
        {
            // Not connected any more: it is closed already, which is what was wanted.
        }
    }
}

/// <summary>Where a connection belongs.</summary>
/// <param name="Server">Index of the route server.</param>
/// <param name="Session">Number of the connection, unique at that route server.</param>
/// <param name="Local">The route server's address.</param>
/// <param name="Neighbor">The node's address.</param>
internal sealed record NeighborPlace(int Server, long Session, IPAddress Local, IPAddress Neighbor);

/// <summary>What every route server and its connections use.</summary>
internal sealed record RouteServerServices(ChannelWriter<RoutingEvent> Routing, TimeProvider Time, ILogger Logger);
