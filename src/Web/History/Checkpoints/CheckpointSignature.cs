using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>
/// What a checkpoint signs, and whether a signature is good. ECDSA with P-256 and SHA-256 in DER over five lines of text, so that anybody can
/// check it with other people's tools too:
/// <code>openssl dgst -sha256 -verify PUBLIC.pem -signature SIGNATURE LINES</code>
/// Pure.
/// </summary>
internal static class CheckpointSignature
{
    public static byte[] Signed(long entryId, string entryHash, long atMs, string keyId) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"failoverhub audit checkpoint v1\nentry {entryId}\nhash {entryHash}\nat {atMs}\nkey {keyId}\n"));

    /// <summary>Hex SHA-256 of the public key (SubjectPublicKeyInfo, DER): what people compare.</summary>
    public static string KeyIdOf(byte[] publicKey) => Convert.ToHexStringLower(SHA256.HashData(publicKey));

    /// <summary>The key is the one that it names, and signed exactly this.</summary>
    public static bool IsGood(AuditCheckpoint checkpoint)
    {
        try
        {
            byte[] publicKey = Convert.FromBase64String(checkpoint.PublicKey);
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey, out int read);
            return read == publicKey.Length
                && IsP256(key)
                && KeyIdOf(publicKey) == checkpoint.KeyId
                && key.VerifyData(
                    Signed(checkpoint.EntryId, checkpoint.EntryHash, checkpoint.At.ToUnixTimeMilliseconds(), checkpoint.KeyId),
                    Convert.FromBase64String(checkpoint.Signature),
                    HashAlgorithmName.SHA256,
                    DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return false;
        }
    }

    public static bool IsP256(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value;
}
