using System.Net.Sockets;

namespace FailoverHub.Web.Reachability;

/// <summary>Socket errors as an operator would say them.</summary>
internal static class SocketWords
{
    /// <summary>Of what never left the hub's machine, and what to do.</summary>
    public static string OfSending(SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.NetworkUnreachable or SocketError.HostUnreachable => "the hub's machine has no route to it: see 'ip route'",
        SocketError.NetworkDown => "the link of the hub's machine is down: see 'ip link'",
        SocketError.AccessDenied => "the hub's machine does not let it out: see its firewall and its routes of type 'prohibit'",
        SocketError.NoBufferSpaceAvailable => "the hub's machine has no room to send it: see the queues of its link",
        SocketError.AddressNotAvailable => "the hub's machine has no address of that family: see 'ip address'",
        SocketError.TooManyOpenSockets => "the hub has no file descriptor left for it: raise its limit (LimitNOFILE of its service)",
        SocketError.TryAgain => "the hub's machine could not look its name up: see its resolver (/etc/resolv.conf)",
        _ => $"the hub's machine could not send it: {exception.Message}",
    };

    /// <summary>Whether an error, said at once, can only be of the sender's own machine.</summary>
    public static bool IsOfSending(SocketException exception) => exception.SocketErrorCode is SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown
        or SocketError.AccessDenied or SocketError.NoBufferSpaceAvailable or SocketError.AddressNotAvailable or SocketError.TooManyOpenSockets;

    /// <summary>Whether a name could not be looked up for now, which says nothing about whoever has it. A name that is not there is another thing.</summary>
    public static bool IsOfResolver(SocketException exception) => exception.SocketErrorCode == SocketError.TryAgain || IsOfSending(exception);

    public static string Of(SocketException exception, string what) => exception.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => $"{what} refused the connection",
        SocketError.ConnectionReset => $"{what} reset the connection",
        SocketError.HostUnreachable => "a router says that the host cannot be reached",
        SocketError.NetworkUnreachable => "the hub has no route to it",
        SocketError.TimedOut => "no answer",
        _ => exception.Message,
    };
}
