using System.Globalization;
using System.Net;

namespace FailoverHub.Agent.Configuration;

/// <summary>Where <c>/metrics</c> is served: a port of this machine alone unless an address is given with it.</summary>
internal static class MetricsAddress
{
    /// <summary>Reads <c>9179</c> (then 127.0.0.1), <c>192.0.2.1:9179</c> or <c>[2001:db8::1]:9179</c>. Null, and a problem in a sentence: it is none of them.</summary>
    public static (IPEndPoint? Address, string? Problem) Read(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return port is >= 1 and <= IPEndPoint.MaxPort ? (new IPEndPoint(IPAddress.Loopback, port), null) : (null, $"{text} is no TCP port; give one from 1 to 65535.");
        }

        // A port of 0 is none: it must be given, since no port is everybody's for this.
        if (NeighborEndpoint.TryParse(text, 0, out var endpoint, out var misread) && endpoint.Port != 0)
        {
            return (new IPEndPoint(endpoint.Address, endpoint.Port), null);
        }

        return misread is null
            ? (null, $"'{text}' is no address with a port; give PORT (of this machine alone), IPV4:PORT or [IPV6]:PORT.")
            : (null, $"'{text}' would be read as {misread}; give {misread} if that is meant, and write IPv4 addresses without leading zeros.");
    }

    /// <summary>What is to be said about an address that was given; null: nothing.</summary>
    public static string? Warning(IPEndPoint address) => IPAddress.IsLoopback(address.Address)
        ? null
        : $"/metrics is served on {address} to whoever can reach it, unencrypted; keep others out with a firewall, or serve it on 127.0.0.1";
}
