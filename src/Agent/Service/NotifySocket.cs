using System.Net.Sockets;
using System.Text;

namespace FailoverHub.Agent.Service;

/// <summary>Tells the service manager, in one datagram of lines <c>NAME=value</c> each time. Never waits.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    private readonly UnixDomainSocketEndPoint _manager;

    /// <param name="address">As the service manager gave it: a path, or <c>@</c> and a name of the abstract namespace.</param>
    /// <exception cref="ArgumentException">It is too long for a socket's address.</exception>
    /// <exception cref="SocketException">No file descriptors are left.</exception>
    public NotifySocket(string address) =>
        _manager = new UnixDomainSocketEndPoint(address.StartsWith('@') ? $"\0{address[1..]}" : address);

    /// <summary>Null: told. Else why not, and whether it is worth another try: the service manager only has no room now.</summary>
    public (string Problem, bool TryAgain)? Send(string lines)
    {
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(lines), SocketFlags.None, _manager);
            return null;
        }
        catch (SocketException exception)
        {
            return (exception.Message, exception.SocketErrorCode is SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable);
        }
    }

    public void Dispose() => _socket.Dispose();
}
