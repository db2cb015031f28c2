using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>Addresses of receivers: what of one may be shown, and which may be spoken to in clear. Pure.</summary>
internal static class ChannelAddress
{
    private const int LongestText = 500;

    /// <summary>An http or https address without a name or a password in it, which would stand in logs.</summary>
    public static bool IsWeb(string? text) =>
        text is { Length: <= LongestText } && Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.Host.Length > 0;

    /// <summary>Nobody on the way can read it: https, or a loopback address written as such, which never leaves the machine.</summary>
    public static bool IsClosed(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttps || (IPAddress.TryParse(url.Host.Trim('[', ']'), out IPAddress? literal) && IPAddress.IsLoopback(literal)));

    /// <summary>Scheme, host and port: "https://hooks.example.org". What follows them is often a password.</summary>
    public static string OriginOf(string text)
    {
        var url = new Uri(text);
        return $"{url.Scheme}://{url.Authority}";
    }

    /// <summary>Six hex digits that tell one address from another: too few to find it by guessing, enough to see that it was changed.</summary>
    public static string MarkOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"FailoverHub.AlertChannel {text}")))[..6];
}
