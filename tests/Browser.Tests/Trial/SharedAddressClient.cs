using System.Net;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>A client of the shared address over TCP: one connection per question.</summary>
internal static class SharedAddressClient
{
    /// <returns>The name of the node that answered.</returns>
    /// <exception cref="HttpRequestException">Nobody did.</exception>
    public static async Task<string> AskAsync(string address, CancellationToken cancelled)
    {
        using var http = new HttpClient();
        return (await http.GetStringAsync(new Uri($"http://{IPAddress.Parse(address)}:8080/"), cancelled)).Trim();
    }
}
