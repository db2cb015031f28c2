using System.Net.Sockets;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>Tells that the interfaces are no longer as they were read last. Belongs to one reader.</summary>
internal interface IInterfaceEvents : IDisposable
{
    /// <summary>Waits for something new; costs nothing while there is nothing.</summary>
    /// <exception cref="SocketException">There will be no more of them.</exception>
    ValueTask WaitAsync(CancellationToken cancellationToken);

    /// <summary>Takes what has come meanwhile, without waiting.</summary>
    /// <returns>There was something new among it.</returns>
    /// <exception cref="SocketException">As above.</exception>
    bool Drain();
}

/// <summary>
/// The kernel's own messages. They only say when to look: what is true is read from the tables, so that a message that was lost (the socket
/// has room for some hundred) or that came in pieces costs one more reading and nothing else, and ten thousand at once need no more memory than one.
/// </summary>
/// <param name="socket">Made by <see cref="NetlinkSocket.OpenForEvents"/>; disposed with this.</param>
/// <param name="known">The tables as they were read last; null: never.</param>
internal sealed class NetlinkEvents(Socket socket, Func<InterfaceTable?> known) : IInterfaceEvents
{
    // Then it is time to look, whatever else there is.
    private const int MostDatagrams = 4096;

    private readonly byte[] _buffer = new byte[NetlinkSocket.LargestDatagram / 4];

    /// <exception cref="NetlinkException">The kernel, or what guards this process, does not want it.</exception>
    public static NetlinkEvents Open(Func<InterfaceTable?> known) => new(NetlinkSocket.OpenForEvents(), known);

    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        var isNew = false;
        while (!isNew)
        {
            try
            {
                isNew = IsNew(await socket.ReceiveAsync(_buffer, cancellationToken));
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
            {
                // Some were lost.
                isNew = true;
            }
        }
    }

    public bool Drain()
    {
        var isNew = false;
        for (var datagram = 0; datagram < MostDatagrams; datagram++)
        {
            var length = socket.Receive(_buffer, SocketFlags.None, out var error);
            switch (error)
            {
                case SocketError.Success:
                    isNew |= IsNew(length);
                    break;
                case SocketError.NoBufferSpaceAvailable:
                    isNew = true;
                    break;
                case SocketError.WouldBlock:
                    return isNew;
                default:
                    throw new SocketException((int)error);
            }
        }

        return true;
    }

    public void Dispose() => socket.Dispose();

    private bool IsNew(int length)
    {
        var datagram = NetlinkParser.Parse(_buffer.AsSpan(0, length));
        return !datagram.IsWhole || known() is not { } table || datagram.Messages.Any(table.IsChangedBy);
    }
}
