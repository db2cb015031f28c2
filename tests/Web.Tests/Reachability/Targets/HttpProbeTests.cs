using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Targets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Web.Tests.Reachability.Targets;

/// <summary>Against real servers on loopback, with and without TLS.</summary>
public sealed class HttpProbeTests : IAsyncLifetime
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(20);
    private readonly WebApplication _server = Serve(null);
    private int _asked;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server.MapGet("/", () => { _asked++; return Results.Text("all is well"); });
        _server.MapGet("/away", () => Results.Redirect("/elsewhere"));
        _server.MapGet("/elsewhere", () => { _asked++; return Results.Text("elsewhere"); });
        _server.MapGet("/broken", () => Results.StatusCode(503));
        _server.MapGet("/never", async (HttpContext context) => await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing));
        _server.MapGet("/endless", async (HttpContext context) =>
        {
            byte[] much = new byte[64 * 1024];
            Array.Fill(much, (byte)'a');
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(much, context.RequestAborted);
            }
        });
        await _server.StartAsync(Stop);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Answer_WithAnExpectedStatus_HasATime()
    {
        ProbeReply reply = await AskAsync("/");

        Assert.Null(reply.Error);
        Assert.True(reply.RoundTrip > TimeSpan.Zero);
    }

    [Theory]
    [InlineData("/broken", null, "it answered 503")]
    [InlineData("/away", "200", "it answered 302, a redirect, which is not followed")]
    [InlineData("/nothing", null, "it answered 404")]
    public async Task Answer_WithAnotherStatus_IsNoneAndSaysWhich(string path, string? statuses, string error) =>
        Assert.Equal(error, (await AskAsync(path, d => d with { Statuses = statuses })).Error);

    [Fact]
    public async Task Redirect_IsAnAnswerAndNotFollowed()
    {
        ProbeReply reply = await AskAsync("/away");

        Assert.Null(reply.Error);
        Assert.Equal(0, _asked);
    }

    [Theory]
    [InlineData("/", "^all.*well$", null)]
    [InlineData("/", "sick", "it answered 200, but the body does not match 'sick'")]
    [InlineData("/endless", "^a{100}", null)]
    [InlineData("/endless", "b", "it answered 200, but the body does not match 'b'")]
    public async Task Body_HasToMatchWithinItsFirstPart(string path, string pattern, string? error) =>
        Assert.Equal(error, (await AskAsync(path, d => d with { BodyPattern = pattern })).Error);

    [Fact]
    public async Task Server_ThatNeverAnswers_IsSilentAfterTheTimeout()
    {
        ProbeReply reply = await AskAsync("/never", timeout: TimeSpan.FromMilliseconds(300));

        Assert.Equal("no answer within 300 ms", reply.Error);
    }

    [Theory]
    [InlineData(SocketError.TryAgain, true, "the hub's machine could not look its name up: see its resolver (/etc/resolv.conf)")]
    [InlineData(SocketError.TooManyOpenSockets, true, "the hub has no file descriptor left for it: raise its limit (LimitNOFILE of its service)")]
    [InlineData(SocketError.HostNotFound, false, null)]
    public async Task Name_ThatTheHubCannotLookUpForNow_IsNoLossOfTheTarget_AndOneThatIsNotThereIs(SocketError error, bool isUnsent, string? words)
    {
        ProbeReply reply = await AskAsync(new Uri("http://shop.example/"), d => d, Generous, (_, _) => Task.FromException<IPAddress[]>(new SocketException((int)error)));

        Assert.Equal((isUnsent, false), (reply.IsUnsent, reply.RoundTrip is not null));
        Assert.Equal(words ?? new SocketException((int)error).Message, reply.Error);
    }

    [Fact]
    public async Task Resolver_ThatDoesNotAnswer_IsNoLossOfTheTarget()
    {
        ProbeReply reply = await AskAsync(new Uri("http://shop.example/"), d => d, TimeSpan.FromMilliseconds(300), async (_, stop) => await new TaskCompletionSource<IPAddress[]>().Task.WaitAsync(stop));

        Assert.True(reply.IsUnsent);
        Assert.StartsWith("its name was not looked up within 300 ms", reply.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Port_ThatIsClosed_SaysThatItRefuses()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        ProbeReply reply = await AskAsync(new Uri($"http://{closed.LocalEndPoint}/"), d => d, Generous);

        Assert.Equal(("it refused the connection", false), (reply.Error, reply.IsUnsent));
    }

    /// <summary>A broadcast is what no machine lets a connection out to: as without a route, nobody was asked, and that is no loss of whoever has the page.</summary>
    [Fact]
    public async Task Page_ThatTheMachineCannotAskFor_IsUnsent_AndSaysWhatToLookAt()
    {
        ProbeReply reply = await AskAsync(new Uri("http://127.255.255.255/"), d => d, Generous);

        Assert.True(reply is { IsUnsent: true, IsMissed: false, RoundTrip: null }, reply.ToString());
        Assert.Equal("the hub's machine has no route to it: see 'ip route'", reply.Error);
    }

    [Fact]
    public async Task Certificate_IsLookedAt_AndMayBeToldNotToMatter()
    {
        await using WebApplication server = await ServeWithAsync("localhost", DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(20));
        Uri url = Address(server, "localhost");

        ProbeReply untrusted = await AskAsync(url, d => d, Generous);
        ProbeReply otherName = await AskAsync(Address(server, "127.0.0.1"), d => d, Generous);
        ProbeReply any = await AskAsync(url, d => d with { TrustAnyCertificate = true }, Generous);
        ProbeReply soon = await AskAsync(url, d => d with { TrustAnyCertificate = true, CertificateDays = 30 }, Generous);

        Assert.StartsWith("its certificate is not trusted: ", untrusted.Error, StringComparison.Ordinal);
        Assert.Equal("its certificate is not for '127.0.0.1'", otherName.Error);
        Assert.Null(any.Error);
        Assert.StartsWith("its certificate ends at ", soon.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificate_ThatHasEnded_IsNoAnswerWhoeverIsTrusted()
    {
        await using WebApplication server = await ServeWithAsync("localhost", DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(-1));

        ProbeReply ended = await AskAsync(Address(server, "localhost"), d => d with { TrustAnyCertificate = true }, Generous);

        Assert.StartsWith("its certificate ended at ", ended.Error, StringComparison.Ordinal);
    }

    private Task<ProbeReply> AskAsync(string path, Func<NamedTargetDraft, NamedTargetDraft>? with = null, TimeSpan? timeout = null) =>
        AskAsync(new Uri(new Uri(_server.Urls.First()), path), with ?? (d => d), timeout ?? Generous);

    private static Task<ProbeReply> AskAsync(Uri url, Func<NamedTargetDraft, NamedTargetDraft> with, TimeSpan timeout, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null)
    {
        NamedTarget target = NamedTarget.TryCreate(with(new NamedTargetDraft { Name = "web", Kind = NamedTargetKind.Http, Address = url.ToString(), Interval = TimeSpan.FromSeconds(5) }), out _)!;
        return new HttpProbe(target, TimeProvider.System, lookUp).SendAsync(IPAddress.Any, timeout, Stop);
    }

    private static async Task<WebApplication> ServeWithAsync(string name, DateTimeOffset from, DateTimeOffset to)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(from, to);
        WebApplication server = Serve(X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null));
        server.MapGet("/", () => "secured");
        await server.StartAsync(Stop);
        return server;
    }

    private static WebApplication Serve(X509Certificate2? certificate)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        return builder.Build();
    }

    private static Uri Address(WebApplication server, string host) =>
        new UriBuilder(new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First())) { Host = host }.Uri;
}
