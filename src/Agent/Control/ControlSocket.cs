using System.Net.Sockets;
using System.Text;
using FailoverHub.Agent.Platform;
using Microsoft.Win32.SafeHandles;

namespace FailoverHub.Agent.Control;

/// <summary>
/// The listening Unix domain socket of the control: for the agent's own user (and root) only, in a directory in which nobody else can put
/// something in its place. What a dead process left there is replaced, never the socket of a living one.
/// </summary>
internal sealed class ControlSocket : IDisposable
{
    // sun_path has 108 octets, the last one zero.
    private const int LongestPath = 107;
    private const int Backlog = 16;

    private readonly FileStream _lock;

    private ControlSocket(string path, FileStream @lock, Socket listener)
    {
        Path = path;
        _lock = @lock;
        Listener = listener;
    }

    public string Path { get; }

    public Socket Listener { get; }

    /// <summary>Either the socket, or why there is none, in a sentence that says what to do: the agent does without it.</summary>
    public static (ControlSocket? Socket, string? Problem) Open(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) > LongestPath)
        {
            return (null, $"the path of a Unix socket has at most {LongestPath} octets; give a shorter one with --control SOCKET");
        }

        FileStream? held = null;
        Socket? listener = null;
        try
        {
            var directory = System.IO.Path.GetDirectoryName(path) ?? "/";
            if (SocketFile.Look(directory, throughLinks: true) is not { } room)
            {
                return (null, $"there is no directory {directory}; create it, or give another place with --control SOCKET");
            }

            if (!room.IsOurs || room.OthersMayWrite)
            {
                return (null, $"others may write the directory {directory} and put a socket of their own there; chmod 700 it, or give another place with --control SOCKET");
            }

            // Of two agents that begin at the same time one must not take the other's new socket for an old one.
            held = LockFile.Hold(path + ".lock");
            if (SocketFile.Look(path, throughLinks: false) is { } old)
            {
                if (!old.IsSocket)
                {
                    return (null, "there is something else that is no socket; remove it, or give another place with --control SOCKET");
                }

                if (SomebodyListens(path))
                {
                    return (null, "another process answers there; stop it, or give another place with --control SOCKET");
                }

                File.Delete(path);
            }

            listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

            // Before it has a name: there is no moment at which others could connect. The kernel gives the name the socket's mode.
            using (var handle = new SafeFileHandle(listener.Handle, ownsHandle: false))
            {
                File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(Backlog);
            var socket = new ControlSocket(path, held, listener);
            (held, listener) = (null, null);
            return (socket, null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or SocketException)
        {
            return (null, $"{exception.Message.TrimEnd('.')}; give another place with --control SOCKET");
        }
        finally
        {
            listener?.Dispose();
            held?.Dispose();
        }
    }

    public void Dispose()
    {
        Listener.Dispose();
        try
        {
            File.Delete(Path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The directory has become read-only: a socket that nobody listens on is left behind, and the next agent replaces it.
        }

        _lock.Dispose();
    }

    private static bool SomebodyListens(string path)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException exception)
        {
            // Anything but a refusal, such as a backlog that is full, is a sign of life.
            return exception.SocketErrorCode != SocketError.ConnectionRefused;
        }
    }
}
