using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Control;

/// <summary>
/// Answers on the control socket: one line of JSON in, one line of JSON out, and the connection ends. At most eight clients at a time, and
/// each of them has little time, so that one that hangs holds nobody up but itself. Nothing here is on the way of a session.
/// </summary>
/// <param name="socket">Owned by whoever made it.</param>
/// <param name="answer">What is answered; it may take <see cref="AnswerPatience"/>.</param>
/// <param name="time">For the patience.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class ControlServer(
    ControlSocket socket,
    Func<ControlRequest, ControlCaller, CancellationToken, Task<ControlAnswer>> answer,
    TimeProvider time,
    ILogger<ControlServer> logger)
{
    /// <summary>More wait to be accepted, the kernel keeps a few of them.</summary>
    public const int MostClients = 8;

    /// <summary>Octets.</summary>
    public const int LongestRequest = 4096;

    /// <summary>For the whole request to arrive.</summary>
    public static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(2);

    /// <summary>For the answer to be found, and again for the client to take it.</summary>
    public static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

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
                return await socket.Listener.AcceptAsync(cancellationToken);
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
        try
        {
            using (client)
            {
                await ConverseAsync(client, cancellationToken);
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

    private async Task ConverseAsync(Socket client, CancellationToken cancellationToken)
    {
        byte[]? line;
        using (var patience = Patience(RequestPatience, cancellationToken))
        {
            line = await ReadLineAsync(client, patience.Token);
        }

        ControlAnswer said;
        using (var patience = Patience(AnswerPatience, cancellationToken))
        {
            said = line is null
                ? new ControlAnswer { Error = $"the request is longer than {LongestRequest} octets" }
                : Parse(line) is { } request
                    ? await answer(request, ControlCaller.Of(client), patience.Token)
                    : new ControlAnswer { Error = "the request is no JSON object such as {\"command\":\"status\"}" };
        }

        using (var patience = Patience(AnswerPatience, cancellationToken))
        {
            await SendAsync(client, [.. JsonSerializer.SerializeToUtf8Bytes(said, ControlJson.Default.ControlAnswer), (byte)'\n'], patience.Token);
        }

        client.Shutdown(SocketShutdown.Both);
    }

    // Without the line end, which a client that closes its side may leave out. Null: too long.
    private static async Task<byte[]?> ReadLineAsync(Socket client, CancellationToken cancellationToken)
    {
        var buffer = new byte[LongestRequest + 1];
        var length = 0;
        while (length < buffer.Length)
        {
            var count = await client.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            var end = buffer.AsSpan(length, count).IndexOf((byte)'\n');
            if (end >= 0 || count == 0)
            {
                return buffer[..(length + Math.Max(end, 0))];
            }

            length += count;
        }

        return null;
    }

    private static ControlRequest? Parse(byte[] line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ControlJson.Default.ControlRequest);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task SendAsync(Socket client, byte[] line, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = line;
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await client.SendAsync(bytes, cancellationToken)..];
        }
    }

    private LinkedPatience Patience(TimeSpan patience, CancellationToken cancellationToken) => new(patience, time, cancellationToken);

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The control socket cannot take a client now, it is tried again: {Problem}")]
    private static partial void CannotAccept(ILogger logger, string problem);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "A client of the control went without its answer: {Problem}")]
    private static partial void ClientLost(ILogger logger, string problem);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "The control broke on an internal error; a client went without its answer and nothing else is touched")]
    private static partial void Broken(ILogger logger, Exception exception);

    // Over when its time is, or when the agent ends.
    private sealed class LinkedPatience : IDisposable
    {
        private readonly CancellationTokenSource _time;
        private readonly CancellationTokenSource _either;

        public LinkedPatience(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
        {
            _time = new CancellationTokenSource(patience, time);
            _either = CancellationTokenSource.CreateLinkedTokenSource(_time.Token, cancellationToken);
        }

        public CancellationToken Token => _either.Token;

        public void Dispose()
        {
            _either.Dispose();
            _time.Dispose();
        }
    }
}
