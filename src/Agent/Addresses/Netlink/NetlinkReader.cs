using System.Buffers;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>Fills the buffer with one datagram.</summary>
/// <returns>The length that it had, though it may be more than the buffer's.</returns>
internal delegate int ReceiveDatagram(Span<byte> buffer);

/// <summary>Asks the kernel for its tables, and until the answer is a whole one.</summary>
internal static class NetlinkReader
{
    /// <summary>While addresses are added one by one the tables change all the time; then the last answer has to do.</summary>
    public const int MostAttempts = 4;

    private const int LargestBuffer = 1024 * 1024;

    /// <summary>Every interface and every address, as they are now.</summary>
    /// <exception cref="NetlinkException">The kernel cannot be asked.</exception>
    /// <exception cref="IOException">What it says makes no sense.</exception>
    public static InterfaceTable Read()
    {
        using var socket = NetlinkSocket.OpenForRequests();
        return Read(request => NetlinkSocket.Send(socket, request), buffer => NetlinkSocket.Receive(socket, buffer));
    }

    /// <summary>The same from anything that answers.</summary>
    /// <param name="send">Takes a request.</param>
    /// <param name="receive">Gives what is answered.</param>
    public static InterfaceTable Read(Action<byte[]> send, ReceiveDatagram receive)
    {
        var sequence = 0u;
        var size = NetlinkSocket.LargestDatagram;
        for (var attempt = 1; ; attempt++)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                // Links first: an address whose interface is newer than that is told of by an event.
                var dump = new NetlinkDump(send, receive, buffer);
                dump.Ask(NetlinkRequest.Links(++sequence), sequence);
                dump.Ask(NetlinkRequest.Addresses(++sequence), sequence);
                if ((dump.IsWhole && !dump.IsInterrupted) || (attempt == MostAttempts && dump.IsWhole))
                {
                    return new InterfaceTable(dump.Messages) { IsCertain = !dump.IsInterrupted };
                }

                size = dump.IsWhole ? size : size * 2;
                if (size > LargestBuffer)
                {
                    throw new IOException("the kernel's answer about the interfaces has no end");
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}

/// <summary>Answers in several parts, collected.</summary>
internal sealed class NetlinkDump(Action<byte[]> send, ReceiveDatagram receive, byte[] buffer)
{
    public List<NetlinkMessage> Messages { get; } = [];

    /// <summary>Every part fitted into the buffer.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>The tables changed between two parts.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>Reads to the end of the answer.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    /// <exception cref="IOException">What it says makes no sense.</exception>
    public void Ask(byte[] request, uint sequence)
    {
        send(request);
        var ended = false;
        while (!ended)
        {
            var length = receive(buffer);
            var datagram = NetlinkParser.Parse(buffer.AsSpan(0, Math.Min(length, buffer.Length)));
            if (length > buffer.Length)
            {
                IsWhole = false;
            }
            else if (!datagram.IsWhole)
            {
                throw new IOException("the kernel's answer about the interfaces makes no sense");
            }

            IsInterrupted |= datagram.IsInterrupted;
            foreach (var message in datagram.Messages)
            {
                ended |= message.Sequence == sequence && Take(message);
            }
        }
    }

    // True: it was the last one.
    private bool Take(NetlinkMessage message)
    {
        switch (message)
        {
            case NetlinkMessage.Done { Problem: 0 }:
                return true;
            case NetlinkMessage.Done { Problem: var problem }:
                throw new NetlinkException(-problem);
            case NetlinkMessage.Answer { Problem: var problem }:
                throw new NetlinkException(-problem);
            default:
                Messages.Add(message);
                return false;
        }
    }
}
