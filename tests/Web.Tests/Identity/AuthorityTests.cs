using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using Grpc.Core;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>The hub's own authority and the certificate of its endpoint.</summary>
[Trait("Kind", "Hub")]
public sealed class AuthorityTests : TlsHubTest
{
    private string File => Path.Combine(Folder, HubAuthority.FileName);

    [Fact]
    public async Task Authority_OutlivesARestartAndSoDoCertificates()
    {
        var node = await JoinedAsync("web-1");
        var before = Hub.Get<HubIdentity>().Authority.Fingerprint;

        await RestartAsync();

        Assert.Equal(before, Hub.Get<HubIdentity>().Authority.Fingerprint);
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
    }

    [Fact]
    public void Authority_IsP256ForTenYearsInAFileOfItsOwnerOnly()
    {
        var certificate = Hub.Get<HubIdentity>().Authority.Certificate;

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        using var key = certificate.GetECDsaPublicKey()!;
        Assert.Equal("1.2.840.10045.3.1.7", key.ExportParameters(false).Curve.Oid.Value);
        Assert.Equal(Time.GetUtcNow().AddYears(10).UtcDateTime, certificate.NotAfter.ToUniversalTime());
        Assert.True(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    [Trait("Database", "Sqlite")]
    [Theory]
    [InlineData("damaged", "is damaged")]
    [InlineData("missing", "is missing")]
    [InlineData("another", "another certificate authority")]
    [InlineData("a folder", "cannot be read")]
    public async Task AuthorityThatCannotBeUsed_StopsTheHubWithWhatToDoAndIsNeverReplaced(string what, string why)
    {
        await JoinedAsync("web-1");
        await Hub.DisposeAsync();
        var kept = await System.IO.File.ReadAllTextAsync(File, Stop);
        switch (what)
        {
            case "damaged":
                await System.IO.File.WriteAllTextAsync(File, kept[..(kept.Length / 2)], Stop);
                break;
            case "another":
                using (var folder = new TemporaryFolder())
                {
                    HubAuthority.Open(folder.Path, null, Time.GetUtcNow()).Dispose();
                    System.IO.File.Copy(Path.Combine(folder.Path, HubAuthority.FileName), File, overwrite: true);
                }

                break;
            default:
                System.IO.File.Delete(File);
                break;
        }

        if (what == "a folder")
        {
            Directory.CreateDirectory(File);
        }

        var problem = await Assert.ThrowsAsync<IdentityException>(StartAsync);

        Assert.Contains(why, problem.Message, StringComparison.Ordinal);
        Assert.Contains(File, problem.Message, StringComparison.Ordinal);
        Assert.NotEqual(what == "missing", System.IO.File.Exists(File) || Directory.Exists(File));

        // Put back, everything is as it was.
        if (what == "a folder")
        {
            Directory.Delete(File);
        }

        await System.IO.File.WriteAllTextAsync(File, kept, Stop);
        await using var again = await StartAsync();
        Assert.NotNull(again.Fleet.Current.FindNode("web-1")!.Identity);
    }

    [Fact]
    public async Task Reset_BeginsAnewAndNoOldCertificateOpensAnything()
    {
        var node = await JoinedAsync("web-1");
        var before = Hub.Get<HubIdentity>().Authority.Fingerprint;
        await Hub.DisposeAsync();
        using var error = new StringWriter();
        using var output = new StringWriter();

        Assert.Equal(1, await Web.Configuration.HubCommandLine.Build(output, error).Parse(["authority", "reset", .. TestDatabases.Arguments(Folder)]).InvokeAsync(cancellationToken: Stop));
        Assert.Equal(0, await Web.Configuration.HubCommandLine.Build(output, error).Parse(["authority", "reset", "--yes", .. TestDatabases.Arguments(Folder)]).InvokeAsync(cancellationToken: Stop));

        // The command has made its authority by the machine's clock.
        Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        await StartAgainAsync();
        Assert.NotEqual(before, Hub.Get<HubIdentity>().Authority.Fingerprint);
        Assert.Contains("not issued by this hub", (await node.FailToConnectAsync(Url)).Status.Detail, StringComparison.Ordinal);
        await node.JoinAsync(Url, await TokenAsync("web-1", forExisting: true), "web-1");
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        Assert.Single(await AuditAsync("authority-reset"));
    }

    [Fact]
    public async Task EndpointsCertificate_IsRenewedByTheHubItselfWithoutARestart()
    {
        var first = await SerialAsync(Url);
        Assert.Equal(first, await SerialAsync(Url));

        Time.Advance(EndpointCertificates.Lifetime * 2 / 3);

        Assert.NotEqual(first, await SerialAsync(Url));
    }

    [Fact]
    public async Task OperatorsCertificate_IsShownAndTheTokenCarriesNoFingerprint()
    {
        using var folder = new TemporaryFolder();
        var files = Write(folder.Path, "1.3.6.1.5.5.7.3.1", days: 90);
        await using var hub = await HubUnderTest.StartAsync(folder.Path, Time, tls: AgentsEndpoint.Default with { Certificate = files });

        var token = (await hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), Admin, Stop)).Token!.ToString();

        Assert.DoesNotContain('.', token);
        Assert.Equal("CN=hub.example", await SubjectAsync(hub.AgentUrl));
        var node = NewNode();
        await node.JoinAsync(hub.AgentUrl, token, "web-1");
        await using var agent = await node.ConnectAsync(hub.AgentUrl);
        await hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        // A renewed file is taken without a restart; one that is damaged is not.
        await System.IO.File.WriteAllTextAsync(files.CertificateFile, "damaged", Stop);
        Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("CN=hub.example", await SubjectAsync(hub.AgentUrl));
        Write(folder.Path, "1.3.6.1.5.5.7.3.1", days: 90, subject: "CN=new.example");
        Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("CN=new.example", await SubjectAsync(hub.AgentUrl));
    }

