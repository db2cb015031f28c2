using System.Buffers.Text;
using System.Security.Cryptography;

namespace FailoverHub.Agent.Identity;

/// <summary>What an operator copies from the hub: a secret that makes this machine a node once, and, where the hub is its own authority, by what to recognise it.</summary>
internal sealed class JoinToken
{
    private const string Beginning = "fhj_";

    // 32 octets in base64url without padding.
    private const int WordLength = 43;

    private readonly byte[]? _fingerprint;

    private JoinToken(string secret, byte[]? fingerprint)
    {
        Secret = secret;
        _fingerprint = fingerprint;
    }

    /// <summary>For the hub, and only once it has been recognised.</summary>
    public string Secret { get; }

    /// <summary>The hub shows a certificate of its own authority, whose fingerprint this token carries; else it shows one that any client would trust.</summary>
    public bool NamesAuthority => _fingerprint is not null;

    /// <summary>Either the token, or what is wrong with it, in a sentence that says what to do and has nothing of the token in it.</summary>
    public static (JoinToken? Token, string? Problem) Parse(string text)
    {
        var word = text.Trim();
        if (word.Length == 0)
        {
            return (null, "it is empty; copy the whole token that the hub showed.");
        }

        if (!word.StartsWith(Beginning, StringComparison.Ordinal))
        {
            return (null, $"it does not begin with {Beginning}, so it is no join token; make one in the hub ('failoverhub join-token create', or Nodes, Add a node).");
        }

        var parts = word[Beginning.Length..].Split('.');
        byte[]? fingerprint = null;
        var isWhole = parts.Length is 1 or 2 && Octets(parts[0]) is not null && (parts.Length == 1 || (fingerprint = Octets(parts[1])) is not null);
        return isWhole
            ? (new JoinToken(Beginning + parts[0], fingerprint), null)
            : (null, "it is not whole, or has something else in it; copy all of the token that the hub showed, in one word.");
    }

    /// <summary>Whether this certificate is the authority that the token names.</summary>
    /// <param name="certificate">DER.</param>
    public bool Names(ReadOnlySpan<byte> certificate) =>
        _fingerprint is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate), _fingerprint);

    /// <summary>Never the secret.</summary>
    public override string ToString() => $"{Beginning}...";

    private static byte[]? Octets(string word)
    {
        var octets = new byte[SHA256.HashSizeInBytes];
        return word.Length == WordLength && Base64Url.IsValid(word) && Base64Url.TryDecodeFromChars(word, octets, out var length) && length == octets.Length ? octets : null;
    }
}
