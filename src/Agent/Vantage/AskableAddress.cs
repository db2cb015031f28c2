using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Discovery;

namespace FailoverHub.Agent.Vantage;

/// <summary>Which addresses a hub may have asked: those that mean one machine somewhere, and not what answers only the node itself. Pure.</summary>
internal static class AskableAddress
{
    /// <summary>Characters of what somebody else wrote that are repeated in a sentence.</summary>
    private const int LongestQuote = 60;

    /// <summary>The address, or why it is none that is asked.</summary>
    public static (IPAddress? Address, string? Problem) Read(string text)
    {
        if (text.Contains('%', StringComparison.Ordinal))
        {
            return (null, $"'{Quote(text)}' has a zone, which is another one on each machine; give an address without one");
        }

        // What is parsed is more than what people write: 1, 0x7f.1, 010.0.0.1.
        return IPAddress.TryParse(text, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 ? text.AsSpan().IndexOfAny("[]/") < 0 : address.ToString() == text)
            ? ProblemOf(address) is { } problem ? (null, problem) : (address, null)
            : (null, $"'{Quote(text)}' is no IPv4 or IPv6 address");
    }

    /// <summary>Why this one is not asked; null: it may be.</summary>
    public static string? ProblemOf(IPAddress address) => address switch
    {
        { IsIPv4MappedToIPv6: true } => $"{address} is an IPv4 address written as IPv6; give {address.MapToIPv4()}",
        { IsIPv6LinkLocal: true } => LinkLocal(address),
        { IsIPv6Multicast: true } => Multicast(address),
        { AddressFamily: AddressFamily.InterNetworkV6 } => address.Equals(IPAddress.IPv6Any) ? NoMachine(address) : IsMetadata(address) ? Metadata(address) : null,
        _ => address.GetAddressBytes() switch
        {
            [0, ..] => NoMachine(address),
            [169, 254, ..] => IsMetadata(address) ? Metadata(address) : LinkLocal(address),
            [>= 240, ..] => $"{address} is a broadcast or reserved address; give that of one machine",
            [>= 224, ..] => Multicast(address),
            _ => null,
        },
    };

    /// <summary>What somebody else wrote, fit for a sentence.</summary>
    public static string Quote(string text) => Printable.Of(Printable.Shortened(text, LongestQuote));

    private static bool IsMetadata(IPAddress address) => MetadataEndpoints.Platform.Any(endpoint => IPAddress.Parse(endpoint.DnsSafeHost).Equals(address));

    private static string LinkLocal(IPAddress address) => $"{address} is link-local, which is another machine on each network; give an address that is routed";

    private static string Multicast(IPAddress address) => $"{address} is a multicast address; give that of one machine";

    private static string NoMachine(IPAddress address) => $"{address} means no machine; give the address of one";

    private static string Metadata(IPAddress address) => $"{address} is this node's own metadata service, which is nobody else's to ask";
}