    [Theory]
    [InlineData("1.3.6.1.5.5.7.3.1", 90, "missing", "read access")]
    [InlineData("1.3.6.1.5.5.7.3.1", 90, "damaged", "both PEM")]
    [InlineData("1.3.6.1.5.5.7.3.1", 90, "other key", "both PEM")]
    [InlineData("1.3.6.1.5.5.7.3.1", -1, "", "it expired on 2026-05-03")]
    [InlineData("1.3.6.1.5.5.7.3.2", 90, "", "not for servers")]
    public async Task OperatorsCertificateThatCannotBeUsed_StopsTheHubWithWhatToDo(string use, int days, string what, string why)
    {
        using var folder = new TemporaryFolder();
        var files = Write(folder.Path, use, days);
        switch (what)
        {
            case "missing":
                System.IO.File.Delete(files.CertificateFile);
                break;
            case "damaged":
                await System.IO.File.WriteAllTextAsync(files.CertificateFile, "damaged", Stop);
                break;
            case "other key":
                using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
                {
                    await System.IO.File.WriteAllTextAsync(files.KeyFile, key.ExportPkcs8PrivateKeyPem(), Stop);
                }

                break;
        }

        var problem = await Assert.ThrowsAsync<IdentityException>(() => HubUnderTest.StartAsync(folder.Path, Time, tls: AgentsEndpoint.Default with { Certificate = files }));

        Assert.Contains(why, problem.Message, StringComparison.Ordinal);
        Assert.Contains("--agent-certificate", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientThatSpeaksNoTls_GetsNothing()
    {
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(Url.Replace("https://", "http://", StringComparison.Ordinal));

        var fault = await Assert.ThrowsAsync<RpcException>(async () => await new Enrollment.EnrollmentClient(channel).GetAuthorityAsync(new AuthorityRequest(), cancellationToken: Stop));

        Assert.NotEqual(StatusCode.OK, fault.StatusCode);
    }

    [Fact]
    public async Task HubWithoutTls_TakesNobodyIn()
    {
        using var folder = new TemporaryFolder();
        await using var hub = await HubUnderTest.StartAsync(folder.Path, Time);

        var fault = await NewNode().FailToJoinAsync(hub.AgentUrl, await TokenAsync(), "web-1");

        Assert.Equal(StatusCode.FailedPrecondition, fault.StatusCode);
    }

    private OperatorCertificate Write(string folder, string use, int days, string subject = "CN=hub.example")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        using var certificate = request.CreateSelfSigned(Time.GetUtcNow().AddDays(-30), Time.GetUtcNow().AddDays(days));
        var files = new OperatorCertificate(Path.Combine(folder, "server.pem"), Path.Combine(folder, "server.key"));
        System.IO.File.WriteAllText(files.CertificateFile, certificate.ExportCertificatePem());
        System.IO.File.WriteAllText(files.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return files;
    }

    private static async Task<string> SerialAsync(string url) => (await ShownAsync(url)).SerialNumber;

    private static async Task<string> SubjectAsync(string url) => (await ShownAsync(url)).Subject;

    private static async Task<X509Certificate2> ShownAsync(string url)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync("127.0.0.1", new Uri(url).Port, Stop);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = SslProtocols.Tls13,
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            },
            Stop);
        return X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
    }
}
