using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using FailoverHub.Web.Alerts.Channels;

namespace FailoverHub.Web.Reachability.Targets;

/// <summary>How a target that operators have added is asked.</summary>
public enum NamedTargetKind
{
    /// <summary>ICMP echo.</summary>
    Icmp,

    /// <summary>TCP connect: answered when the connection is accepted.</summary>
    Tcp,

    /// <summary>HTTP or HTTPS GET, each time on a connection of its own; redirects are answers and are not followed.</summary>
    Http,
}

/// <summary>A target as somebody writes it: any of it may be wrong, which <see cref="NamedTarget.TryCreate"/> says.</summary>
public sealed record NamedTargetDraft
{
    /// <summary>1 to 60 letters, digits, dots, hyphens and underscores, the first a letter or digit; unique whatever the case.</summary>
    public string? Name { get; init; }

    /// <summary>How it is asked.</summary>
    public NamedTargetKind Kind { get; init; }

    /// <summary>An IP address (icmp, tcp), or an http or https URL (http).</summary>
    public string? Address { get; init; }

    /// <summary>1 to 65535 (tcp), else null.</summary>
    public int? Port { get; init; }

    /// <summary>From one probe to the next: 1 s to 1 h, with http 5 s to 1 h.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Statuses that are an answer (http), "200-299,401"; null: 200 to 399.</summary>
    public string? Statuses { get; init; }

    /// <summary>A regular expression that the first 64 KiB of the body have to match (http); null: any body.</summary>
    public string? BodyPattern { get; init; }

    /// <summary>Whether the certificate has to be valid for the name and come from an authority that the hub's machine trusts (https).</summary>
    public bool TrustAnyCertificate { get; init; }

    /// <summary>A certificate that ends within so many days counts as no answer (https): 0 to 400; null: only one that has ended.</summary>
    public int? CertificateDays { get; init; }
}

/// <summary>A target that operators have added, and that makes sense.</summary>
public sealed partial record NamedTarget
{
    /// <summary>What the id of such a target begins with.</summary>
    public const string IdPrefix = "target:";

    private const int LongestPattern = 500;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestHttp = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private NamedTarget()
    {
    }

    /// <summary>As it was written.</summary>
    public required NamedTargetDraft Draft { get; init; }

    /// <summary>Its name.</summary>
    public string Name => Draft.Name!;

    /// <summary>By which it is found among all targets: "target:" and its name.</summary>
    public string Id => IdPrefix + Name;

    /// <summary>
    /// Of what was written: another one after each change, and the same again when it is written as it was. Below 2^52, so that no script's numbers round it.
    /// Whoever changes a target names it to say what he has seen.
    /// </summary>
    public long Revision => RevisionOf(Draft);

