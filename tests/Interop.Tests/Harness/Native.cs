using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>The two system calls that .NET has no face for.</summary>
internal static partial class Native
{
    private const int NetworkNamespace = 0x40000000; // CLONE_NEWNET

    /// <summary>Effective user id of this process; 0: root.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    /// <summary>
    /// A TCP socket bound inside of a network namespace, for this process outside of it: a socket belongs to the namespace of the
    /// thread that made it.
    /// </summary>
    public static Socket BindIn(string namespaceFile, IPEndPoint at) => BoundIn(namespaceFile, at, () => new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp));

    /// <summary>The same for datagrams. One of IPv6 speaks IPv4 as well. It has room for some seconds in which nobody reads, where the kernel permits that.</summary>
    public static Socket BindDatagramIn(string namespaceFile, IPEndPoint at)
    {
        var socket = BoundIn(namespaceFile, at, () =>
        {
            var made = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            if (at.AddressFamily == AddressFamily.InterNetworkV6)
            {
                made.DualMode = true;
            }

            return made;
        });
        try
        {
            // SOL_SOCKET, SO_RCVBUFFORCE: beyond the machine's limit, which root may.
            socket.SetRawSocketOption(1, 33, BitConverter.GetBytes(1 << 22));
        }
        catch (SocketException)
        {
            // Root of a user namespace only.
            socket.ReceiveBufferSize = 1 << 22;
        }

        return socket;
    }

    private static Socket BoundIn(string namespaceFile, IPEndPoint at, Func<Socket> make)
    {
        Socket? socket = null;
        Exception? failure = null;
        // A thread of its own, because setns moves the thread that calls it, and this one ends right afterwards.
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle(namespaceFile);
                if (SetNamespace(file, NetworkNamespace) != 0)
                {
                    throw new Win32Exception(Marshal.GetLastPInvokeError(), $"setns {namespaceFile}");
                }

                socket = make();
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                socket.Bind(at);
            }
            catch (Exception e) when (e is Win32Exception or SocketException or IOException)
            {
                failure = e;
                socket?.Dispose();
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? socket! : throw new InvalidOperationException($"Cannot bind to {at} in {namespaceFile}.", failure);
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeHandle file, int kind);
}
