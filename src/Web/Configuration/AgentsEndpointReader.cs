using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Configuration;

/// <summary>Reads how agents reach and trust the hub. Adds every problem, each with what to do.</summary>
internal static class AgentsEndpointReader
{
    private const int MostNames = 50;

    public static AgentsEndpoint Read(HubSettings settings, BindUrl? url, ImmutableArray<string>.Builder problems)
    {
        ImmutableArray<string> names = [.. (settings.AgentNames ?? "").Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        foreach (string name in names.Where(n => Uri.CheckHostName(n) == UriHostNameType.Unknown || n.Contains('*', StringComparison.Ordinal)))
        {
            problems.Add($"{HubSettings.AgentNamesKey}: '{name}' is neither a host name nor an address. Write names and addresses by which agents reach this machine, separated by commas.");
        }

        if (names.Length > MostNames)
        {
            problems.Add($"{HubSettings.AgentNamesKey}: has {names.Length} names. Write {MostNames} at most.");
        }

        OperatorCertificate? certificate = null;
        string? certificateFile = Given(settings.AgentCertificate);
        string? keyFile = Given(settings.AgentKey);
        if ((certificateFile, keyFile) is ({ } file, { } key))
        {
            certificate = new OperatorCertificate(Path.GetFullPath(file), Path.GetFullPath(key));
        }
        else if (certificateFile is not null || keyFile is not null)
        {
            problems.Add($"{HubSettings.AgentCertificateKey} and {HubSettings.AgentKeyKey}: one is given without the other. Give both, or neither: then the hub makes a certificate itself.");
        }

        if (certificate is not null && url is { IsHttps: false })
        {
            problems.Add($"{HubSettings.AgentCertificateKey}: a certificate is of no use with {url}. Write https:// in {HubSettings.AgentUrlKey}, or leave the certificate out.");
        }

        TimeSpan lifetime = NodeCertificates.Lifetime;
        if (Given(settings.CertificateHours) is { } text)
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int hours) && hours >= NodeCertificates.Shortest.TotalHours && hours <= NodeCertificates.Lifetime.TotalHours)
            {
                lifetime = TimeSpan.FromHours(hours);
            }
            else
            {
                problems.Add($"{HubSettings.CertificateHoursKey}: '{text}' is no life of a certificate. Write 1 to {NodeCertificates.Lifetime.TotalHours:0} hours; left out it is {NodeCertificates.Lifetime.TotalHours:0}, 30 days.");
            }
        }

        return new AgentsEndpoint { Names = names, Certificate = certificate, PublicUrl = PublicUrl(names, url), CertificateLifetime = lifetime };
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private static string PublicUrl(ImmutableArray<string> names, BindUrl? url)
    {
        string host = names.Length > 0 ? names[0]
            : url is { IsLoopback: true } or { Address: not null } && !url.IsEveryAddress ? url.Address!.ToString()
            : Environment.MachineName.ToLowerInvariant();
        return $"{url?.Scheme ?? "https"}://{(Uri.CheckHostName(host) == UriHostNameType.IPv6 ? $"[{host.Trim('[', ']')}]" : host)}:{url?.Port ?? 5443}";
    }
}
