using System.Net.Sockets;

namespace FailoverHub.Web.Reachability;

/// <summary>Socket errors as an operator would say them.</summary>
internal static class SocketWords
{
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
