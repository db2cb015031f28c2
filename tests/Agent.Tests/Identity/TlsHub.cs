using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Agent.Tests.Hub;
using FailoverHub.Protos.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Identity;

/// <summary>What a test has the hub do. May be changed while it runs.</summary>
internal sealed class TlsHubScript
{
    /// <summary>Said to everybody who asks, whoever signed the certificate of the endpoint.</summary>
    public required TestAuthority Authority { get; init; }

    /// <summary>Null: a good one of the authority.</summary>
    public X509Certificate2? Server { get; init; }

    /// <summary>Null: every token is taken. Else what is answered to a join.</summary>
    public Status? JoinRefused { get; set; }

    /// <summary>Null: every certificate of the authority is taken. Else what is answered to a stream and to a renewal.</summary>
    public volatile RpcException? CertificateRefused;

    /// <summary>When what it issues begins, from now.</summary>
    public TimeSpan Begins { get; set; } = -TimeSpan.FromMinutes(5);

    public TimeSpan Life { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Issues for a key of its own instead of the node's.</summary>
    public bool IssuesForAnotherKey { get; set; }
}

/// <summary>A stream that an agent has opened, with the certificate that it has shown.</summary>
internal sealed record TlsStream(HubStream Stream, string? Certificate);

/// <summary>A hub on loopback with real TLS and real client certificates, that does what a test says.</summary>
internal sealed class TlsHub : IAsyncDisposable
{
    public const string NodeId = "0123456789abcdef0123456789abcdef";

    private readonly WebApplication _app;
    private readonly X509Certificate2 _server;

    private TlsHub(WebApplication app, X509Certificate2 server, TlsHubScript script)
    {
        (_app, _server, Script) = (app, server, script);
        Address = new Uri(app.Urls.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
    }

    public Uri Address { get; }

    public TlsHubScript Script { get; }

    public Signal<JoinRequest> Joins { get; private init; } = new();

    /// <summary>SHA-256 of the certificates that asked for the next one.</summary>
    public Signal<string> Renewals { get; private init; } = new();

    public Signal<TlsStream> Streams { get; private init; } = new();

    public static async Task<TlsHub> StartAsync(TlsHubScript script, int port = 0)
    {
        var (joins, renewals, streams) = (new Signal<JoinRequest>(), new Signal<string>(), new Signal<TlsStream>());
        var server = script.Server ?? script.Authority.Server();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                // As the hub does: asks for a certificate, and takes any or none.
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificate = server,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = static (_, _, _, errors) => errors >= SslPolicyErrors.None,
                }),
            });
        }));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new Parts(script, joins, renewals, streams));
        var app = builder.Build();
        app.MapGrpcService<Link>();
        app.MapGrpcService<Enrolling>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TlsHub(app, server, script) { Joins = joins, Renewals = renewals, Streams = streams };
    }

    /// <summary>The first stream, or with a number one that was opened later, after its greeting.</summary>
    public async Task<TlsStream> StreamAsync(int number = 1)
    {
        var stream = (await Streams.UntilAsync(streams => streams.Count >= number))[number - 1];
        await stream.Stream.Received.FirstAsync<AgentMessage>();
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in Streams.Seen)
        {
            stream.Stream.Close();
        }

        await _app.DisposeAsync();
        if (Script.Server is null)
        {
            _server.Dispose();
        }
    }

    internal sealed record Parts(TlsHubScript Script, Signal<JoinRequest> Joins, Signal<string> Renewals, Signal<TlsStream> Streams)
    {
        /// <summary>SHA-256 of what the caller has shown.</summary>
        public string Admit(ServerCallContext context)
        {
            if (Script.CertificateRefused is { } refused)
            {
                throw new RpcException(refused.Status);
            }

            return Shown(context) ?? throw new RpcException(new Status(StatusCode.Unauthenticated, "This call needs a certificate: join first."));
        }

        public static string? Shown(ServerCallContext context) =>
            context.GetHttpContext().Connection.ClientCertificate?.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant();
    }

    internal sealed class Link(Parts parts) : AgentLink.AgentLinkBase
    {
        public override async Task Connect(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
        {
            var shown = parts.Admit(context);
            var stream = new HubStream(responseStream);
            parts.Streams.Add(new TlsStream(stream, shown));
            await stream.RunAsync(requestStream, welcomes: true, context.CancellationToken);
            if (parts.Script.CertificateRefused is { } refused)
            {
                throw new RpcException(refused.Status);
            }
        }
    }

    internal sealed class Enrolling(Parts parts) : Enrollment.EnrollmentBase
    {
        public override Task<Authority> GetAuthority(AuthorityRequest request, ServerCallContext context) =>
            Task.FromResult(new Authority { Certificate = ByteString.CopyFrom(parts.Script.Authority.Certificate.RawData) });

        public override Task<IssuedCertificate> Join(JoinRequest request, ServerCallContext context)
        {
            parts.Joins.Add(request);
            return parts.Script.JoinRefused is { } refused ? throw new RpcException(refused) : Task.FromResult(Issue(request.CertificateRequest, request.Node));
        }

        public override Task<IssuedCertificate> Renew(RenewRequest request, ServerCallContext context)
        {
            parts.Renewals.Add(parts.Admit(context));
            return Task.FromResult(Issue(request.CertificateRequest, "node-a"));
        }

        private IssuedCertificate Issue(ByteString request, string node)
        {
            var script = parts.Script;
            var asked = script.IssuesForAnotherKey ? FailoverHub.Agent.Identity.NodeKey.Make().Request.AsSpan() : request.Span;
            using var certificate = script.Authority.Node(asked, node, NodeId, script.Begins, script.Life);
            var begins = new DateTimeOffset(certificate.NotBefore.ToUniversalTime());
            return new IssuedCertificate
            {
                Certificate = ByteString.CopyFrom(certificate.RawData),
                Authority = ByteString.CopyFrom(script.Authority.Certificate.RawData),
                NotAfterUnixMs = (begins + script.Life).ToUnixTimeMilliseconds(),
                RenewAfterUnixMs = (begins + (script.Life * 2 / 3)).ToUnixTimeMilliseconds(),
                Node = node,
                NodeId = NodeId,
            };
        }
    }
}
