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
    public static Socket BindIn(string namespaceFile, IPEndPoint at)
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

                socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
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
