using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Metrics;

/// <summary>
/// Answers <c>GET /metrics</c>: one request and one answer for each connection, which ends with it. At most sixteen clients at a time, and each of them has
/// little time, so that one that hangs holds nobody up but itself. Nothing here is on the way of a session.
/// </summary>
/// <param name="listener">Listens; owned by whoever made it.</param>
/// <param name="page">Makes the page.</param>
/// <param name="time">For the patience.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class MetricsServer(
    Socket listener,
    Func<CancellationToken, Task<string>> page,
    TimeProvider time,
    ILogger<MetricsServer> logger)
{
    /// <summary>More wait to be accepted, the kernel keeps a few of them.</summary>
    public const int MostClients = 16;

    /// <summary>Octets of a request with its headers, of which none is looked at.</summary>
    public const int LongestRequest = 8192;

    /// <summary>For the request to arrive, the page to be made and the client to take it, all together.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan _acceptAgain = TimeSpan.FromSeconds(1);

    /// <summary>Runs until it is cancelled, and ends when its last client has.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var places = new SemaphoreSlim(MostClients);
        var clients = new List<Task>();
        try
        {
            while (true)
            {
                await places.WaitAsync(cancellationToken);
                clients.RemoveAll(client => client.IsCompleted);
                clients.Add(ServeAsync(await AcceptAsync(cancellationToken), places, cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The agent ends.
        }

        await Task.WhenAll(clients);
    }

    private async Task<Socket> AcceptAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await listener.AcceptAsync(cancellationToken);
            }
            catch (SocketException exception)
            {
                // No descriptor left, most of all. It may last, and is said once.
                if (attempt == 1)
                {
                    CannotAccept(logger, exception.Message);
                }
            }

            await Task.Delay(_acceptAgain, time, cancellationToken);
        }
    }

    private async Task ServeAsync(Socket client, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using (client)
            {
                await SendAsync(client, await AnswerAsync(client, either.Token), either.Token);
                client.Shutdown(SocketShutdown.Both);
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // It went away, or was too slow, or the agent ends: the connection is closed, and that is all the answer there is.
            ClientLost(logger, exception.Message);
        }
        catch (Exception exception)
        {
            // A bug. It costs this client its answer; no trouble here may touch a session.
            Broken(logger, exception);
        }
        finally
        {
            places.Release();
        }
    }

    private async Task<byte[]> AnswerAsync(Socket client, CancellationToken cancellationToken)
    {
        if (await ReadRequestLineAsync(client, cancellationToken) is not { } line)
        {
            return Answer("431 Request Header Fields Too Large", $"a request of more than {LongestRequest} octets\n", withBody: true);
        }

        return line.Split(' ') switch
        {
            ["GET" or "HEAD", var path, ['H', 'T', 'T', 'P', '/', '1', '.', _]] when path.Split('?')[0] == "/metrics" =>
                Answer("200 OK", await page(cancellationToken), withBody: line[0] == 'G'),
            ["GET" or "HEAD", _, ['H', 'T', 'T', 'P', '/', '1', '.', _]] => Answer("404 Not Found", "there is only /metrics\n", withBody: line[0] == 'G'),
            [_, ['/', ..], ['H', 'T', 'T', 'P', '/', '1', '.', _]] => Answer("405 Method Not Allowed", "there is only GET\n", withBody: true, "Allow: GET, HEAD\r\n"),
            _ => Answer("400 Bad Request", "that is no request of HTTP/1.1\n", withBody: true),
        };
    }

    private static byte[] Answer(string status, string body, bool withBody, string headers = "")
    {
        // charset: also of a page without a letter beyond ASCII, as the format's description has it.
        var type = status.StartsWith("200", StringComparison.Ordinal) ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8";
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nCache-Control: no-store\r\n{headers}Connection: close\r\n\r\n");
        return Encoding.UTF8.GetBytes(withBody ? head + body : head);
    }

    // All of the request is read, because a connection that is closed over unread octets is reset, and takes the answer with it. Null: too long.
    private static async Task<string?> ReadRequestLineAsync(Socket client, CancellationToken cancellationToken)
    {
        var buffer = new byte[LongestRequest];
        var length = 0;
        while (length < buffer.Length)
        {
            var count = await client.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            length += count;
            var read = buffer.AsSpan(0, length);
            if (count == 0 || read.IndexOf("\r\n\r\n"u8) >= 0 || read.IndexOf("\n\n"u8) >= 0)
            {
                var end = read.IndexOfAny((byte)'\r', (byte)'\n');
                return Encoding.ASCII.GetString(end < 0 ? read : read[..end]);
            }
        }

        return null;
    }

    private static async Task SendAsync(Socket client, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await client.SendAsync(bytes, cancellationToken)..];
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "/metrics cannot take a client now, it is tried again: {Problem}")]
    private static partial void CannotAccept(ILogger logger, string problem);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "A client of /metrics went without its answer: {Problem}")]
    private static partial void ClientLost(ILogger logger, string problem);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "/metrics broke on an internal error; a client went without its answer and nothing else is touched")]
    private static partial void Broken(ILogger logger, Exception exception);
}
