using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FailoverHub.Web.Identity;

/// <summary>
/// The certificate that the agents' endpoint shows: made by the hub's authority with a key that is never stored, and anew when two thirds of its
/// life are over; or the operator's, read again when its files change. Asked once per handshake.
/// </summary>
internal sealed partial class EndpointCertificates(HubIdentity identity, AgentsEndpoint endpoint, TimeProvider time, ILogger<EndpointCertificates> logger) : IDisposable
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private SslStreamCertificateContext? _current;
    private DateTimeOffset _lookAgainAt;
    private (DateTime Certificate, DateTime Key) _writtenAt;

    /// <summary>What to show now. It carries the hub's authority as a hint, so that browsers that stray here ask nobody for a certificate.</summary>
    /// <exception cref="IdentityException">The operator's certificate cannot be used, and there is none from before.</exception>
    public SslStreamCertificateContext Current()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_current is null || now >= _lookAgainAt)
            {
                _current = endpoint.Certificate is { } files ? OfOperator(files, now) : OfAuthority(now);
            }

            return _current;
        }
    }

    public void Dispose() => _current?.TargetCertificate.Dispose();

    private SslStreamCertificateContext OfAuthority(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        foreach (var name in endpoint.Names.Prepend(Environment.MachineName.ToLowerInvariant()).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(name, out var address))
            {
                names.AddIpAddress(address);
            }
            else if (Uri.CheckHostName(name) == UriHostNameType.Dns)
            {
                names.AddDnsName(name);
            }
        }

        var request = new CertificateRequest("CN=FailoverHub", key, HashAlgorithmName.SHA256);
        using var signed = identity.Authority.Sign(
            request.SubjectName, request.PublicKey, HubAuthority.ServerUse, names.Build(), now - TimeSpan.FromMinutes(5), now + Lifetime, HubAuthority.NewSerial());

        // Connections that were opened with the one before go on with it; the collector takes it when the last of them is gone.
        _lookAgainAt = now + (Lifetime * 2 / 3);
        return ContextOf(signed.CopyWithPrivateKey(key), []);
    }

    private SslStreamCertificateContext OfOperator(OperatorCertificate files, DateTimeOffset now)
    {
        _lookAgainAt = now + LookEvery;
        try
        {
            // Each by itself: a certificate that is put there with its own, older time is another one too.
            var written = (File.GetLastWriteTimeUtc(files.CertificateFile), File.GetLastWriteTimeUtc(files.KeyFile));
            if (_current is not null && written == _writtenAt)
            {
                return _current;
            }

            var (certificate, chain) = Read(files, now);
            _writtenAt = written;
            var end = certificate.NotAfter;
            if (_current is not null)
            {
                LogReplaced(logger, files.CertificateFile, end);
            }

            return ContextOf(certificate, chain);
        }
        catch (Exception e) when (e is IdentityException or IOException or UnauthorizedAccessException && _current is not null)
        {
            LogKept(logger, e.Message);
            return _current!;
        }
    }

    private SslStreamCertificateContext ContextOf(X509Certificate2 certificate, X509Certificate2Collection chain) =>
        SslStreamCertificateContext.Create(certificate, chain, offline: true, SslCertificateTrust.CreateForX509Collection([identity.Authority.Certificate], sendTrustInHandshake: true));

    /// <summary>Reads the operator's certificate and says everything that keeps it from being used.</summary>
    /// <exception cref="IdentityException">It cannot be used; the message says what to do.</exception>
    internal static (X509Certificate2 Certificate, X509Certificate2Collection Chain) Read(OperatorCertificate files, DateTimeOffset now)
    {
        X509Certificate2 certificate;
        var chain = new X509Certificate2Collection();
        try
        {
            certificate = X509Certificate2.CreateFromPemFile(files.CertificateFile, files.KeyFile);
            chain.ImportFromPemFile(files.CertificateFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"--agent-certificate: {e.Message.TrimEnd('.')}. Give the hub's user read access to '{files.CertificateFile}' and '{files.KeyFile}', or leave both options out: then the hub makes a certificate itself.", e);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new IdentityException($"--agent-certificate: '{files.CertificateFile}' and '{files.KeyFile}' are no certificate and its unencrypted key, both PEM ({e.Message.TrimEnd('.')}). Put the server's certificate first, then those between it and its authority.", e);
        }

        chain.RemoveAt(0);
        var uses = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault();
        var problem = now.UtcDateTime >= certificate.NotAfter.ToUniversalTime() ? $"it expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}. Renew it"
            : now.UtcDateTime < certificate.NotBefore.ToUniversalTime() ? $"it is valid from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd} on only. Is the clock right"
            : uses is not null && !uses.EnhancedKeyUsages.Cast<Oid>().Any(u => u.Value == HubAuthority.ServerUse) ? "it is not for servers (no serverAuth among its extended key uses). Ask its authority for a server certificate"
            : null;
        if (problem is not null)
        {
            certificate.Dispose();
            throw new IdentityException($"--agent-certificate: '{files.CertificateFile}' cannot be used: {problem}, or leave --agent-certificate and --agent-key out: then the hub makes a certificate itself.");
        }

        return (certificate, chain);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Agents are shown the new certificate of {File} from now on; it ends {NotAfter:O}")]
    private static partial void LogReplaced(ILogger logger, string file, DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Error, Message = "The new certificate of the agents' endpoint is not taken, the one before is shown until it expires. {Why}")]
    private static partial void LogKept(ILogger logger, string why);
}
