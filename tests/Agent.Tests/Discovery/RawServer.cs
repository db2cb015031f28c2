using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FailoverHub.Agent.Tests.Discovery;

/// <summary>Whoever answers at the address of the metadata service, with whatever bytes.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, byte[]> _answer;
    private readonly Task _serving;
    private readonly CancellationTokenSource _end = new();
    private readonly bool _closes;

    /// <param name="answer">By the first line of what was asked.</param>
    /// <param name="closes">Afterwards; else it never says anything more.</param>
    public RawServer(Func<string, byte[]> answer, bool closes = true)
    {
        (_answer, _closes) = (answer, closes);
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    /// <summary>A connection was made.</summary>
    public Signal<string> Asked { get; } = new();

    public static byte[] Ok(string body) => Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _serving;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Socket>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_end.Token);
                open.Add(socket);
                var buffer = new byte[4096];
                var count = await socket.ReceiveAsync(buffer, _end.Token);
                var line = Encoding.ASCII.GetString(buffer, 0, count).Split("\r\n")[0];
                Asked.Add(line);
                try
                {
                    await socket.SendAsync(_answer(line), _end.Token);
                }
                catch (SocketException)
                {
                    // It had read enough.
                }

                if (_closes)
                {
                    socket.Dispose();
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            open.ForEach(socket => socket.Dispose());
        }
    }
}
