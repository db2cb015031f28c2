using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FailoverHub.Agent.Identity;

/// <summary>The key of a node, made here and never sent. ECDSA P-256.</summary>
internal static class NodeKey
{
    /// <summary>A new key (PKCS#8) and the request for a certificate of it (PKCS#10), both DER. The hub ignores the request's subject.</summary>
    public static (ImmutableArray<byte> Key, ImmutableArray<byte> Request) Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=failoverhub-agent", key, HashAlgorithmName.SHA256);
        return ([.. key.ExportPkcs8PrivateKey()], [.. request.CreateSigningRequest()]);
    }

    /// <summary>The certificate with its key, to be shown in TLS. The caller disposes of it.</summary>
    /// <exception cref="CryptographicException">They are no certificate and no key, or do not belong together.</exception>
    public static X509Certificate2 Load(ImmutableArray<byte> certificate, ImmutableArray<byte> key)
    {
        using var secret = ECDsa.Create();
        secret.ImportPkcs8PrivateKey(key.AsSpan(), out _);
        using var shown = X509CertificateLoader.LoadCertificate(certificate.AsSpan());
        try
        {
            return shown.CopyWithPrivateKey(secret);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            throw new CryptographicException("the key is not the certificate's", exception);
        }
    }
}
