using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Tests.Identity;

/// <summary>A certificate authority of a hub, as the hub makes its own.</summary>
internal sealed class TestAuthority : IDisposable
{
    public const string ServerUse = "1.3.6.1.5.5.7.3.1";
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=FailoverHub authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-5), DateTimeOffset.UtcNow.AddYears(10));
    }

    public X509Certificate2 Certificate { get; }

    public ImmutableArray<byte> Der => [.. Certificate.RawData];

    /// <summary>A token of this authority's hub.</summary>
    public string Token(string secret) => $"{Secret(secret)}.{Encoded(SHA256.HashData(Certificate.RawData))}";

    /// <summary>A token that names no authority, and what the hub sees of any.</summary>
    public static string Secret(string secret) => $"fhj_{Encoded(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(secret)))}";

    /// <summary>A certificate of the endpoint, with its key.</summary>
    public X509Certificate2 Server(string name = "localhost", string use = ServerUse, TimeSpan begins = default)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Parse("192.0.2.1"));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        using var signed = Sign(request, begins - TimeSpan.FromMinutes(5), TimeSpan.FromDays(90));
        using var whole = signed.CopyWithPrivateKey(key);

        // As it would come from a file: TLS takes no key that lives in memory only on every platform.
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>The certificate of a node, for its request.</summary>
    public X509Certificate2 Node(ReadOnlySpan<byte> request, string node, string id, TimeSpan begins, TimeSpan life)
    {
        var asked = CertificateRequest.LoadSigningRequest([.. request], HashAlgorithmName.SHA256, CertificateRequestLoadOptions.Default);
        var made = new CertificateRequest(new X500DistinguishedName($"CN={node}"), asked.PublicKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri($"urn:failoverhub:node:{id}"));
        made.CertificateExtensions.Add(names.Build());
        made.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientUse)], false));
        return Sign(made, begins, life);
    }

    /// <summary>What a join would have given a node.</summary>
    /// <param name="hub">Where.</param>
    /// <param name="age">Of its certificate.</param>
    /// <param name="life">Of its certificate.</param>
    public HubIdentity Identity(Uri hub, TimeSpan age, TimeSpan life)
    {
        var (key, request) = NodeKey.Make();
        using var certificate = Node(request.AsSpan(), "node-a", TlsHub.NodeId, -age, life);
        var (identity, problem) = HubIdentity.Make(hub, new HubTrust.Pinned(Der), key, new IssuedIdentity
        {
            Node = "node-a",
            NodeId = TlsHub.NodeId,
            Certificate = [.. certificate.RawData],
            Authority = Der,
            RenewAfter = DateTimeOffset.UtcNow - age + (life * 2 / 3),
        });
        Assert.Null(problem);
        return identity!;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Sign(CertificateRequest request, TimeSpan begins, TimeSpan life) => request.Create(
        Certificate, DateTimeOffset.UtcNow + begins, DateTimeOffset.UtcNow + begins + life, RandomNumberGenerator.GetBytes(16));

    private static string Encoded(byte[] octets) => System.Buffers.Text.Base64Url.EncodeToString(octets);
}
