using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FailoverHub.Agent.Identity;

/// <summary>What a node has of the hub that it has joined: which one, by what to recognise it, and as whom to speak with it. A renewal makes another one.</summary>
internal sealed record HubIdentity
{
    /// <summary>Where it was joined; https.</summary>
    public required Uri Hub { get; init; }

    /// <summary>As the hub calls this node.</summary>
    public required string Node { get; init; }

    /// <summary>Never changes, whatever the node is called.</summary>
    public required string NodeId { get; init; }

    public required HubTrust Trust { get; init; }

    public required CertificateTimes Times { get; init; }

    /// <summary>Who signed the certificate, DER.</summary>
    public required ImmutableArray<byte> Authority { get; init; }

    /// <summary>DER.</summary>
    public required ImmutableArray<byte> Certificate { get; init; }

    /// <summary>PKCS#8. In no log, no status and no sentence.</summary>
    public required ImmutableArray<byte> Key { get; init; }

    /// <summary>SHA-256 of the certificate, in lower hex digits: tells one from the next.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>
    /// Puts together what belongs together, from a hub's answer; or says why that cannot be used. Nothing of it is believed before it was looked at.
    /// </summary>
    /// <param name="hub">Where.</param>
    /// <param name="trust">By what it is recognised.</param>
    /// <param name="key">Ours, PKCS#8.</param>
    /// <param name="issued">What the hub has issued.</param>
    public static (HubIdentity? Identity, string? Problem) Make(Uri hub, HubTrust trust, ImmutableArray<byte> key, IssuedIdentity issued)
    {
        if (!NodeName.IsValid(issued.Node) || !NodeName.IsValidId(issued.NodeId))
        {
            return (null, "the name or the id that it gives this node cannot be one");
        }

        try
        {
            using var certificate = NodeKey.Load(issued.Certificate, key);
            using var authority = X509CertificateLoader.LoadCertificate(issued.Authority.AsSpan());
            var (notBefore, notAfter) = (Utc(certificate.NotBefore), Utc(certificate.NotAfter));
            if (!IsSignedBy(certificate, authority, notBefore + ((notAfter - notBefore) / 2)))
            {
                return (null, "the certificate is not signed by the authority that came with it");
            }

            // A time that makes no sense is replaced by the rule of the hub itself.
            var renewAfter = issued.RenewAfter > notBefore && issued.RenewAfter < notAfter ? issued.RenewAfter : notBefore + ((notAfter - notBefore) * 2 / 3);
            return (new HubIdentity
            {
                Hub = hub,
                Node = issued.Node,
                NodeId = issued.NodeId,
                Trust = trust,
                Times = new CertificateTimes(notBefore, notAfter, renewAfter),
                Authority = issued.Authority,
                Certificate = issued.Certificate,
                Key = key,
                Fingerprint = Convert.ToHexStringLower(SHA256.HashData(issued.Certificate.AsSpan())),
            }, null);
        }
        catch (CryptographicException exception)
        {
            return (null, $"the certificate cannot be used: {exception.Message.TrimEnd('.')}");
        }
    }

    /// <summary>The same node with its next certificate; or why that cannot be used.</summary>
    public (HubIdentity? Identity, string? Problem) Renewed(ImmutableArray<byte> key, IssuedIdentity issued) =>
        // A name may have changed; another node's certificate is never taken.
        issued.NodeId == NodeId ? Make(Hub, Trust, key, issued) : (null, "the certificate is another node's");

    /// <summary>Never the key.</summary>
    public override string ToString() => $"{Node} at {Hub}";

    private static DateTimeOffset Utc(DateTime local) => new(local.ToUniversalTime(), TimeSpan.Zero);

    // In the middle of its life: whether it can be used now depends on clocks, and is said elsewhere.
    private static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 authority, DateTimeOffset when)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = when.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        return chain.Build(certificate);
    }
}

/// <summary>What a hub issues to a node, as it came over the wire.</summary>
internal sealed record IssuedIdentity
{
    public required string Node { get; init; }

    public required string NodeId { get; init; }

    /// <summary>DER.</summary>
    public required ImmutableArray<byte> Certificate { get; init; }

    /// <summary>DER.</summary>
    public required ImmutableArray<byte> Authority { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset RenewAfter { get; init; }
}

/// <summary>What a node may be called.</summary>
internal static class NodeName
{
    public static bool IsValid(string name) => name.Length is > 0 and <= 63 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    public static bool IsValidId(string id) => id.Length is > 0 and <= 64 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-');
}
