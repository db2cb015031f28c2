using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace FailoverHub.Web.Configuration;

/// <summary>Where one endpoint of the hub listens: an address of this machine, never a name that has to be resolved.</summary>
internal sealed record BindUrl
{
    private BindUrl(string scheme, IPAddress? address, int port)
    {
        Scheme = scheme;
        Address = address;
        Port = port;
    }

    /// <summary>"http" or "https".</summary>
    public string Scheme { get; }

    /// <summary>The address; null: every address of the machine ("*").</summary>
    public IPAddress? Address { get; }

    /// <summary>0 to 65535; 0: the system chooses a free one.</summary>
    public int Port { get; }

    public bool IsHttps => Scheme == "https";

    public bool IsLoopback => Address is not null && IPAddress.IsLoopback(Address);

    /// <summary>Whether both would ask the system for the same port of the same address.</summary>
    public bool Overlaps(BindUrl other) =>
        Port != 0 && Port == other.Port && (IsEveryAddress || other.IsEveryAddress || Address!.Equals(other.Address));

    public bool IsEveryAddress => Address is null || Address.Equals(IPAddress.Any) || Address.Equals(IPAddress.IPv6Any);

    /// <summary>"http://127.0.0.1:5080", as a browser on this machine would write it.</summary>
    public override string ToString() => Format(Port);

    /// <summary>The same with the port that the system chose.</summary>
    public string Format(int port)
    {
        string host = Address switch
        {
            null => "127.0.0.1",
            var any when any.Equals(IPAddress.Any) => "127.0.0.1",
            var any when any.Equals(IPAddress.IPv6Any) => "[::1]",
            { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } six => $"[{six}]",
            var four => four.ToString(),
        };
        return $"{Scheme}://{host}:{port.ToString(CultureInfo.InvariantCulture)}";
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out BindUrl? url, [NotNullWhen(false)] out string? problem)
    {
        url = null;
        // Uri knows no host "*", which is how every other ASP.NET Core program spells "all addresses".
        string parsable = text.Trim().Replace("://*", "://0.0.0.0", StringComparison.Ordinal).Replace("://+", "://0.0.0.0", StringComparison.Ordinal);
        bool everywhere = parsable != text.Trim();
        if (!Uri.TryCreate(parsable, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
        {
            problem = $"'{text}' is not a URL such as http://127.0.0.1:5080";
            return false;
        }

        if (uri.AbsolutePath != "/" || uri.Query.Length > 0 || uri.UserInfo.Length > 0)
        {
            problem = $"'{text}' has more than a scheme, an address and a port";
            return false;
        }

        IPAddress? address = null;
        if (string.Equals(uri.Host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            address = IPAddress.Loopback;
        }
        else if (!everywhere && !IPAddress.TryParse(uri.Host, out address))
        {
            problem = $"'{text}' names a host; write an address of this machine, 'localhost' or '*'";
            return false;
        }

        url = new BindUrl(uri.Scheme, address, uri.Port);
        problem = null;
        return true;
    }
}
