using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FailoverHub.Web.Identity;

/// <summary>A certificate that was just issued.</summary>
internal sealed record IssuedNodeCertificate(byte[] Der, string Serial, DateTimeOffset NotAfter, DateTimeOffset RenewAfter);

/// <summary>What a node's certificate looks like, from both sides: how it is made and how it is read. Pure but for the random serial number.</summary>
internal static class NodeCertificates
{
    /// <summary>Unless a setting says less.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>Renewed every forty minutes: to see it happen, not to live with.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromHours(1);

    // Clocks of nodes are not the hub's.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private const int LongestRequest = 4_096;
    private const string NodeUri = "urn:failoverhub:node:";
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>The public key of a PKCS#10 request (DER) whose signature is right. Its subject and what else it wishes for are ignored.</summary>
    public static PublicKey? KeyOf(ReadOnlySpan<byte> request, out string? problem)
    {
        problem = "The certificate request must be PKCS#10 (DER) for an ECDSA key on the curve P-256, signed with that key.";
        if (request.Length is 0 or > LongestRequest)
        {
            return null;
        }

        try
        {
            var parsed = CertificateRequest.LoadSigningRequest(request.ToArray(), HashAlgorithmName.SHA256, out var read);
            using var key = parsed.PublicKey.GetECDsaPublicKey();
            if (read != request.Length || key?.ExportParameters(false).Curve.Oid.Value != P256)
            {
                return null;
            }

            problem = null;
            return parsed.PublicKey;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Issues one.</summary>
    /// <param name="authority">Signs it.</param>
    /// <param name="key">The node's key, from <see cref="KeyOf"/>.</param>
    /// <param name="node">The node's name, for whoever reads the certificate.</param>
    /// <param name="nodeId">Who it is.</param>
    /// <param name="now">The beginning of its life.</param>
    /// <param name="lifetime">From then on; its node asks for the next one after two thirds of it.</param>
    public static IssuedNodeCertificate Issue(HubAuthority authority, PublicKey key, string node, string nodeId, DateTimeOffset now, TimeSpan lifetime)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(NodeUri + nodeId));
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(node);
        var notAfter = now + lifetime;
        var serial = HubAuthority.NewSerial();
        using var certificate = authority.Sign(name.Build(), key, HubAuthority.ClientUse, names.Build(), now - ClockSkew, notAfter, serial);
        return new IssuedNodeCertificate(certificate.RawData, SerialOf(certificate), notAfter, now + (lifetime * 2 / 3));
    }

    /// <summary>Lower-case hex, as it is stored.</summary>
    public static string SerialOf(X509Certificate2 certificate) => Convert.ToHexStringLower(certificate.SerialNumberBytes.Span);

    /// <summary>The node id in the certificate; null: there is none.</summary>
    public static string? NodeIdOf(X509Certificate2 certificate)
    {
        // The runtime's reader of this extension leaves URIs out, so they are read here: SEQUENCE of GeneralName, [6] is a URI (RFC 5280 4.2.1.6).
        var names = certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == "2.5.29.17");
        if (names is null)
        {
            return null;
        }

        try
        {
            var reader = new System.Formats.Asn1.AsnReader(names.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
            var uri = new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 6);
            while (reader.HasData)
            {
                if (!reader.PeekTag().HasSameClassAndValue(uri))
                {
                    reader.ReadEncodedValue();
                }
                else if (reader.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.IA5String, uri) is var text && text.StartsWith(NodeUri, StringComparison.Ordinal))
                {
                    return text[NodeUri.Length..];
                }
            }
        }
        catch (System.Formats.Asn1.AsnContentException)
        {
            // Not one of ours.
        }

        return null;
    }
}
