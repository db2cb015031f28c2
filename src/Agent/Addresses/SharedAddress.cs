using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Agent.Addresses;

/// <summary>
/// The address that stands on an interface for a shared prefix. For an IPv6 range it is its <c>::1</c> with the range's own length, as in
/// the platform's guide: then everybody who looks at the interface, other software too, finds the whole range and not a /64 of a /56.
/// </summary>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Length">32, 64 or 56.</param>
internal readonly record struct SharedAddress(IPAddress Address, int Length)
{
    public static SharedAddress Of(IPNetwork prefix)
    {
        if (prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
        {
            return new SharedAddress(prefix.BaseAddress, prefix.PrefixLength);
        }

        var bytes = prefix.BaseAddress.GetAddressBytes();
        bytes[^1] |= 1;
        return new SharedAddress(new IPAddress(bytes), prefix.PrefixLength);
    }

    /// <summary>As <c>ip addr add</c> takes it.</summary>
    public override string ToString() => $"{Address}/{Length}";
}
