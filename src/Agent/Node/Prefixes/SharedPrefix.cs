using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Agent.Node.Prefixes;

/// <summary>What the platform lets two nodes share: one IPv4 address, or an IPv6 /64 or /56.</summary>
internal static class SharedPrefix
{
    // No spelling of an address is longer, and what is refused is repeated in logs.
    private const int LongestText = 64;

    public static bool IsShareable(IPNetwork prefix) =>
        prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? prefix.PrefixLength == 32 : prefix.PrefixLength is 64 or 56;

    /// <summary>Reads CIDR notation; an IPv4 address without a length is a /32. Else the problem is a sentence that says what to give.</summary>
    public static bool TryParse(string text, out IPNetwork prefix, out string problem)
    {
        problem = "";
        if (text.Length > LongestText)
        {
            prefix = default;
            problem = $"a text of {text.Length} characters is no prefix; give an IPv4 /32 or an IPv6 /64 or /56, such as 203.0.113.10/32.";
            return false;
        }

        var cidr = !text.Contains('/', StringComparison.Ordinal) && text.Contains('.', StringComparison.Ordinal) ? text + "/32" : text;
        if (!IPNetwork.TryParse(cidr, out prefix))
        {
            problem = MisreadAddress(cidr) is { } address
                ? $"'{text}' would be read as {address}; give {address} if that is meant, and write IPv4 addresses without leading zeros."
                : HasHostBits(cidr) is { } network
                ? $"'{text}' has bits set behind its length; give {network}."
                : $"'{text}' is no prefix; give an IPv4 /32 or an IPv6 /64 or /56, such as 203.0.113.10/32.";
            return false;
        }

        if (IsMisread(cidr[..cidr.IndexOf('/', StringComparison.Ordinal)], prefix.BaseAddress))
        {
            problem = $"'{text}' would be read as {prefix}; give {prefix} if that is meant, and write IPv4 addresses without leading zeros.";
            return false;
        }

        if (!IsShareable(prefix))
        {
            problem = $"'{text}' cannot be shared; give an IPv4 /32 or an IPv6 /64 or /56.";
            return false;
        }

        return true;
    }

    /// <summary>
    /// The text names another IPv4 address than a person reads in it: a leading zero makes a number octal, and a number that is missing is
    /// made up.
    /// </summary>
    public static bool IsMisread(string text, IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != text;

    /// <summary>The prefix of this length that the address is in.</summary>
    public static IPNetwork Of(IPAddress address, int length)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var count);
        for (var bit = length; bit < count * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes[..count]), length);
    }

    /// <summary>Ordering for display and for a plan that is the same each time: IPv4 first, then by address, then by length.</summary>
    public static int Compare(IPNetwork left, IPNetwork right)
    {
        Span<byte> a = stackalloc byte[16];
        Span<byte> b = stackalloc byte[16];
        left.BaseAddress.TryWriteBytes(a, out var aLength);
        right.BaseAddress.TryWriteBytes(b, out var bLength);
        var byFamily = aLength.CompareTo(bLength);
        var byAddress = byFamily != 0 ? byFamily : a[..aLength].SequenceCompareTo(b[..bLength]);
        return byAddress != 0 ? byAddress : left.PrefixLength.CompareTo(right.PrefixLength);
    }

    private static IPAddress? MisreadAddress(string cidr) =>
        cidr.Split('/')[0] is var host && IPAddress.TryParse(host, out var address) && IsMisread(host, address) ? address : null;

    private static IPNetwork? HasHostBits(string cidr)
    {
        var slash = cidr.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && IPAddress.TryParse(cidr[..slash], out var address) && int.TryParse(cidr[(slash + 1)..], out var length)
            && length >= 0 && length <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
            ? Of(address, length)
            : null;
    }
}
