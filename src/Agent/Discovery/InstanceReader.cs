using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Discovery;

/// <summary>What was read, with what of it was left out because it is nonsense, in sentences.</summary>
internal sealed record InstanceAnswer(InstanceFacts Facts, ImmutableArray<string> Oddities);

/// <summary>The only place where the service's documents become our own types. Nothing of them is believed: it decides whom we dial.</summary>
internal static class InstanceReader
{
    // More than any machine shares; what comes behind is left out.
    private const int MostShared = 256;
    private const int LongestToken = 1024;
    private const int LongestWord = 64;

    /// <summary>Reads a token: text, or a list of JSON with one. Null: it is none that could be sent back in a header.</summary>
    public static string? Token(ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body).Trim();
        if (text.StartsWith('['))
        {
            try
            {
                text = JsonSerializer.Deserialize(text, MetadataJson.Default.StringArray) is [{ } only] ? only : "";
            }
            catch (JsonException)
            {
                return null;
            }
        }

        return text.Length is > 0 and <= LongestToken && text.All(c => c is > ' ' and <= '~') ? text : null;
    }

    /// <summary>Reads both documents. Null: one of them is none at all.</summary>
    public static InstanceAnswer? Read(ReadOnlySpan<byte> instance, ReadOnlySpan<byte> network, DateTimeOffset readAt)
    {
        try
        {
            var machine = JsonSerializer.Deserialize(instance, MetadataJson.Default.InstanceDocument);
            var addresses = JsonSerializer.Deserialize(network, MetadataJson.Default.NetworkDocument);
            if (machine is null || addresses is null)
            {
                return null;
            }

            string?[] shared =
            [
                .. addresses.Ipv4?.Shared ?? [], .. addresses.Ipv4?.Elastic ?? [],
                .. addresses.Ipv6?.SharedRanges ?? [], .. addresses.Ipv6?.ElasticRanges ?? [], .. addresses.Ipv6?.ElasticRangesOtherwise ?? [],
            ];
            return Check(new StoredInstance(machine.Id, machine.Label, machine.Region, machine.HostUuid, addresses.Ipv6?.Slaac, shared, readAt));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads a kept answer. Null: it is damaged.</summary>
    public static InstanceFacts? ReadStored(ReadOnlySpan<byte> bytes)
    {
        try
        {
            // A disk is believed no more than the network.
            return JsonSerializer.Deserialize(bytes, MetadataJson.Default.StoredInstance) is { } stored ? Check(stored).Facts : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>For <see cref="ReadStored"/>.</summary>
    public static byte[] Store(InstanceFacts facts) => JsonSerializer.SerializeToUtf8Bytes(
        new StoredInstance(facts.InstanceId, facts.Label, facts.Region, facts.HostId, facts.Slaac?.ToString(), [.. facts.Shared.Select(prefix => prefix.ToString())], facts.ReadAt),
        MetadataJson.Default.StoredInstance);

    private static InstanceAnswer Check(StoredInstance said)
    {
        var odd = new List<string>();
        var facts = new InstanceFacts
        {
            InstanceId = said.Id is > 0 ? said.Id : null,
            Label = Word("label", said.Label, c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.', odd),
            Region = Word("region", said.Region, c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-', odd),
            HostId = Word("host_uuid", said.HostUuid, c => char.IsAsciiLetterOrDigit(c) || c == '-', odd),
            Slaac = Slaac(said.Slaac, odd),
            Shared = Shared(said.Shared ?? [], odd),
            ReadAt = said.ReadAt.ToUniversalTime(),
        };
        return new InstanceAnswer(facts, [.. odd]);
    }

    private static string? Word(string name, string? text, Func<char, bool> isAllowed, List<string> odd)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (text.Length <= LongestWord && text.All(isAllowed))
        {
            return text;
        }

        odd.Add($"its {name} '{Shown(text)}' is none");
        return null;
    }

    private static IPAddress? Slaac(string? text, List<string> odd)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var host = text.EndsWith("/128", StringComparison.Ordinal) ? text[..^4] : text.EndsWith("/64", StringComparison.Ordinal) ? text[..^3] : text;
        if (host.Length <= LongestWord && !host.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
            && IsOnTheNetwork(address))
        {
            return address;
        }

        odd.Add($"its slaac address '{Shown(text)}' is none");
        return null;
    }

    private static ImmutableArray<IPNetwork> Shared(IReadOnlyList<string?> texts, List<string> odd)
    {
        var found = new HashSet<IPNetwork>();
        foreach (var text in texts.OfType<string>().Where(text => text.Length > 0))
        {
            if (found.Count == MostShared)
            {
                odd.Add($"it names more than {MostShared} shared addresses");
                break;
            }

            if (SharedPrefix.TryParse(text, out var prefix, out _) && IsOnTheNetwork(prefix.BaseAddress))
            {
                found.Add(prefix);
            }
            else
            {
                odd.Add($"its shared address '{Shown(text)}' is none that can be shared");
            }
        }

        return [.. found.Order(Comparer<IPNetwork>.Create(SharedPrefix.Compare))];
    }

    private static bool IsOnTheNetwork(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return bytes.Length == 4
            ? bytes is not ([0 or 127 or >= 224, ..] or [169, 254, ..])
            : !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !address.IsIPv6Multicast && !address.IsIPv4MappedToIPv6 && !address.Equals(IPAddress.IPv6Any);
    }

    // Goes to the log: short, and without what would move its lines.
    private static string Shown(string text) => string.Concat((text.Length > 40 ? text[..40] + "…" : text).Select(c => char.IsControl(c) ? '?' : c));
}
