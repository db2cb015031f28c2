using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab.Fabric;

/// <summary>
/// Forwards TCP connections made to a shared address to the node that holds it. Listens only while there is a holder, so that without one a
/// connection is refused. <see cref="SetHolderAsync"/> has one caller.
/// </summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    /// <summary>Connections at once; more are reset.</summary>
    public const int MaximumConnections = 512;

    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly HashSet<Task> _relays = [];
    private readonly IPEndPoint _listenOn;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private HolderTerm? _term;
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;

    /// <param name="listenOn">The shared address; the node is dialled on the same port.</param>
    /// <param name="time">For the pause after a failed accept.</param>
    /// <param name="logger">Says what is cut or refused.</param>
    public TcpRelay(IPEndPoint listenOn, TimeProvider time, ILogger logger)
    {
        _listenOn = listenOn;
        _time = time;
        _logger = logger;
    }

    /// <summary>New connections go to <paramref name="node"/> from now on; those to another node are cut.</summary>
    /// <returns>Number of connections that were open and are cut.</returns>
    /// <exception cref="SocketException">The shared address cannot be bound; nothing is forwarded then.</exception>
    public async Task<int> SetHolderAsync(IPAddress? node)
    {
        Task[] cut;
        HolderTerm? ended;
        lock (_gate)
        {
            ended = _term;
            _term = node is null ? null : new HolderTerm(node);
            _relays.RemoveWhere(relay => relay.IsCompleted);
            cut = [.. _relays];
            _relays.Clear();
        }

        if (node is null)
        {
            await CloseAsync();
        }

        ended?.End();
        await Task.WhenAll(cut);
        ended?.Dispose();
        if (node is not null && _listener is null)
        {
            Open();
        }

        return cut.Length;
    }

    public async ValueTask DisposeAsync() => await SetHolderAsync(null);

    private void Open()
    {
        var listener = new Socket(_listenOn.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(_listenOn);
            listener.Listen(MaximumConnections);
        }
        catch
        {
            listener.Dispose();
            throw;
        }

        _listener = listener;
        _accepting = AcceptAsync(listener);
    }

    private async Task CloseAsync()
    {
        _listener?.Dispose();
        _listener = null;
        await _accepting;
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            try
            {
                Take(await listener.AcceptAsync());
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException error)
            {
                _logger.AcceptFailed(_listenOn.Address, error.Message, AcceptRetry);
                await Task.Delay(AcceptRetry, _time);
            }
        }
    }

    private void Take(Socket client)
    {
        lock (_gate)
        {
            _relays.RemoveWhere(relay => relay.IsCompleted);
            if (_term is null || _relays.Count >= MaximumConnections)
            {
                if (_term is not null)
                {
                    _logger.TooManyRelays(_listenOn.Address, MaximumConnections);
                }

                TcpForwarding.Reset(client);
                return;
            }

            var node = new IPEndPoint(_term.Node, _listenOn.Port);
            _relays.Add(TcpForwarding.RunAsync(client, node, _listenOn.Address, _logger, _term.Ended));
        }
    }
}
