using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability;

/// <summary>The hub finds itself cut off, so it cannot say how some addresses are.</summary>
/// <param name="Text">Why it thinks so and what to do, in English sentences.</param>
/// <param name="IPv4">Nothing is known of IPv4 addresses.</param>
/// <param name="IPv6">Nothing is known of IPv6 addresses.</param>
public sealed record HubCutOff(string Text, bool IPv4, bool IPv6)
{
    /// <summary>Whether nothing can be said of whoever comes from there.</summary>
    /// <param name="address">An address as text; what is none, and null, may be of either family.</param>
    public bool Concerns(string? address) => !IPAddress.TryParse(address, out IPAddress? known)
        || (known.AddressFamily == AddressFamily.InterNetwork || known.IsIPv4MappedToIPv6 ? IPv4 : IPv6);
}
