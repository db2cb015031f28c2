using System.Net;
using System.Net.Sockets;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Lab.RouteServers;

/// <summary>
/// One route server: listens, takes a session from any address (a dynamic neighbor, as the platform's take any registered node), never dials
/// and announces nothing. A node that connects again has restarted: its newer connection replaces the older one.
/// </summary>
internal sealed class RouteServer : IAsyncDisposable
{
    /// <summary>Connections at once; more are closed on arrival.</summary>
    private const int MaximumConnections = 64;

    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, NeighborConnection> _current = [];
    private readonly HashSet<Task> _running = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Socket _listener;
    private readonly int _index;
    private readonly SessionOptions _options;
    private readonly RouteServerServices _services;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _accepting = Task.CompletedTask;
    private long _lastSession;

    /// <summary>Binds at once, so that a port that is taken is an error of the start.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public RouteServer(int index, IPEndPoint endPoint, RouteServerSettings settings, RouteServerServices services)
    {
        _index = index;
        _services = services;
        _options = new SessionOptions
        {
            LocalAs = settings.LocalAs,
            PeerAs = settings.PeerAs,
            RouterId = new RouterId(0x0a22_0001u + (uint)index),
            HoldTime = settings.HoldTime,
            Passive = true,
        };
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(endPoint);
            _listener.Listen(MaximumConnections);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }

        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
    }

    /// <summary>Where it listens; with the real port when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    public void Start() => _accepting = AcceptAsync();

    /// <summary>Ends after <see cref="StopAsync"/>; fails with a bug in the accept loop or in a connection.</summary>
    public Task Completion => Task.WhenAny(_accepting, _failed.Task).Unwrap();

    /// <summary>Closes the port, says Cease to every node, and waits until every connection is closed.</summary>
    /// <param name="text">Why, for the nodes' logs.</param>
    public async Task StopAsync(string text)
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Task[] running;
        lock (_gate)
        {
            foreach (var connection in _current.Values)
            {
                connection.RequestStop(text);
            }

            running = [.. _running];
        }

        await Task.WhenAll(running);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync("route server stops");
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Take(await _listener.AcceptAsync(_stopping.Token));
            }
            catch (Exception error) when (_stopping.IsCancellationRequested && (error is OperationCanceledException or ObjectDisposedException or SocketException))
            {
                return;
            }
            catch (SocketException error)
            {
                // Out of file descriptors, or a connection that was gone before it was taken.
                _services.Logger.AcceptFailed(EndPoint.Address, error.Message, AcceptRetry);
                await Task.Delay(AcceptRetry, _services.Time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Take(Socket socket)
    {
        if (socket.RemoteEndPoint is not IPEndPoint remote || socket.LocalEndPoint is not IPEndPoint local)
        {
            socket.Dispose();
            return;
        }

        socket.NoDelay = true;
        lock (_gate)
        {
            _running.RemoveWhere(task => task.IsCompleted);
            if (_running.Count >= MaximumConnections)
            {
                _services.Logger.TooManyConnections(EndPoint.Address, remote.Address, MaximumConnections);
                socket.Dispose();
                return;
            }

            if (_current.TryGetValue(remote.Address, out var older))
            {
                older.RequestStop("replaced by a newer connection from the same node");
            }

            var place = new NeighborPlace(_index, ++_lastSession, local.Address, remote.Address);
            var connection = new NeighborConnection(socket, place, _options, _services);
            _current[remote.Address] = connection;
            _running.Add(RunAsync(connection, remote.Address));
        }
    }

    private async Task RunAsync(NeighborConnection connection, IPAddress neighbor)
    {
        // Leaves the caller's lock before anything happens.
        await Task.Yield();
        try
        {
            await connection.RunAsync();
        }
        catch (Exception bug)
        {
            _failed.TrySetException(bug);
            throw;
        }
        finally
        {
            lock (_gate)
            {
                if (_current.TryGetValue(neighbor, out var current) && current == connection)
                {
                    _current.Remove(neighbor);
                }
            }
        }
    }
}

/// <summary>What all route servers of the data center have in common.</summary>
internal sealed record RouteServerSettings(uint LocalAs, uint PeerAs, HoldTime HoldTime);
