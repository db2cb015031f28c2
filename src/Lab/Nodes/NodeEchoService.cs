using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FailoverHub.Lab.Nodes;

/// <summary>What a node answers over UDP: its name, a space, and the datagram it was sent.</summary>
internal sealed class NodeEchoService : IAsyncDisposable
{
    private const int MaximumDatagram = 65_535;

    private readonly Socket _socket;
    private readonly byte[] _prefix;
    private readonly Task _answering;

    /// <summary>Binds and answers at once.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public NodeEchoService(TrialNode node, int port)
    {
        _prefix = Encoding.UTF8.GetBytes(node.Name + " ");
        _socket = new Socket(node.Address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _socket.Bind(new IPEndPoint(node.Address, port));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _answering = AnswerAsync();
    }

    /// <summary>Ends when disposed; fails with a bug.</summary>
    public Task Completion => _answering;

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _answering;
    }

    private async Task AnswerAsync()
    {
        var buffer = new byte[_prefix.Length + MaximumDatagram];
        _prefix.CopyTo(buffer, 0);
        var anyone = new IPEndPoint(IPAddress.Any, 0);
        while (true)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer.AsMemory(_prefix.Length), SocketFlags.None, anyone);
                await _socket.SendToAsync(buffer.AsMemory(0, _prefix.Length + received.ReceivedBytes), SocketFlags.None, received.RemoteEndPoint);
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException)
            {
                // The asker is gone, or its datagram leaves no room for the name: no answer.
            }
        }
    }
}
