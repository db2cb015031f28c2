using FailoverHub.Agent.Addresses.Netlink;

namespace FailoverHub.Agent.Addresses.Managed;

/// <summary>Changes the interfaces. Each call answers with an errno of the kernel, 0: done.</summary>
internal interface IAddressWriter
{
    int Add(int index, SharedAddress address);

    int Remove(int index, SharedAddress address);

    /// <summary>Makes a dummy interface that is up.</summary>
    int AddDummy(string name);
}

/// <summary>By netlink, one socket for each call: it is a matter of microseconds, and of once in a long while.</summary>
internal sealed class NetlinkWriter : IAddressWriter
{
    private const uint Sequence = 1;

    public int Add(int index, SharedAddress address) => Ask(NetlinkRequest.Add(Sequence, index, address));

    public int Remove(int index, SharedAddress address) => Ask(NetlinkRequest.Remove(Sequence, index, address));

    public int AddDummy(string name) => Ask(NetlinkRequest.AddDummy(Sequence, name));

    private static int Ask(byte[] request)
    {
        try
        {
            using var socket = NetlinkSocket.OpenForRequests();
            NetlinkSocket.Send(socket, request);
            var buffer = new byte[1024];
            while (true)
            {
                var length = NetlinkSocket.Receive(socket, buffer);
                foreach (var message in NetlinkParser.Parse(buffer.AsSpan(0, Math.Min(length, buffer.Length))).Messages)
                {
                    if (message is NetlinkMessage.Answer { Sequence: Sequence } answer)
                    {
                        return -answer.Problem;
                    }
                }
            }
        }
        catch (NetlinkException exception)
        {
            return exception.Error;
        }
    }
}
