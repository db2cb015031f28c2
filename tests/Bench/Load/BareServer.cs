using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Bench.Lab;
using FailoverHub.Protos.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Bench.Load;

/// <summary>
/// What the hub is compared with: the same framework, TLS and client certificates, and nothing behind it. It reads each report and forgets it, and acknowledges a mark at once. A process of
/// its own, started by the bench.
/// </summary>
internal sealed class BareServer : IAsyncDisposable
{
    private const string Authority = "authority.pem";

    private readonly string _folder = Directory.CreateTempSubdirectory("bare-bench-").FullName;
    private readonly X509Certificate2 _authority;

    private BareServer()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bare", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        File.WriteAllText(Path.Combine(_folder, Authority), _authority.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        var port = ServerProcess.FreePort();
        Url = $"https://127.0.0.1:{port}";
        Server = new ServerProcess(Environment.ProcessPath!, ["bare", port.ToString(System.Globalization.CultureInfo.InvariantCulture), Path.Combine(_folder, Authority)]);
    }

    public string Url { get; }

    public ServerProcess Server { get; }

    public static async Task<BareServer> StartAsync(CancellationToken stop)
    {
        var bare = new BareServer();
        bare.Server.Start();
        using var member = bare.Member(0);
        for (var tries = 0; tries < 1_200; tries++)
        {
            try
            {
                using var socket = await Loopback.DialAsync(IPAddress.Loopback, new IPEndPoint(IPAddress.Loopback, new Uri(bare.Url).Port), stop);
                return bare;
            }
            catch (System.Net.Sockets.SocketException) when (!bare.Server.HasExited)
            {
                await Pause.ForAsync(TimeSpan.FromMilliseconds(50), stop);
            }
        }

        await bare.DisposeAsync();
        throw new InvalidOperationException($"The bare server does not listen. {bare.Server.Complaint}");
    }

    public Membership Member(int number)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Membership.Of(Issue(_authority, $"CN={SimulatedAgent.NameOf(number)}", key).RawData, _authority, key);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The process: serves until it is ended.</summary>
    public static async Task ServeAsync(int port, string authorityFile)
    {
        using var authority = X509Certificate2.CreateFromPemFile(authorityFile);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = Issue(authority, "CN=localhost", key);
        var context = SslStreamCertificateContext.Create(issued.CopyWithPrivateKey(key), null, offline: true);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new Microsoft.AspNetCore.Server.Kestrel.Https.TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = context,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ClientCertificateRequired = true,
                    CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck },
                    RemoteCertificateValidationCallback = (_, shown, _, errors) => shown is not null && errors == SslPolicyErrors.None,
                }),
            });
        }));
        await using var app = builder.Build();
        app.MapGrpcService<Forgetful>();
        await app.RunAsync();
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string subject, ECDsa key) =>
        new CertificateRequest(subject, key, HashAlgorithmName.SHA256).Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(16));

    private sealed class Forgetful : AgentLink.AgentLinkBase
    {
        public override async Task Connect(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
        {
            var last = "";
            while (await requestStream.MoveNext())
            {
                if (requestStream.Current.BodyCase == AgentMessage.BodyOneofCase.Hello)
                {
                    await responseStream.WriteAsync(new HubMessage { Welcome = new Welcome { HubVersion = "bare" } });
                }
                else if (requestStream.Current.Report is { Sessions: [var session, ..] } && session.LastError != last)
                {
                    last = session.LastError;
                    await responseStream.WriteAsync(new HubMessage { JournalAck = new JournalAck { BootId = last } });
                }
            }
        }
    }
}
