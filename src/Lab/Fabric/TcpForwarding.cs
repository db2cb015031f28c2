using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab.Fabric;

/// <summary>One relayed connection: both directions, each closed when its source closes it (half-close), both reset when the address moves.</summary>
internal static class TcpForwarding
{
    private const int BufferSize = 16 * 1024;

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Runs until both directions are done or the term ended. Never fails with a network error: to a relay that is an outcome.</summary>
    /// <param name="client">Owned from now on.</param>
    /// <param name="node">Where the address is routed.</param>
    /// <param name="shared">The shared address, for the log.</param>
    /// <param name="logger">Says when the node does not take it.</param>
    /// <param name="ended">The address has moved away from the node.</param>
    public static async Task RunAsync(Socket client, IPEndPoint node, IPAddress shared, ILogger logger, CancellationToken ended)
    {
        using var clientSide = client;

        // Whatever ends the dial closes the socket, and a node that has accepted already must see a reset then and no regular end.
        using var nodeSide = new Socket(node.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) };
        client.NoDelay = true;
        if (!await DialAsync(nodeSide, node, shared, logger, ended))
        {
            Reset(client);
            return;
        }

        nodeSide.LingerState = new LingerOption(false, 0);
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(ended);
        var outcomes = await Task.WhenAll(PumpAsync(client, nodeSide, broken), PumpAsync(nodeSide, client, broken));

        // Only now: closing a socket while an operation is pending on it would say FIN before RST.
        if (!outcomes.All(finished => finished))
        {
            Reset(client);
            Reset(nodeSide);
        }
    }

    /// <summary>Closes with RST, as a router's or another machine's answer to a connection that it does not know.</summary>
    public static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    private static async Task<bool> DialAsync(Socket nodeSide, IPEndPoint node, IPAddress shared, ILogger logger, CancellationToken ended)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ended);
        patience.CancelAfter(DialTimeout);
        try
        {
            await nodeSide.ConnectAsync(node, patience.Token);
            return true;
        }
        catch (SocketException error)
        {
            logger.NodeUnreachable(shared, node, error.Message);
            return false;
        }
        catch (OperationCanceledException)
        {
            if (!ended.IsCancellationRequested)
            {
                logger.NodeUnreachable(shared, node, "no answer in time");
            }

            return false;
        }
    }

    /// <returns>Whether the direction came to its regular end.</returns>
    private static async Task<bool> PumpAsync(Socket from, Socket to, CancellationTokenSource broken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (true)
            {
                var count = await from.ReceiveAsync(buffer, broken.Token);
                if (count == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    return true;
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), broken.Token);
                }
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // The other direction must not wait for a partner that is gone.
            await broken.CancelAsync();
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
