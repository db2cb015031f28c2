using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Bench.Load;

/// <summary>Answers the hub's probes of every shared address: one listener for all of loopback, which no other machine reaches.</summary>
internal sealed class ProbedAddresses : IAsyncDisposable
{
    private const int SocketLevel = 1;
    private const int BindToDevice = 25;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _answering;

    public ProbedAddresses()
    {
        _listener.SetRawSocketOption(SocketLevel, BindToDevice, "lo\0"u8);
        _listener.Bind(new IPEndPoint(IPAddress.Any, 0));
        _listener.Listen(4_096);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _answering = Task.Run(AnswerAsync);
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _answering;
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task AnswerAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                (await _listener.AcceptAsync(_ending.Token)).Dispose();
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // That one hung up, or the bench ends.
            }
        }
    }
}
