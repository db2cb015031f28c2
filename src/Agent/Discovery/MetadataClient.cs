using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FailoverHub.Agent.Speaker.Sockets;

namespace FailoverHub.Agent.Discovery;

/// <summary>
/// Asks the metadata service: a token, the machine, its network; all of its addresses at once, the first whole answer counts.
/// </summary>
/// <remarks>
/// Written on a socket, with a reader of answers that is bounded and knows as little of HTTP as this needs. Resident memory of a stand-alone agent as native code, after it
/// has tidied up (median of three): not asked 18.5 MB, asked so 18.7 MB, by the HttpClient of .NET 19.1 MB. That alone would hardly be worth it; but here there is nothing that
/// has to be switched off: no proxy of the environment that hears our token, no redirect to somewhere else, no compression that grows, no connection that is kept.
/// </remarks>
/// <param name="endpoints">At least one.</param>
/// <param name="time">For the patience and the time of the answer.</param>
internal sealed class MetadataClient(ImmutableArray<Uri> endpoints, TimeProvider time)
{
    /// <summary>Of an answer, with its head.</summary>
    public const int LongestAnswer = 64 * 1024;

    /// <summary>For all three questions to one address. The service is on the machine's own host and answers within milliseconds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Asks once.</summary>
    /// <returns>An answer, or why there is none, in words.</returns>
    public async Task<(InstanceAnswer? Answer, string? Problem)> AskAsync(CancellationToken cancellationToken)
    {
        using var others = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asking = endpoints.Select(endpoint => AskAsync(endpoint, others.Token)).ToList();
        var problems = new List<string>();
        InstanceAnswer? found = null;
        while (asking.Count > 0)
        {
            var done = await Task.WhenAny(asking);
            asking.Remove(done);
            var (answer, problem) = await done;
            if (answer is null)
            {
                problems.Add(problem!);
            }
            else if (found is null)
            {
                found = answer;
                await others.CancelAsync();
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        return found is null ? (null, string.Join("; ", problems)) : (found, null);
    }

    private async Task<(InstanceAnswer? Answer, string? Problem)> AskAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await AskAllAsync(endpoint, either.Token);
        }
        catch (OperationCanceledException)
        {
            return (null, $"{endpoint.Authority}: no answer within {Patience.TotalSeconds:0} s");
        }
        catch (SocketException exception)
        {
            return (null, $"{endpoint.Authority}: {PeerSocket.Words(exception.SocketErrorCode)}");
        }
    }

    private async Task<(InstanceAnswer? Answer, string? Problem)> AskAllAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        var (token, problem) = await AskAsync(endpoint, "PUT", "/v1/token", "Metadata-Token-Expiry-Seconds: 3600\r\nContent-Length: 0\r\n", cancellationToken);
        if (token is null)
        {
            return (null, problem);
        }

        if (InstanceReader.Token(token) is not { } word)
        {
            return (null, $"{endpoint.Authority}: what it gave is no token");
        }

        var headers = $"Metadata-Token: {word}\r\nAccept: application/json\r\n";
        (var instance, problem) = await AskAsync(endpoint, "GET", "/v1/instance", headers, cancellationToken);
        if (instance is null)
        {
            return (null, problem);
        }

        (var network, problem) = await AskAsync(endpoint, "GET", "/v1/network", headers, cancellationToken);
        if (network is null)
        {
            return (null, problem);
        }

        return InstanceReader.Read(instance, network, time.GetUtcNow()) is { } answer
            ? (answer, null)
            : (null, $"{endpoint.Authority}: its documents are not those of a metadata service");
    }

    // A connection for each question: nothing is kept that could be left half read.
    private static async Task<(byte[]? Body, string? Problem)> AskAsync(Uri endpoint, string method, string path, string headers, CancellationToken cancellationToken)
    {
        using var socket = await ConnectAsync(endpoint, cancellationToken);
        ReadOnlyMemory<byte> request = Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: {endpoint.Authority}\r\nUser-Agent: failoverhub-agent\r\nConnection: close\r\n{headers}\r\n");
        while (!request.IsEmpty)
        {
            request = request[await socket.SendAsync(request, cancellationToken)..];
        }

        // One byte more than there may be shows that there is more. It begins small: an answer has a kilobyte or two.
        var buffer = new byte[4 * 1024];
        var count = 0;
        while (true)
        {
            if (count == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(4 * buffer.Length, LongestAnswer + 1));
            }

            var received = await socket.ReceiveAsync(buffer.AsMemory(count), cancellationToken);
            count += received;
            switch (HttpReading.Of(buffer.AsSpan(0, count), ended: received == 0))
            {
                case HttpReading.Whole { Answer: { Status: 200, Body: var body } } when count <= LongestAnswer:
                    return (body, null);
                case HttpReading.Whole { Answer.Status: not 200 and var status }:
                    return (null, $"{endpoint.Authority}: {method} {path} was answered with {status}");
                case HttpReading.Refused(var problem):
                    return (null, $"{endpoint.Authority}: {method} {path}: {problem}");
                default:
                    break;
            }

            if (count > LongestAnswer)
            {
                return (null, $"{endpoint.Authority}: {method} {path}: the answer is longer than {LongestAnswer / 1024} KiB");
            }
        }
    }

    private static async Task<Socket> ConnectAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        var address = IPAddress.Parse(endpoint.DnsSafeHost);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, endpoint.Port), cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
