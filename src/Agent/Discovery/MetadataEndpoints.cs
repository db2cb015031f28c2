using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Agent.Discovery;

/// <summary>Where the metadata service of this machine answers.</summary>
internal static class MetadataEndpoints
{
    /// <summary>Word of <c>--metadata</c> for not asking at all.</summary>
    public const string Off = "off";

    /// <summary>The platform's two addresses. Both are link-local: only the machine's own host answers there.</summary>
    public static ImmutableArray<Uri> Platform { get; } = [new("http://169.254.169.254"), new("http://[fd00:a9fe:a9fe::1]")];

    /// <summary>
    /// Reads <c>off</c> (no endpoint) or <c>http://ADDR[:PORT]</c>. Only an address: a name would have to be resolved, and whoever answers for it could move our sessions.
    /// </summary>
    public static bool TryParse(string text, out ImmutableArray<Uri> endpoints)
    {
        endpoints = [];
        if (text == Off)
        {
            return true;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0
            || uri.Fragment.Length > 0 || !IPAddress.TryParse(uri.DnsSafeHost, out _))
        {
            return false;
        }

        endpoints = [uri];
        return true;
    }
}
