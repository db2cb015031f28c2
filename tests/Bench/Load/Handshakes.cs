using System.Diagnostics;
using System.Net;
using System.Net.Security;

namespace FailoverHub.Bench.Load;

/// <summary>Whole TLS handshakes with client certificates, one after the other on several connections, and what each costs the server.</summary>
internal sealed record Handshakes(double PerSecond, TimeSpan ProcessorEach)
{
    private static readonly byte[] _preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];

    public static async Task<Handshakes> MeasureAsync(string url, ServerProcess server, IReadOnlyList<Membership> members, TimeSpan length, CancellationToken stop)
    {
        var port = new Uri(url).Port;
        var (cpu, began, made) = (server.Processor(), Stopwatch.GetTimestamp(), 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(
            async () =>
            {
                for (var i = worker; Stopwatch.GetElapsedTime(began) < length; i += 8)
                {
                    await OnceAsync(port, i % members.Count, members[i % members.Count], stop);
                    Interlocked.Increment(ref made);
                }
            },
            stop)));
        var (took, used) = (Stopwatch.GetElapsedTime(began), server.Processor() - cpu);
        return new Handshakes(made / took.TotalSeconds, used / made);
    }

    private static async Task OnceAsync(int port, int number, Membership member, CancellationToken stop)
    {
        using var socket = await Loopback.DialAsync(Loopback.Agent(number), new IPEndPoint(IPAddress.Loopback, port), stop);
        await using var stream = new SslStream(new System.Net.Sockets.NetworkStream(socket));
        var options = member.Tls(resume: false);
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        await stream.AuthenticateAsClientAsync(options, stop);

        // The server has looked at the certificate when it speaks HTTP/2.
        await stream.WriteAsync(_preface, stop);
        if (await stream.ReadAsync(new byte[1], stop) == 0)
        {
            throw new InvalidOperationException("The server closed a connection during its handshake.");
        }
    }
}
