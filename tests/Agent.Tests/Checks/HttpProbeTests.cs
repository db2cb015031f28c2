using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Checks.Commands;
using FailoverHub.Agent.Checks.Probes;

namespace FailoverHub.Agent.Tests.Checks;

/// <summary>Real sockets, real certificates.</summary>
public sealed class HttpProbeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("200 OK", "", true, "status 200")]
    [InlineData("204 No Content", "", true, "status 204")]
    [InlineData("503 Service Unavailable", "", false, "status 503 instead of 200-299")]
    [InlineData("302 Found", "", false, "status 302 (to /login, which is not followed) instead of 200-299")]
    [InlineData("302 Found", "301-302", true, "status 302")]
    [InlineData("200 OK", "204 500-599", false, "status 200 instead of 204, 500-599")]
    [InlineData("500 Oh", "204 500-599", true, "status 500")]
    public async Task Status_IsGoodWhenItIsExpected(string status, string expected, bool good, string text)
    {
        await using var server = new WebServer(WebServer.Page(status, "hello", status.StartsWith('3') ? "Location: /login\r\n" : ""));
        var ranges = expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(range => range.Split('-')).Select(ends => new StatusRange(Number(ends[0]), Number(ends[^1])));

        Assert.Equal((good, text), await RunAsync(new ProbeOptions.Http(server.Url()) { Statuses = [.. ranges] }));

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Body_MustHaveTheTextOrMatch()
    {
        await using var server = new WebServer(WebServer.Page("200 OK", """{"state":"running","lag":12}"""));
        var options = new ProbeOptions.Http(server.Url());
        Assert.True(BodyPattern.TryMatching("\"lag\":[0-9]{1,2}[,}]", out var lag, out _));
        Assert.True(BodyPattern.TryMatching("\"lag\":[0-9][,}]", out var less, out _));

        Assert.Equal((true, "status 200, the body is as expected"), await RunAsync(options with { Body = BodyPattern.Containing("running") }));
        Assert.Equal((false, "status 200, but the body has no 'stopped' in it"), await RunAsync(options with { Body = BodyPattern.Containing("stopped") }));
        Assert.Equal((true, "status 200, the body is as expected"), await RunAsync(options with { Body = lag }));
        Assert.Equal((false, "status 200, but the body does not match '\"lag\":[0-9][,}]'"), await RunAsync(options with { Body = less }));
    }

    [Fact]
    public async Task EndlessBody_IsReadUpToItsBound()
    {
        await using var server = new WebServer($"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{new string('x', HttpProbe.MostOfBody)}");

        Assert.Equal((false, "status 200, but the body has no 'y' in it"), await RunAsync(new ProbeOptions.Http(server.Url()) { Body = BodyPattern.Containing("y") }));
        Assert.Equal((true, "status 200"), await RunAsync(new ProbeOptions.Http(server.Url())));
    }

    [Fact]
    public void ExpressionThatTakesForEver_IsGivenUp()
    {
        Assert.True(BodyPattern.TryMatching("^(a+)+$", out var slow, out _));

        Assert.Contains("took more than 250 ms", slow!.Miss(new string('a', 60_000) + "!"), StringComparison.Ordinal);
        Assert.False(BodyPattern.TryMatching("(", out _, out var problem));
        Assert.StartsWith("'(' is no regular expression: ", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rubbish\r\n\r\n")]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")]
    public async Task AnswerThatIsNone_IsBad(string answer)
    {
        await using var server = new WebServer(answer);

        Assert.False((await RunAsync(new ProbeOptions.Http(server.Url()) { Body = BodyPattern.Containing("ab") })).Good);
    }

    [Fact]
    public async Task NobodyThere_IsBad()
    {
        int port;
        await using (var server = new WebServer(""))
        {
            port = server.Port;
        }

        Assert.Equal((false, "connection refused: nobody listens there"), await RunAsync(new ProbeOptions.Http(new Uri($"http://127.0.0.1:{port}/"))));
        Assert.Equal((false, "connection refused: nobody listens there"), await RunAsync(new ProbeOptions.Http(new Uri($"https://127.0.0.1:{port}/"))));
    }

    [Fact]
    public async Task ConnectOfAnEarlierRun_IsNotWaitedForByTheNextOne()
    {
        await using var server = new WebServer(WebServer.Page("200 OK"));
        var connects = 0;
        using var probe = new HttpProbe(new ProbeOptions.Http(server.Url()), TimeProvider.System, async (host, port, timeout) =>
        {
            if (Interlocked.Increment(ref connects) == 1)
            {
                // Nobody answers, as behind a firewall that drops.
                await new TaskCompletionSource().Task.WaitAsync(timeout);
            }

            return await TcpProbe.ConnectAsync(host, port, timeout);
        })
        {
            ConnectTimeout = TimeSpan.FromSeconds(0.05),
        };

        // Nothing else ends this run: the attempt is over by itself, as if the run's time were.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probe.RunAsync(TestContext.Current.CancellationToken));
        var next = await probe.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal((true, "status 200"), (next.Good, next.Text));
    }

    [Fact]
    public void ConnectOfACheck_TakesNoLongerThanItsRun()
    {
        var check = new CheckOptions { Name = "web", Probe = new ProbeOptions.Http(new Uri("http://127.0.0.1/")), Timeout = TimeSpan.FromSeconds(1.5) };
        using var probe = Assert.IsType<HttpProbe>(ProbeFactory.Create(check, TimeProvider.System, CommandRuns.Forgotten));

        Assert.Equal(check.Timeout, probe.ConnectTimeout);
    }

    [Fact]
    public async Task SilentServer_EndsWithTheTimeout()
    {
        await using var server = new WebServer("");
        using var timeout = new CancellationTokenSource();
        using var probe = new HttpProbe(new ProbeOptions.Http(new Uri($"https://127.0.0.1:{server.Port}/")), TimeProvider.System);
        var running = probe.RunAsync(timeout.Token);

        // The server, which speaks no TLS, waits for a request's end in what came of it.
        await timeout.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task HostName_IsWhatIsAskedFor_WhereverTheConnectionGoes()
    {
        await using var server = new WebServer(WebServer.Page("200 OK"));
        var url = new Uri($"http://www.example.org:{server.Port}/health?a=b");

        Assert.Equal((true, "status 200"), await RunAsync(new ProbeOptions.Http(url) { ConnectTo = "127.0.0.1" }));
        var request = server.Seen.Seen[0];
        Assert.StartsWith("GET /health?a=b HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains($"\r\nHost: www.example.org:{server.Port}\r\n", request, StringComparison.Ordinal);

        Assert.Equal((true, "status 200"), await RunAsync(new ProbeOptions.Http(server.Url()) { HostName = "shop.example.org" }));
        Assert.Contains("\r\nHost: shop.example.org\r\n", server.Seen.Seen[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task CertificateOfAKnownAuthority_IsGood_AndItsDaysAreTold()
    {
        using var authority = Certificates.Authority("Test CA");
        await using var server = new WebServer(WebServer.Page("200 OK"), Certificates.Server("www.example.org", authority, days: 90.5));
        var options = new ProbeOptions.Http(server.Url()) { CertificateAuthorityFile = Pem("ca.pem", authority) };

        Assert.Equal((true, "status 200, certificate valid for 90 days"), await RunAsync(options));
        Assert.Equal((true, "status 200, certificate valid for 90 days"), await RunAsync(options with { HostName = "www.example.org", MinimumCertificateDays = 90 }));
        Assert.Contains("SNI www.example.org", server.Seen.Seen);
        Assert.StartsWith("its certificate is valid for 90 days more, fewer than 91: until ", (await RunAsync(options with { MinimumCertificateDays = 91 })).Text, StringComparison.Ordinal);
        Assert.Equal((false, "its certificate (CN=www.example.org) is not for shop.example.org"), await RunAsync(options with { HostName = "shop.example.org" }));
    }

    [Fact]
    public async Task CertificateOfNobodyKnown_IsBad_UnlessItIsNotVerified()
    {
        using var other = Certificates.Authority("Other CA");
        await using var server = new WebServer(WebServer.Page("200 OK"), Certificates.Server("www.example.org", null, days: 10.5));
        var options = new ProbeOptions.Http(server.Url());

        Assert.Equal((false, "its certificate is signed by nobody that this system trusts: CN=www.example.org"), await RunAsync(options));
        var file = Pem("ca.pem", other);
        Assert.Equal((false, $"its certificate is signed by nobody that {file} trusts: CN=www.example.org"), await RunAsync(options with { CertificateAuthorityFile = file }));
        Assert.Equal((true, "status 200, certificate valid for 10 days"), await RunAsync(options with { VerifyCertificate = false }));
        Assert.False((await RunAsync(options with { VerifyCertificate = false, MinimumCertificateDays = 11 })).Good);
    }

    [Fact]
    public async Task SelfSignedCertificate_IsGood_WhenItIsTheAuthority()
    {
        var certificate = Certificates.Server("www.example.org", null, days: 10.5);
        var file = Pem("own.pem", certificate);
        await using var server = new WebServer(WebServer.Page("200 OK"), certificate);

        Assert.Equal((true, "status 200, certificate valid for 10 days"), await RunAsync(new ProbeOptions.Http(server.Url()) { CertificateAuthorityFile = file }));
    }

    [Fact]
    public async Task ExpiredCertificate_IsBad()
    {
        using var authority = Certificates.Authority("Test CA");
        await using var server = new WebServer(WebServer.Page("200 OK"), Certificates.Server("www.example.org", authority, days: -3));

        var (good, text) = await RunAsync(new ProbeOptions.Http(server.Url()) { CertificateAuthorityFile = Pem("ca.pem", authority) });

        Assert.False(good);
        Assert.Equal($"its certificate expired on {DateTime.UtcNow.AddDays(-3):yyyy-MM-dd}", text);
    }

    [Fact]
    public async Task AuthorityFile_IsReadAgainWhenItWasChanged_AndItsTroubleIsTold()
    {
        using var authority = Certificates.Authority("Test CA");
        await using var server = new WebServer(WebServer.Page("200 OK"), Certificates.Server("www.example.org", authority, days: 10.5));
        var file = _directory.At("ca.pem");
        using var probe = new HttpProbe(new ProbeOptions.Http(server.Url()) { CertificateAuthorityFile = file }, TimeProvider.System);

        Assert.StartsWith($"CA file {file} cannot be read: ", (await probe.RunAsync(TestContext.Current.CancellationToken)).Text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "empty", TestContext.Current.CancellationToken);
        Assert.Equal($"CA file {file} has no certificate in it; give a PEM file", (await probe.RunAsync(TestContext.Current.CancellationToken)).Text);
        Pem("ca.pem", authority);
        Assert.True((await probe.RunAsync(TestContext.Current.CancellationToken)).Good);
    }

    [Fact]
    public async Task ServerWithoutTls_IsBad()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        }, TestContext.Current.CancellationToken);

        var (good, text) = await RunAsync(new ProbeOptions.Http(new Uri($"https://127.0.0.1:{((System.Net.IPEndPoint)listener.LocalEndpoint).Port}/")));
        await answering;

        Assert.False(good);
        Assert.StartsWith("no TLS: ", text, StringComparison.Ordinal);
    }

    private string Pem(string name, X509Certificate2 certificate)
    {
        var file = _directory.At(name);
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return file;
    }

    private static async Task<(bool Good, string Text)> RunAsync(ProbeOptions.Http options)
    {
        using var probe = new HttpProbe(options, TimeProvider.System);
        var result = await probe.RunAsync(TestContext.Current.CancellationToken);
        return (result.Good, result.Text);
    }
}
