using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Control;

/// <summary>Who is at the other end of the control socket, as the kernel knows it: nobody can claim to be another.</summary>
/// <param name="ProcessId">When it connected.</param>
/// <param name="User">Its effective user then.</param>
internal readonly record struct ControlCaller(int ProcessId, uint User)
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED
    private const uint Nobody = uint.MaxValue; // (uid_t)-1

    /// <exception cref="SocketException">The kernel does not say.</exception>
    public static ControlCaller Of(Socket client)
    {
        // struct ucred: process, user and group, four octets each.
        Span<byte> credentials = stackalloc byte[12];
        var length = client.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
        return length == credentials.Length
            ? new ControlCaller(MemoryMarshal.Read<int>(credentials), MemoryMarshal.Read<uint>(credentials[4..]))
            : throw new SocketException((int)SocketError.OperationNotSupported);
    }

    /// <summary>
    /// For the journal: <c>root (uid 0)</c>. Of somebody who has become another user it says both: <c>root (uid 0), logged in as alice (uid
    /// 1000)</c>. Behind <c>sudo</c> everybody is root.
    /// </summary>
    public string Actor()
    {
        var login = LoginUser();
        return login is null || login == User ? Name(User) : $"{Name(User)}, logged in as {Name(login.Value)}";
    }

    // What the audit system of the kernel noted at the login; null: nobody logged in, or it is not to be read.
    private uint? LoginUser()
    {
        try
        {
            return uint.TryParse(File.ReadAllText($"/proc/{ProcessId}/loginuid"), NumberStyles.None, CultureInfo.InvariantCulture, out var user) && user != Nobody ? user : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The file and not the name service, which may be on the other side of a network that is the very trouble.
    private static string Name(uint user)
    {
        var number = user.ToString(CultureInfo.InvariantCulture);
        try
        {
            foreach (var line in File.ReadLines("/etc/passwd"))
            {
                if (line.Split(':') is [var name, _, var id, ..] && id == number)
                {
                    return $"{name} (uid {number})";
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"uid {number}";
        }

        return $"uid {number}";
    }
}