    /// <summary>The same of something that was read before.</summary>
    public static long RevisionOf(NamedTargetDraft draft) => BitConverter.ToInt64(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(draft))) & 0xF_FFFF_FFFF_FFFF;

    /// <summary>The address that is asked; null: the URL has a name, which is looked up for each probe.</summary>
    public required IPAddress? Host { get; init; }

    /// <summary>What is fetched (http), else null.</summary>
    public required Uri? Url { get; init; }

    /// <summary>Statuses that are an answer, each from the first to the last.</summary>
    public required ImmutableArray<(int First, int Last)> Statuses { get; init; }

    /// <summary>What the body has to match; null: anything. It takes time in proportion to the body, whatever is in that.</summary>
    internal Regex? Body { get; init; }

    /// <summary>How it is asked, in words: "ICMP", "TCP port 443", "HTTPS".</summary>
    public string Way => Draft.Kind switch
    {
        NamedTargetKind.Tcp => $"TCP port {Draft.Port}",
        NamedTargetKind.Http => Url!.Scheme == Uri.UriSchemeHttps ? "HTTPS" : "HTTP",
        _ => "ICMP",
    };

    /// <summary>Checks everything.</summary>
    /// <param name="draft">As it was written.</param>
    /// <param name="problems">Each problem by the name of its field in the API; empty: none.</param>
    public static NamedTarget? TryCreate(NamedTargetDraft draft, out ImmutableDictionary<string, string> problems)
    {
        var found = ImmutableDictionary.CreateBuilder<string, string>();
        bool http = draft.Kind == NamedTargetKind.Http;
        if (draft.Name is null || !Names().IsMatch(draft.Name))
        {
            found["name"] = "Write 1 to 60 letters, digits, dots, hyphens or underscores, beginning with a letter or a digit.";
        }

        IPAddress? host = null;
        Uri? url = null;
        if (!Enum.IsDefined(draft.Kind))
        {
            found["kind"] = "Write icmp, tcp or http.";
        }
        else if (http)
        {
            if (!Uri.TryCreate(draft.Address, UriKind.Absolute, out url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps) || url.Host.Length == 0 || url.UserInfo.Length > 0 || draft.Address!.Length > 2_000)
            {
                found["address"] = "Write a URL that begins with http:// or https://, without a user.";
            }
            else
            {
                host = url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 ? IPAddress.Parse(url.Host) : null;
            }
        }
        else if (draft.Address?.Contains('/', StringComparison.Ordinal) != false || !IPAddress.TryParse(draft.Address, out host) || host.Equals(IPAddress.Any) || host.Equals(IPAddress.IPv6Any))
        {
            found["address"] = "Write an IP address: a name might be another machine tomorrow.";
        }

        if (host is not null && !found.ContainsKey("address") && !GuardedConnection.IsAllowed(host))
        {
            found["address"] = "Link-local, multicast and unspecified addresses are not probed: a cloud's metadata service has such a one.";
        }

        if (draft.Kind == NamedTargetKind.Tcp ? draft.Port is not (>= 1 and <= 65_535) : draft.Port is not null)
        {
            found["port"] = draft.Kind == NamedTargetKind.Tcp ? "Write 1 to 65535." : "Only tcp has a port here; that of a URL stands in the URL.";
        }

        TimeSpan shortest = http ? ShortestHttp : Shortest;
        if (draft.Interval < shortest || draft.Interval > Longest || draft.Interval.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            found["intervalSeconds"] = $"Write {shortest.TotalSeconds:0} to {Longest.TotalSeconds:0} seconds.";
        }

        bool https = url?.Scheme == Uri.UriSchemeHttps;
        Regex? body = null;
        if (ProblemOfBody(draft.BodyPattern, http, out body) is { } problem)
        {
            found["bodyPattern"] = problem;
        }

        ImmutableArray<(int, int)>? statuses = draft.Statuses is null ? [(200, 399)] : ParseStatuses(draft.Statuses);
        if (statuses is null || (!http && draft.Statuses is not null))
        {
            found["statuses"] = http ? "Write statuses and ranges of them, like 200-299,401." : "Only http has a status.";
        }

        if (!https && draft.TrustAnyCertificate)
        {
            found["trustAnyCertificate"] = "Only an https URL has a certificate.";
        }

        if (draft.CertificateDays is { } days && (!https || days is < 0 or > 400))
        {
            found["certificateDays"] = https ? "Write 0 to 400 days." : "Only an https URL has a certificate.";
        }

        problems = found.ToImmutable();
        return problems.IsEmpty ? new NamedTarget { Draft = draft, Host = host, Url = url, Statuses = statuses!.Value, Body = body } : null;
    }

    /// <summary>Whether a status is one that was asked for.</summary>
    public bool Expects(int status) => Statuses.Any(s => status >= s.First && status <= s.Last);

    /// <inheritdoc/>
    public bool Equals(NamedTarget? other) => Draft == other?.Draft;

    /// <inheritdoc/>
    public override int GetHashCode() => Draft.GetHashCode();

    private static string? ProblemOfBody(string? pattern, bool http, out Regex? body)
    {
        body = null;
        if (pattern is null)
        {
            return null;
        }

        if (!http || pattern.Length is 0 or > LongestPattern)
        {
            return http ? $"Write 1 to {LongestPattern} characters." : "Only http has a body.";
        }

        try
        {
            // A pattern that looks behind or back can take for ever; without these it cannot.
            body = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return null;
        }
        catch (Exception fault) when (fault is ArgumentException or NotSupportedException)
        {
            return $"It is no regular expression without look-around and back-references: {fault.Message}";
        }
    }

    private static ImmutableArray<(int, int)>? ParseStatuses(string text)
    {
        var found = ImmutableArray.CreateBuilder<(int, int)>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (StatusRange().Match(part) is not { Success: true } match)
            {
                return null;
            }

            int first = int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
            int last = match.Groups[2].Success ? int.Parse(match.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : first;
            if (first > last)
            {
                return null;
            }

            found.Add((first, last));
        }

        return found.Count <= 20 ? found.ToImmutable() : null;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,59}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Names();

    [GeneratedRegex(@"\A([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex StatusRange();
}
