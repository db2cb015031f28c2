using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FailoverHub.Web.Access;

/// <summary>Codes and tokens: 256 random bits, shown once, kept as a hash. A plain hash is enough: there is nothing to guess in random bits.</summary>
internal static class Secret
{
    /// <summary>43 characters that may stand in a URL.</summary>
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>SHA-256, lower-case hex. It is looked up by index: what timing tells about a hash does not tell the secret.</summary>
    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
