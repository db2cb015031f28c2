using System.Net.Sockets;
using System.Text;

namespace FailoverHub.Agent.Tests.Service;

/// <summary>The datagram socket on which systemd listens to its services.</summary>
internal sealed class FakeServiceManager : IAsyncDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _listening;

    /// <param name="address">A path, or <c>@</c> and a name of the abstract namespace.</param>
    public FakeServiceManager(string address)
    {
        Address = address;
        _socket.Bind(new UnixDomainSocketEndPoint(address.StartsWith('@') ? $"\0{address[1..]}" : address));
        _listening = Task.Run(ListenAsync);
    }

    /// <summary>What stands in NOTIFY_SOCKET.</summary>
    public string Address { get; }

    /// <summary>A datagram each, in the order of their coming.</summary>
    public Signal<string> Told { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _listening;
        _socket.Dispose();
        _ending.Dispose();
    }

    private async Task ListenAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var length = await _socket.ReceiveAsync(buffer, _ending.Token);
                Told.Add(Encoding.UTF8.GetString(buffer, 0, length));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
