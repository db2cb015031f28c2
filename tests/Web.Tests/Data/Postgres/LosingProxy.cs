using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FailoverHub.Web.Tests.Data.Postgres;

/// <summary>What is lost of a commit.</summary>
internal enum Lost
{
    /// <summary>The server has done it, and its answer does not arrive.</summary>
    Answer,

    /// <summary>It never reaches the server.</summary>
    Commit,
}

/// <summary>Stands between hub and server, and breaks the connection at the COMMIT of the first transaction in which a word occurs.</summary>
internal sealed class LosingProxy : IAsyncDisposable
{
    private static readonly byte[] Commit = "COMMIT\0"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly string _server;
    private readonly byte[] _word;
    private readonly Lost _lost;
    private readonly Task _serving;
    private int _done;

    public LosingProxy(string socketFolder, string word, Lost lost)
    {
        (_server, _word, _lost) = (Path.Combine(socketFolder, ".s.PGSQL.5432"), Encoding.UTF8.GetBytes(word), lost);
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>It has broken a connection.</summary>
    public bool HasStruck => Volatile.Read(ref _done) == 1;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _serving;
        _ending.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                open.Add(CarryAsync(await _listener.AcceptSocketAsync(_ending.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using var hub = client;
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await server.ConnectAsync(new UnixDomainSocketEndPoint(_server), _ending.Token);
            var struck = new Struck();
            Task answers = AnswersAsync(server, hub, struck);
            await RequestsAsync(hub, server, struck);
            hub.Close();
            server.Close();
            await answers;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of them is gone.
        }
    }

    private async Task RequestsAsync(Socket hub, Socket server, Struck struck)
    {
        var bytes = new byte[65_536];
        var meant = false;
        while (await hub.ReceiveAsync(bytes, _ending.Token) is > 0 and var read)
        {
            var said = bytes.AsMemory(0, read);
            meant |= said.Span.IndexOf(_word) >= 0;
            if (meant && said.Span.IndexOf(Commit) >= 0 && Interlocked.Exchange(ref _done, 1) == 0)
            {
                if (_lost == Lost.Answer)
                {
                    struck.IsMuted = true;
                    await server.SendAsync(said, _ending.Token);
                    await struck.Answered.Task.WaitAsync(_ending.Token);
                }

                return;
            }

            await server.SendAsync(said, _ending.Token);
        }
    }

    private async Task AnswersAsync(Socket server, Socket hub, Struck struck)
    {
        var bytes = new byte[65_536];
        try
        {
            while (await server.ReceiveAsync(bytes, _ending.Token) is > 0 and var read)
            {
                var said = bytes.AsMemory(0, read);
                if (struck.IsMuted && said.Span.IndexOf(Commit) >= 0)
                {
                    // The tag of its CommandComplete is the same word.
                    struck.Answered.TrySetResult();
                    return;
                }

                await hub.SendAsync(said, _ending.Token);
            }

            hub.Close();
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of them is gone.
        }
    }

    /// <summary>The one connection that is broken.</summary>
    private sealed class Struck
    {
        private volatile bool _muted;

        public bool IsMuted
        {
            get => _muted;
            set => _muted = value;
        }

        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
