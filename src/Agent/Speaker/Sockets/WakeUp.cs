using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Speaker.Sockets;

/// <summary>
/// Ends the speaker's wait from another thread: a pair of connected Unix sockets, one of them among the sockets that are waited for.
/// Works where no network is up, and needs no thread of the pool.
/// </summary>
internal sealed partial class WakeUp : IDisposable
{
    private const int UnixFamily = 1; // AF_UNIX
    private const int DatagramCloseOnExec = 2 | 0x80000; // SOCK_DGRAM | SOCK_CLOEXEC

    private static readonly byte[] _nudge = [1];

    private readonly Socket _sender;
    private int _pending;

    /// <exception cref="SocketException">No file descriptors are left.</exception>
    public WakeUp()
    {
        Span<int> handles = stackalloc int[2];
        if (CreatePair(UnixFamily, DatagramCloseOnExec, 0, handles) != 0)
        {
            throw new SocketException(Marshal.GetLastPInvokeError());
        }

        Socket = new Socket(new SafeSocketHandle(handles[0], ownsHandle: true)) { Blocking = false };
        _sender = new Socket(new SafeSocketHandle(handles[1], ownsHandle: true)) { Blocking = false };
    }

    /// <summary>Readable after <see cref="Ring"/>.</summary>
    public Socket Socket { get; }

    /// <summary>From any thread; returns at once.</summary>
    public void Ring()
    {
        // One byte is enough for any number of calls, so the pair never fills.
        if (Interlocked.Exchange(ref _pending, 1) == 0)
        {
            _sender.Send(_nudge, SocketFlags.None, out _);
        }
    }

    /// <summary>On the speaker's thread, before it looks at what it was woken for.</summary>
    public void Silence()
    {
        Span<byte> one = stackalloc byte[1];
        Socket.Receive(one, SocketFlags.None, out _);
        Volatile.Write(ref _pending, 0);
    }

    public void Dispose()
    {
        Socket.Dispose();
        _sender.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    private static partial int CreatePair(int family, int type, int protocol, Span<int> handles);
}
