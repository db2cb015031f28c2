using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Bench.Load;

/// <summary>A fleet's addresses, all of them this machine's own: 127.0.0.0/8 is as large as 10.0.0.0/8.</summary>
internal static class Loopback
{
    /// <summary>Where an agent dials from: each from an address of its own, as machines do.</summary>
    public static IPAddress Agent(int number) => Of(128, number);

    /// <summary>Where a script asks from.</summary>
    public static IPAddress Script(int number) => Of(127, number + 1);

    /// <summary>The shared prefix of a pair.</summary>
    public static string Prefix(int pair) => $"{Of(64, pair)}/32";

    /// <summary>Dials from that address.</summary>
    public static Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> From(IPAddress address) => async (context, stop) =>
        new NetworkStream(await DialAsync(address, new IPEndPoint(IPAddress.Loopback, context.DnsEndPoint.Port), stop), ownsSocket: true);

    /// <summary>A connection from that address.</summary>
    public static async Task<Socket> DialAsync(IPAddress from, IPEndPoint to, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(to, stop);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static IPAddress Of(int block, int number) =>
        IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"127.{block + (number / 65_536)}.{number / 256 % 256}.{number % 256}"));
}
