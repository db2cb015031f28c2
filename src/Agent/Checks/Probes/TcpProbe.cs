using System.Net.Sockets;

namespace FailoverHub.Agent.Checks.Probes;

/// <summary>Good when a connection can be made. It is closed at once, and nothing is sent on it.</summary>
internal sealed class TcpProbe(ProbeOptions.Tcp options) : IProbe
{
    public async Task<ProbeResult> RunAsync(CancellationToken timeout)
    {
        try
        {
            using var socket = await ConnectAsync(options.Host, options.Port, timeout);
            return ProbeResult.Fine("connected");
        }
        catch (SocketException exception)
        {
            return ProbeResult.Bad(Words(exception));
        }
    }

    public void Dispose()
    {
        // Each run has its own socket.
    }

    /// <summary>To the first address of a name that answers.</summary>
    /// <exception cref="SocketException">None did.</exception>
    internal static async Task<Socket> ConnectAsync(string host, int port, CancellationToken timeout)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(host, port, timeout);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>As the kernel says it, in the middle of a sentence.</summary>
    internal static string Words(SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused: nobody listens there",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "its name cannot be resolved",
        _ => Uncapitalized(exception.Message),
    };

    private static string Uncapitalized(string text) => text.Length > 1 && char.IsLower(text[1]) ? char.ToLowerInvariant(text[0]) + text[1..] : text;
}
