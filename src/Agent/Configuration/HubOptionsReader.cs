using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Configuration;

/// <summary>Which hub there is, and by what it is recognised.</summary>
/// <param name="raw">As it was given.</param>
/// <param name="errors">Takes what is wrong.</param>
/// <param name="joined">What a join has given this node.</param>
internal sealed class HubOptionsReader(RawArguments raw, FlagErrors errors, HubIdentity? joined)
{
    /// <summary>What is given goes before what was joined.</summary>
    public Uri? ReadHub()
    {
        if (raw.Hub is null)
        {
            return joined?.Hub;
        }

        if (raw.Hub == "off")
        {
            return null;
        }

        if (Parse(raw.Hub) is not { } hub)
        {
            errors.Add($"--hub: '{raw.Hub}' is no address of a hub; give it as https://HOST:PORT, such as https://hub.example:5443, or off.");
            return null;
        }

        if (hub.Scheme == Uri.UriSchemeHttp && !IsThisHost(hub))
        {
            // Whoever is between us could move addresses.
            errors.Add($"--hub: '{raw.Hub}' would cross the network unprotected; join the hub over https ('failoverhub-agent join --help' says how), or open an SSH tunnel (ssh -N -L 5081:127.0.0.1:5081 {hub.IdnHost}) and give http://127.0.0.1:5081.");
        }

        return hub;
    }

    /// <summary>Null: nobody says.</summary>
    public HubTrust? ReadTrust()
    {
        var (trust, problem) = Trust(raw.HubCa);
        if (problem is not null)
        {
            errors.Add($"--hub-ca: {problem}");
        }

        return trust;
    }

    /// <summary>Null: it cannot be the address of a hub.</summary>
    public static Uri? Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var hub) && hub.Scheme is "http" or "https" && hub.Host.Length > 0 ? hub : null;

    /// <summary>What the value of <c>--hub-ca</c> means; or what is wrong with it, in a sentence.</summary>
    public static (HubTrust? Trust, string? Problem) Trust(string? given)
    {
        if (given is null)
        {
            return (null, null);
        }

        if (given == "system")
        {
            return (new HubTrust.OfTheSystem(), null);
        }

        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(given);
            ImmutableArray<ImmutableArray<byte>> authorities = [.. certificates.Select(certificate => ImmutableArray.Create(certificate.RawData))];
            foreach (var certificate in certificates)
            {
                certificate.Dispose();
            }

            return authorities.IsEmpty
                ? (null, $"'{given}' has no certificate in it; give the certificates of the authorities as PEM, or system.")
                : (new HubTrust.Given(authorities), null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or NotSupportedException)
        {
            return (null, $"'{given}' cannot be read: {exception.Message.TrimEnd('.')}; give a file with the certificates of the authorities as PEM, or system.");
        }
    }

    private static bool IsThisHost(Uri hub) =>
        hub.Host == "localhost" || (IPAddress.TryParse(hub.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));
}
