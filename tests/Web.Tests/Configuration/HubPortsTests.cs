using System.Net;
using System.Net.Sockets;
using System.Text;
using FailoverHub.Web.Configuration;

namespace FailoverHub.Web.Tests.Configuration;

[Trait("Kind", "Hub")]
public sealed class HubPortsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/healthz/live")]
    [InlineData("/healthz/ready")]
    [InlineData("/sign-in")]
    [InlineData("/api/v1/pairs")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/")]
    public async Task AgentsPort_AskedForABrowsersPath_KnowsNoSuchThing(string path)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        using HttpClient agent = Http2();

        using HttpResponseMessage answer = await agent.GetAsync(new Uri(hub.AgentUrl, path), Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task AgentsPort_AskedWithTheBrowsersHostHeader_StillKnowsNoSuchThing()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        using HttpClient agent = Http2();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(hub.AgentUrl, "/healthz/live")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Host = hub.BrowserUrl.Authority;

        using HttpResponseMessage answer = await agent.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task BrowsersPort_AskedForTheAgentsService_KnowsNoSuchThing()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        using HttpClient browser = await hub.SignedInAsync();
        using var body = new ByteArrayContent([0, 0, 0, 0, 0]);
        body.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");

        using HttpResponseMessage answer = await browser.PostAsync("/failoverhub.v1.AgentLink/Connect", body, Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task AgentsPort_SpokenToInHttp1_DoesNotAnswerWithAPage()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, hub.AgentUrl.Port, Stop);
        await socket.SendAsync(Encoding.ASCII.GetBytes("GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n"), Stop);

        using var answer = new MemoryStream();
        await using var stream = new NetworkStream(socket);
        await stream.CopyToAsync(answer, Stop);

        Assert.DoesNotContain("Healthy", Encoding.Latin1.GetString(answer.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PortInUse_TheHubSaysSoInOneSentenceAndEndsWithOne()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string url = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}";
        string data = WholeHub.NewFolder();
        using var output = new StringWriter();
        using var error = new StringWriter();

        int code = await HubRunner.RunAsync(WholeHub.OptionsFor(data, urls: url), output, error, Stop);

        Assert.Equal(1, code);
        string sentence = Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(url, sentence, StringComparison.Ordinal);
        Assert.Contains("--urls", sentence, StringComparison.Ordinal);
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task DataFolderThatIsAFile_TheHubSaysSoAndEndsWithOne()
    {
        string file = Path.GetTempFileName();
        using var output = new StringWriter();
        using var error = new StringWriter();

        int code = await HubRunner.RunAsync(WholeHub.OptionsFor(file), output, error, Stop);

        Assert.Equal(1, code);
        Assert.Contains(file, error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--data", error.ToString(), StringComparison.Ordinal);
        File.Delete(file);
    }

    private static HttpClient Http2() => new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
}
