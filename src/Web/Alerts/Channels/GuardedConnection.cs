using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>
/// Connections to receivers that an admin named. Link-local addresses are refused, because a cloud's metadata service answers there with the machine's own secrets; the name is
/// looked up here and the address that was looked at is the one that is connected to, so that a name cannot lead there afterwards.
/// </summary>
internal static class GuardedConnection
{
    /// <summary>Opens one to the first address that answers.</summary>
    /// <exception cref="HttpRequestException">No address of the name may be connected to.</exception>
    /// <exception cref="SocketException">None answers, or the name is not known.</exception>
    public static async ValueTask<Stream> OpenAsync(string host, int port, CancellationToken cancellationToken) =>
        await OpenAsync(host, await LookUpAsync(host, Dns.GetHostAddressesAsync, cancellationToken), port, null, cancellationToken);

    /// <summary>The addresses of a host; one that is written as an address is not looked up.</summary>
    /// <param name="host">Its name or address.</param>
    /// <param name="lookUp">Asks the machine's resolver.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SocketException">The name is not known, or could not be looked up.</exception>
    public static async Task<IPAddress[]> LookUpAsync(string host, Func<string, CancellationToken, Task<IPAddress[]>> lookUp, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? literal) ? [literal] : await lookUp(host, cancellationToken);

    /// <summary>The same, of a name that was looked up already.</summary>
    /// <param name="host">Its name or address.</param>
    /// <param name="addresses">Those of the name.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="refusedAtOnce">Told of the last error when each address was refused by the machine itself, before anybody could have answered; null: nobody is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async ValueTask<Stream> OpenAsync(string host, IPAddress[] addresses, int port, Action<SocketException>? refusedAtOnce, CancellationToken cancellationToken)
    {
        IPAddress[] allowed = [.. addresses.Where(IsAllowed)];
        if (allowed.Length == 0)
        {
            throw new HttpRequestException($"{host} is at an address that the hub does not send to (link-local, multicast or none)");
        }

        bool eachAtOnce = true;
        for (int i = 0; ; i++)
        {
            Socket? socket = null;
            bool isConnecting = false;
            try
            {
                socket = new Socket(allowed[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                isConnecting = true;
                ValueTask connecting = socket.ConnectAsync(new IPEndPoint(allowed[i], port), cancellationToken);
                eachAtOnce &= connecting.IsCompleted;
                await connecting;
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (isConnecting && i < allowed.Length - 1)
            {
                socket!.Dispose();
            }
            catch (Exception fault)
            {
                socket?.Dispose();
                if (eachAtOnce && fault is SocketException refused)
                {
                    refusedAtOnce?.Invoke(refused);
                }

                throw;
            }
        }
    }

    /// <summary>
    /// Pure. Loopback and private networks are where most receivers are; link-local ones (RFC 3927, RFC 4291 2.5.6) are none, nor are those that clouds serve their metadata at, nor IPv6
    /// addresses that stand for an IPv4 address (RFC 6052, RFC 3056, RFC 4291 2.5.5.1), behind which any of these could be.
    /// </summary>
    internal static bool IsAllowed(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (plain.AddressFamily == AddressFamily.InterNetwork)
        {
            return plain.GetAddressBytes() is not ([169, 254, ..] or [0, ..] or [>= 224, ..] or [100, 100, 100, 200]);
        }

        return !plain.IsIPv6LinkLocal && !plain.IsIPv6Multicast && (plain.Equals(IPAddress.IPv6Loopback) || !Never.Any(network => network.Contains(plain)));
    }

    private static readonly IPNetwork[] Never = [IPNetwork.Parse("::/96"), IPNetwork.Parse("64:ff9b::/96"), IPNetwork.Parse("2002::/16"), IPNetwork.Parse("fd00:a9fe:a9fe::/48"), IPNetwork.Parse("fd00:ec2::254/128")];
}
