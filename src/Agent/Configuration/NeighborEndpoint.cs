using System.Globalization;
using System.Net;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Configuration;

/// <summary>Where a route server listens: the identity of a session on this node.</summary>
internal sealed record NeighborEndpoint(IPAddress Address, int Port)
{
    /// <summary>BGP's port (RFC 4271 2).</summary>
    public const int DefaultPort = 179;

    /// <summary>Reads <c>192.0.2.1</c>, <c>192.0.2.1:1790</c>, <c>2001:db8::1</c> or <c>[2001:db8::1]:1790</c>.</summary>
    /// <param name="text">As it was typed.</param>
    /// <param name="defaultPort">When it names none.</param>
    /// <param name="endpoint">What it says.</param>
    public static bool TryParse(string text, int defaultPort, out NeighborEndpoint endpoint) => TryParse(text, defaultPort, out endpoint, out _);

    /// <summary>As above.</summary>
    /// <param name="text">As it was typed.</param>
    /// <param name="defaultPort">When it names none.</param>
    /// <param name="endpoint">What it says.</param>
    /// <param name="misread">When false: the address that the text would have been taken for, if there is one.</param>
    public static bool TryParse(string text, int defaultPort, out NeighborEndpoint endpoint, out IPAddress? misread)
    {
        misread = null;
        endpoint = new NeighborEndpoint(IPAddress.None, defaultPort);
        var (host, port) = Split(text);
        if (!IPAddress.TryParse(host, out var address))
        {
            return false;
        }

        if (SharedPrefix.IsMisread(host, address))
        {
            misread = address;
            return false;
        }

        var number = defaultPort;
        if (port is not null && (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number is < 1 or > 65535))
        {
            return false;
        }

        endpoint = new NeighborEndpoint(address, number);
        return true;
    }

    /// <summary>The address, and the port when it is not BGP's: what the operator reads and the hub knows the session by.</summary>
    public override string ToString() =>
        Port == DefaultPort ? Address.ToString() : new IPEndPoint(Address, Port).ToString();

    private static (string Host, string? Port) Split(string text)
    {
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            return end switch
            {
                < 0 => (text, null),
                _ when end == text.Length - 1 => (text[1..end], null),
                _ when text[end + 1] == ':' => (text[1..end], text[(end + 2)..]),
                _ => (text, null),
            };
        }

        // One colon is a port; more than one is an IPv6 address without a port.
        var first = text.IndexOf(':', StringComparison.Ordinal);
        return first >= 0 && first == text.LastIndexOf(':') ? (text[..first], text[(first + 1)..]) : (text, null);
    }
}
