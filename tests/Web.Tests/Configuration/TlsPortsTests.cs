using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Identity;
using Grpc.Core;
using Grpc.Net.Client;

namespace FailoverHub.Web.Tests.Configuration;

/// <summary>The two ports as in earnest, TLS on the agents': neither serves the other's calls, whatever certificate or token is shown.</summary>
[Trait("Kind", "Hub")]
public sealed class TlsPortsTests : IAsyncLifetime
{
    private readonly TestNode _node = new();
    private WholeHub _hub = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync(agentUrl: "https://127.0.0.1:0");
        JoinTokenCreation made = await _hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), new Actor("admin", null, null) { Rights = Rights.All }, Stop);
        await _node.JoinAsync(_hub.AgentUrl.AbsoluteUri, made.Token!.ToString(), "web-1");
    }

    public async ValueTask DisposeAsync()
    {
        _node.Dispose();
        await _hub.DisposeAsync();
    }

    [Theory]
    [InlineData("/healthz/live")]
    [InlineData("/healthz/ready")]
    [InlineData("/sign-in")]
    [InlineData("/api/v1/pairs")]
    [InlineData("/api/v1/join-tokens")]
    [InlineData("/hubs/fleet")]
    [InlineData("/metrics")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/app.css")]
    [InlineData("/")]
    public async Task AgentsPort_AskedForABrowsersPath_KnowsNoSuchThing(string path)
    {
        string token = await _hub.TokenAsync("admin", ApiScope.Admin);
        foreach (bool shown in (bool[])[false, true])
        {
            using HttpClient agent = Client(shown, "h2");
            agent.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);

            using HttpResponseMessage answer = await agent.GetAsync(new Uri(_hub.AgentUrl, path), Stop);

            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task AgentsPort_SpokenToInHttp1_DoesNotAnswerWithAPage()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _hub.AgentUrl.Port, Stop);
        await using var stream = new SslStream(socket.GetStream());
        using var answer = new MemoryStream();

        // It may refuse the protocol in the handshake, or the request after it.
        _ = await Record.ExceptionAsync(async () =>
        {
            await stream.AuthenticateAsClientAsync(Tls(true, "http/1.1"), Stop);
            await stream.WriteAsync(Encoding.ASCII.GetBytes("GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n"), Stop);
            await stream.CopyToAsync(answer, Stop);
        });

        Assert.DoesNotContain("HTTP/1.1 200", Encoding.Latin1.GetString(answer.ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AgentLink/Connect")]
    [InlineData("Enrollment/GetAuthority")]
    [InlineData("Enrollment/Join")]
    [InlineData("Enrollment/Renew")]
    public async Task BrowsersPort_AskedForTheAgentsServices_KnowsNoSuchThing(string method)
    {
        using HttpClient script = await _hub.ScriptAsync(ApiScope.Admin);
        using var body = new ByteArrayContent([0, 0, 0, 0, 0]);
        body.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");

        using HttpResponseMessage answer = await script.PostAsync($"/failoverhub.v1.{method}", body, Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task AgentsPort_WithoutACertificate_AnswersAStreamWithWhatToDo()
    {
        using var handler = new SocketsHttpHandler { SslOptions = Tls(false, "h2") };
        using GrpcChannel channel = GrpcChannel.ForAddress(_hub.AgentUrl, new GrpcChannelOptions { HttpHandler = handler });
        using AsyncDuplexStreamingCall<AgentMessage, HubMessage> call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: Stop);

        RpcException fault = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Stop));

        Assert.Equal(StatusCode.Unauthenticated, fault.StatusCode);
        Assert.Contains("join", fault.Status.Detail, StringComparison.OrdinalIgnoreCase);
    }

    private HttpClient Client(bool withCertificate, string protocol) =>
        new(new SocketsHttpHandler { SslOptions = Tls(withCertificate, protocol) }) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private SslClientAuthenticationOptions Tls(bool withCertificate, string protocol) => new()
    {
        TargetHost = "localhost",
        ApplicationProtocols = [new SslApplicationProtocol(protocol)],
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        ClientCertificateContext = withCertificate ? SslStreamCertificateContext.Create(_node.Certificate!, null, offline: true) : null,
    };
}
