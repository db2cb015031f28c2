using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Configuration;

namespace FailoverHub.Web.Access.Proxies;

/// <summary>Reads which peers may say for whom they ask. Pure.</summary>
internal static class TrustedProxySetting
{
    private const int Most = 50;

    /// <summary>Adds every problem, each with what to do.</summary>
    /// <param name="text">Addresses and networks, separated by commas; null: none.</param>
    /// <param name="problems">What is wrong with them.</param>
    public static ImmutableArray<IPNetwork> Parse(string? text, ImmutableArray<string>.Builder problems)
    {
        string[] words = (text ?? "").Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length > Most)
        {
            problems.Add($"{HubSettings.TrustedProxiesKey}: has {words.Length} entries. Write {Most} at most; a network such as 10.0.0.0/24 stands for all of its addresses.");
            return [];
        }

        var trusted = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (string word in words)
        {
            if (ProblemOf(word, out IPNetwork network) is { } problem)
            {
                problems.Add($"{HubSettings.TrustedProxiesKey}: {problem}");
            }
            else
            {
                trusted.Add(network);
            }
        }

        return trusted.ToImmutable();
    }

    private static string? ProblemOf(string word, out IPNetwork network)
    {
        network = default;
        if (IPAddress.TryParse(word, out IPAddress? address) && !word.Contains('/', StringComparison.Ordinal))
        {
            // "10" would be 0.0.0.10, which nobody means.
            bool written = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 || word.Count(c => c == '.') == 3;
            IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            network = new IPNetwork(plain, plain.GetAddressBytes().Length * 8);
            return written ? null : Neither(word);
        }

        if (!IPNetwork.TryParse(word, out network))
        {
            return word.Split('/') is [var host, _] && IPAddress.TryParse(host, out _)
                ? $"'{word}' is no network: its length is none. Write a length that there is, such as 10.0.0.0/24."
                : Neither(word);
        }

        return network.PrefixLength == 0 ? $"'{word}' would trust everybody, so anybody could pose as any address. Write the address of the proxy." : null;
    }

    private static string Neither(string word) => $"'{word}' is neither an address nor a network. Write the address that the proxy connects from, such as 127.0.0.1, or a network such as 10.0.0.0/24.";
}
