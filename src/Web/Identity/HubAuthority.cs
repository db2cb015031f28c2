using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.Identity;

/// <summary>
/// The hub's own certificate authority: ECDSA P-256, ten years, key and certificate in one file of the data folder (0600), made on the first
/// start. A file that cannot be used is an error and never a reason to make another authority: no node would know the hub any more.
/// </summary>
internal sealed class HubAuthority : IDisposable
{
    public const string FileName = "authority.pem";
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";
    public const string ServerUse = "1.3.6.1.5.5.7.3.1";

    private const int LifetimeYears = 10;

    private readonly X509Certificate2 _certificate;

    private HubAuthority(X509Certificate2 certificate)
    {
        _certificate = certificate;
        Certificate = X509CertificateLoader.LoadCertificate(certificate.RawData);
        Der = certificate.RawData;
        Fingerprint = Base64Url.EncodeToString(SHA256.HashData(Der));
    }

    /// <summary>Without its key.</summary>
    public X509Certificate2 Certificate { get; }

    public byte[] Der { get; }

    /// <summary>SHA-256 of <see cref="Der"/>, base64url, as it stands in a join token.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads the authority of a data folder, or makes it when there is none and none is expected.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="expected">Fingerprint of the authority that the database knows; null: there has not been one.</param>
    /// <param name="now">The beginning of the life of a new one.</param>
    /// <exception cref="IdentityException">The file is missing, damaged, unreadable, expired, or holds another authority than the expected one.</exception>
    public static HubAuthority Open(string folder, string? expected, DateTimeOffset now)
    {
        var file = Path.Combine(folder, FileName);
        try
        {
            if (!OwnFile.Exists(folder, FileName))
            {
                if (expected is not null)
                {
                    throw new IdentityException(
                        $"The hub's certificate authority '{file}' is missing, and the database knows it as the one of the nodes (SHA-256 {expected}). {Remedy}");
                }

                Make(folder, now);
            }

            var authority = Read(folder, now);
            if (expected is not null && authority.Fingerprint != expected)
            {
                var found = authority.Fingerprint;
                authority.Dispose();
                throw new IdentityException($"'{file}' holds another certificate authority (SHA-256 {found}) than the one that the nodes know (SHA-256 {expected}). {Remedy}");
            }

            return authority;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"The hub's certificate authority '{file}' cannot be read ({e.Message}). Give the hub's user access to it. No new one is made: the nodes would not know the hub any more.", e);
        }
    }

    public static byte[] NewSerial()
    {
        // Positive and without a leading zero, so that it reads the same everywhere.
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        return serial;
    }

    /// <summary>Signs a certificate for somebody else's key; the caller disposes it.</summary>
    public X509Certificate2 Sign(X500DistinguishedName subject, PublicKey key, string use, X509Extension names, DateTimeOffset notBefore, DateTimeOffset notAfter, byte[] serial)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        request.CertificateExtensions.Add(names);
        var end = notAfter.UtcDateTime < _certificate.NotAfter.ToUniversalTime() ? notAfter : new DateTimeOffset(_certificate.NotAfter.ToUniversalTime());
        var begin = notBefore.UtcDateTime > _certificate.NotBefore.ToUniversalTime() ? notBefore : new DateTimeOffset(_certificate.NotBefore.ToUniversalTime());
        return request.Create(_certificate, begin, end, serial);
    }

    /// <summary>A key of 32 octets that only who has the authority's own can compute (HKDF, RFC 5869), the same at each start.</summary>
    /// <param name="purpose">No two purposes give the same.</param>
    public byte[] DeriveKey(string purpose)
    {
        using ECDsa key = _certificate.GetECDsaPrivateKey() ?? throw new InvalidOperationException("The authority has no key.");
        ECParameters secret = key.ExportParameters(includePrivateParameters: true);
        try
        {
            return HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.D!, 32, info: System.Text.Encoding.UTF8.GetBytes(purpose));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret.D);
        }
    }

    public void Dispose()
    {
        _certificate.Dispose();
        Certificate.Dispose();
    }

    private const string Remedy =
        "Put the file back from a backup of the data folder. If it is lost, `failoverhub authority reset` makes a new one; then every node has to join again, and announces all the while.";

    private static void Make(string folder, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=FailoverHub authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now - TimeSpan.FromDays(1), now.AddYears(LifetimeYears));
        var pem = $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n";

        // Whole or not at all; and of two who make one at the same moment the first wins.
        var beside = $"{FileName}.{Path.GetRandomFileName()}";
        using (var stream = OwnFile.CreateNew(folder, beside))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(pem));
            stream.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(Path.Combine(folder, beside), Path.Combine(folder, FileName), overwrite: false);
        }
        catch (IOException) when (OwnFile.Exists(folder, FileName))
        {
            File.Delete(Path.Combine(folder, beside));
        }
    }

    private static HubAuthority Read(string folder, DateTimeOffset now)
    {
        // What others could read they may have copied, but nobody gains by the hub's standing still: it is made private, and used.
        var file = Path.Combine(folder, FileName);
        X509Certificate2 certificate;
        try
        {
            var pem = OwnFile.ReadPrivateText(folder, FileName);
            certificate = X509Certificate2.CreateFromPem(pem, pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new IdentityException($"The hub's certificate authority '{file}' is damaged ({e.Message}). {Remedy}", e);
        }

        if (now.UtcDateTime >= certificate.NotAfter.ToUniversalTime())
        {
            throw new IdentityException($"The hub's certificate authority '{file}' expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}. Is the clock of this machine right? If so, `failoverhub authority reset` makes a new one; then every node has to join again.");
        }

        return new HubAuthority(certificate);
    }
}
