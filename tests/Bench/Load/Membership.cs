using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using FailoverHub.Protos.V1;
using Google.Protobuf;
using Grpc.Net.Client;

namespace FailoverHub.Bench.Load;

/// <summary>What a node has after its join: its certificate, and by which authority it knows the hub.</summary>
internal sealed class Membership(X509Certificate2 certificate, X509Certificate2 authority) : IDisposable
{
    // Made once: each handshake would build the chain anew.
    private readonly SslStreamCertificateContext _shown = SslStreamCertificateContext.Create(certificate, null, offline: true);

    /// <summary>As the real agent has it: the hub is known by its authority and by no name.</summary>
    /// <param name="resume">May shorten the handshake by what an earlier one left.</param>
    public SslClientAuthenticationOptions Tls(bool resume = true) => Trusting(authority, _shown, resume);

    public void Dispose() => certificate.Dispose();

    /// <summary>Joins a node by a token that the API makes.</summary>
    public static async Task<Membership> JoinAsync(HubProcess hub, string node, int number, CancellationToken stop)
    {
        using var made = await hub.Api.PostAsJsonAsync("/api/v1/join-tokens", new { node, minutes = 60 }, stop);
        made.EnsureSuccessStatusCode();
        var token = (await made.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("token").GetString()!;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        using var channel = GrpcChannel.ForAddress(hub.AgentUrl, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = Loopback.From(Loopback.Agent(number)), SslOptions = Trusting(null, null, resume: false) },
            DisposeHttpClient = true,
        });
        var issued = await new Enrollment.EnrollmentClient(channel).JoinAsync(
            new JoinRequest { Token = token, Node = node, CertificateRequest = ByteString.CopyFrom(request), AgentVersion = "bench" }, cancellationToken: stop);
        return Of(issued.Certificate.ToByteArray(), X509CertificateLoader.LoadCertificate(issued.Authority.ToByteArray()), key);
    }

    public static Membership Of(byte[] certificate, X509Certificate2 authority, ECDsa key)
    {
        using var bare = X509CertificateLoader.LoadCertificate(certificate);
        return new Membership(bare.CopyWithPrivateKey(key), authority);
    }

    /// <summary>Joins many, some at a time; gives them in their order.</summary>
    public static async Task<IReadOnlyList<Membership>> JoinAllAsync(HubProcess hub, IReadOnlyList<(string Node, int Number)> nodes, IProgress<int> progress, CancellationToken stop)
    {
        var joined = new ConcurrentDictionary<int, Membership>();
        await Parallel.ForEachAsync(nodes, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = stop }, async (node, one) =>
        {
            joined[node.Number] = await JoinAsync(hub, node.Node, node.Number, one);
            progress.Report(joined.Count);
        });
        return [.. nodes.Select(n => joined[n.Number])];
    }

    private static SslClientAuthenticationOptions Trusting(X509Certificate2? authority, SslStreamCertificateContext? shown, bool resume) => new()
    {
        TargetHost = "localhost",
        AllowTlsResume = resume,
        ClientCertificateContext = shown,
        CertificateChainPolicy = authority is null ? null : new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true,
        },

        // Whom the token's fingerprint would show; here it is known who listens on that port.
        RemoteCertificateValidationCallback = (_, _, _, errors) => authority is null || (errors & SslPolicyErrors.RemoteCertificateChainErrors) == 0,
    };
}
