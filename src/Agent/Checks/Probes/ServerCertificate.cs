using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FailoverHub.Agent.Checks.Probes;

/// <summary>What is asked of the certificate of an https server, and why the last one did not do.</summary>
/// <param name="options">What to look at.</param>
/// <param name="name">That it has to be for.</param>
/// <param name="time">For its validity.</param>
internal sealed class ServerCertificate(ProbeOptions.Http options, string name, TimeProvider time) : IDisposable
{
    private readonly X509Certificate2Collection _trusted = [];
    private DateTime _trustedAsOf = DateTime.MinValue;

    /// <summary>Why the certificate of this run is not good, in words; null: it is, or none has come.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whole days for which the certificate of this run is still valid; null: none has come.</summary>
    public int? DaysLeft { get; private set; }

    /// <summary>Before each run: forgets the last one and reads the CA file if it was changed, as at a renewal. Not null: the run makes no sense.</summary>
    public string? Prepare()
    {
        Problem = null;
        DaysLeft = null;
        if (options.CertificateAuthorityFile is not { } file || !options.VerifyCertificate)
        {
            return null;
        }

        try
        {
            var written = File.GetLastWriteTimeUtc(file);
            if (written == _trustedAsOf)
            {
                return null;
            }

            Forget();
            _trusted.ImportFromPemFile(file);
            if (_trusted.Count == 0)
            {
                return $"CA file {file} has no certificate in it; give a PEM file";
            }

            _trustedAsOf = written;
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"CA file {file} cannot be read: {exception.Message}";
        }
    }

    /// <summary>Whether the connection may go on.</summary>
    /// <param name="shown">The server's, null: none.</param>
    /// <param name="others">That the server sent with it, to be signed by.</param>
    public bool IsGood(X509Certificate? shown, X509Certificate2Collection? others)
    {
        if (shown is null)
        {
            Problem = "the server shows no certificate";
            return false;
        }

        using var certificate = new X509Certificate2(shown);
        var left = certificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime;
        DaysLeft = (int)Math.Floor(left.TotalDays);
        Problem = options.VerifyCertificate ? Fault(certificate, others) : null;
        if (Problem is null && options.MinimumCertificateDays is { } least && DaysLeft < least)
        {
            Problem = DaysLeft < 0 ? Expired(certificate) : $"its certificate is valid for {DaysLeft} days more, fewer than {least}: until {Day(certificate.NotAfter)}";
        }

        return Problem is null;
    }

    public void Dispose() => Forget();

    private string? Fault(X509Certificate2 certificate, X509Certificate2Collection? others)
    {
        var now = time.GetUtcNow().UtcDateTime;
        if (certificate.NotAfter.ToUniversalTime() < now)
        {
            return Expired(certificate);
        }

        if (certificate.NotBefore.ToUniversalTime() > now)
        {
            return $"its certificate is valid only from {Day(certificate.NotBefore)} on; is the clock right?";
        }

        if (!certificate.MatchesHostname(name))
        {
            return $"its certificate ({Printable.Of(certificate.Subject, 200)}) is not for {name}";
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;

        chain.ChainPolicy.ExtraStore.AddRange(others ?? []);
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        if (options.CertificateAuthorityFile is not null)
        {
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(_trusted);
        }

        if (chain.Build(certificate))
        {
            return null;
        }

        var status = chain.ChainStatus.FirstOrDefault();
        return status.Status is X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain
            ? $"its certificate is signed by nobody that {options.CertificateAuthorityFile ?? "this system"} trusts: {Printable.Of(certificate.Issuer, 200)}"
            : $"its certificate is not trusted: {Printable.Of(status.StatusInformation ?? "", 200)}";
    }

    private static string Expired(X509Certificate2 certificate) => $"its certificate expired on {Day(certificate.NotAfter)}";

    private void Forget()
    {
        foreach (var certificate in _trusted)
        {
            certificate.Dispose();
        }

        _trusted.Clear();
        _trustedAsOf = DateTime.MinValue;
    }

    private static string Day(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
