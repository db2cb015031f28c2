using System.CommandLine;

namespace FailoverHub.Web.Configuration;

/// <summary>`failoverhub ready`: asks the hub of this machine whether it is ready, for health checks of containers that have no other program.</summary>
internal static class ReadyCommand
{
    // Below the time that a container's health check has.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public static Command Build(Option<string?> urls, TextWriter output, TextWriter error)
    {
        var command = new Command("ready", "Ask the hub on this machine whether it is ready (started, database readable). Exit code 0: ready; 1: not.") { urls };
        command.SetAction((parsed, cancellationToken) => HubCommandLine.WithOptionsAsync(
            new HubSettings(Urls: parsed.GetValue(urls)),
            error,
            options => AskAsync(AddressOf(options.Urls[0]), output, error, cancellationToken)));
        return command;
    }

    private static Uri AddressOf(BindUrl url)
    {
        bool isAny = url.Address is null || url.Address.Equals(System.Net.IPAddress.Any) || url.Address.Equals(System.Net.IPAddress.IPv6Any);
        string host = isAny ? "127.0.0.1" : url.Address!.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{url.Address}]" : url.Address.ToString();
        return new Uri($"{(url.IsHttps ? "https" : "http")}://{host}:{url.Port}/healthz/ready");
    }

    private static async Task<int> AskAsync(Uri address, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // The certificate is for the name that others use; here the answer is one word and no secret is sent.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(address, cancellationToken);
            string word = (await answer.Content.ReadAsStringAsync(cancellationToken)).Trim();
            await (answer.IsSuccessStatusCode ? output : error).WriteLineAsync(answer.IsSuccessStatusCode ? word : $"failoverhub: {address} answers {(int)answer.StatusCode} {word}");
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync($"failoverhub: {address} does not answer: {exception.Message}");
            return 1;
        }
    }
}
