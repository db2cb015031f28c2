using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Tests.Agents;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>A machine with a key of its own, and the certificate that it has at the moment: what an agent keeps in its state directory.</summary>
internal sealed class TestNode : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public X509Certificate2? Certificate { get; set; }

    public byte[] Request => RequestFor(_key);

    public static byte[] RequestFor(ECDsa key) => new CertificateRequest("CN=whatever", key, HashAlgorithmName.SHA256).CreateSigningRequest();

    /// <summary>Trusts any server: whether that is the right one is asked by tests of their own.</summary>
    public GrpcChannel Channel(string url, Action<X509Certificate2>? onServer = null)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    onServer?.Invoke((X509Certificate2)certificate!);
                    return certificate is not null;
                },
                ClientCertificateContext = Certificate is null ? null : SslStreamCertificateContext.Create(Certificate, null, offline: true),
            },
        };
        return GrpcChannel.ForAddress(url, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    /// <summary>Joins, and keeps what it gets.</summary>
    public async Task<IssuedCertificate> JoinAsync(string url, string token, string name)
    {
        using var channel = Channel(url);
        return Keep(await new Enrollment.EnrollmentClient(channel).JoinAsync(
            new JoinRequest { Token = token, Node = name, CertificateRequest = ByteString.CopyFrom(Request), AgentVersion = "1.2.3" }, cancellationToken: TestContext.Current.CancellationToken));
    }

    public async Task<IssuedCertificate> RenewAsync(string url)
    {
        using var channel = Channel(url);
        return Keep(await new Enrollment.EnrollmentClient(channel).RenewAsync(
            new RenewRequest { CertificateRequest = ByteString.CopyFrom(Request), AgentVersion = "1.2.3" }, cancellationToken: TestContext.Current.CancellationToken));
    }

    public async Task<RpcException> FailToJoinAsync(string url, string token, string name) => await Assert.ThrowsAsync<RpcException>(() => JoinAsync(url, token, name));

    /// <summary>Opens the stream and reports.</summary>
    public async Task<FakeAgent> ConnectAsync(string url, string calledItself = "whoever", string boot = "boot-1", string prefix = "203.0.113.10/32", Role role = Role.Primary)
    {
        var agent = await FakeAgent.ConnectAsync(Channel(url), calledItself, FakeAgent.State(role, prefix), boot);
        await agent.ReportAsync();
        return agent;
    }

    /// <summary>Opens the stream and is sent away.</summary>
    public async Task<RpcException> FailToConnectAsync(string url, string boot = "boot-1")
    {
        using var channel = Channel(url);
        using var call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: TestContext.Current.CancellationToken);

        // The hub may have ended the call before this is written.
        _ = await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(new AgentMessage { Hello = new Hello { Node = "whoever", BootId = boot } }, TestContext.Current.CancellationToken));
        return await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
                // A welcome that is taken back.
            }
        });
    }

    public void Dispose()
    {
        Certificate?.Dispose();
        _key.Dispose();
    }

    private IssuedCertificate Keep(IssuedCertificate issued)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(issued.Certificate.ToByteArray());
        Certificate = certificate.CopyWithPrivateKey(_key);
        return issued;
    }
}
