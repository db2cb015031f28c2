using System.Net.Sockets;
using System.Text.Json;

namespace FailoverHub.Agent.Control;

/// <summary>Asks a running agent, for every command but the one that is the agent.</summary>
/// <param name="time">For the patience.</param>
internal sealed class ControlClient(TimeProvider time)
{
    /// <summary>Exit code: no agent answers there. 3 is what init scripts say for "not running".</summary>
    public const int NotRunning = 3;

    private const int Refused = 1;

    // A trace of four neighbors has some megabytes at most.
    private const int LongestAnswer = 64 * 1024 * 1024;

    /// <summary>Longer than the agent itself takes at most.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Asks, and prints the answer or what went wrong.</summary>
    /// <returns>0: answered; 1: the agent refused; 3: none answers; 4: obeyed, or about to be, but no neighbor has been told yet.</returns>
    public async Task<int> RunAsync(string path, ControlRequest request, bool json, TextWriter output, TextWriter error)
    {
        var (answer, problem) = await AskAsync(path, request, Patience);
        if (answer is null)
        {
            await error.WriteLineAsync($"error: no agent answers at {path} ({problem}): is it running, and is this its user or root? For another one give its --state DIR or --control SOCKET.");
            return NotRunning;
        }

        switch (answer)
        {
            case { Status: { } status }:
                await output.WriteAsync(json ? Json(status, ControlJson.Readable.StatusDocument) : StatusText.Of(status));
                return 0;
            case { Trace: { } trace }:
                await output.WriteAsync(json ? Json(trace, ControlJson.Readable.TraceDocument) : TraceText.Of(trace));
                return 0;
            case { Command: { Outcome: "refused" } command } when !json:
                await error.WriteLineAsync($"error: {CommandText.Of(command)}");
                return CommandText.ExitCode(command);
            case { Command: { } command }:
                await output.WriteAsync(json ? Json(command, ControlJson.Readable.CommandDocument) : CommandText.Of(command) + Environment.NewLine);
                return CommandText.ExitCode(command);
            default:
                await error.WriteLineAsync($"error: {answer.Error ?? "the agent's answer is none that this version understands"}");
                return Refused;
        }
    }

    /// <summary>Asks.</summary>
    /// <returns>The answer, or why there is none.</returns>
    public async Task<(ControlAnswer? Answer, string? Problem)> AskAsync(string path, ControlRequest request, TimeSpan longest)
    {
        using var patience = new CancellationTokenSource(longest, time);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), patience.Token);
            ReadOnlyMemory<byte> bytes = JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Default.ControlRequest);
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await socket.SendAsync(bytes, patience.Token)..];
            }

            socket.Shutdown(SocketShutdown.Send);
            using var received = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (await socket.ReceiveAsync(buffer, patience.Token) is > 0 and var count)
            {
                received.Write(buffer, 0, count);
                if (received.Length > LongestAnswer)
                {
                    return (null, "its answer has no end");
                }
            }

            return received.Length == 0
                ? (null, "it closed the connection without an answer")
                : (JsonSerializer.Deserialize(received.GetBuffer().AsSpan(0, (int)received.Length), ControlJson.Default.ControlAnswer), null);
        }
        catch (OperationCanceledException)
        {
            return (null, $"no answer within {longest.TotalSeconds:0} s");
        }
        catch (JsonException)
        {
            return (null, "what answers there is no agent");
        }
        catch (ArgumentException)
        {
            return (null, "the path is too long for a socket");
        }
        catch (SocketException exception)
        {
            return (null, exception.SocketErrorCode switch
            {
                SocketError.AddressNotAvailable => "there is no such socket",
                SocketError.ConnectionRefused => "nobody listens on this socket any more",
                SocketError.AccessDenied => "this user may not",
                _ => exception.Message,
            });
        }
    }

    private static string Json<T>(T document, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.Serialize(document, type) + Environment.NewLine;
}
