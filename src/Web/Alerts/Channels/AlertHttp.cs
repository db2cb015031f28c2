using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>One POST to a receiver: no redirect is followed, and of the answer only the beginning is read.</summary>
internal sealed class AlertHttp(IHttpClientFactory clients)
{
    public const string Client = "alerts";

    private const int MostOfAnswer = 1_024;

    public static void Add(IServiceCollection services) => services.AddHttpClient(Client, client =>
    {
        // AlertSenders ends what takes too long, by the hub's own clock.
        client.Timeout = Timeout.InfiniteTimeSpan;
        client.DefaultRequestHeaders.UserAgent.ParseAdd("FailoverHub");
    }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,

        // A proxy would look the name up itself, past the guard.
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ConnectCallback = (context, stop) => GuardedConnection.OpenAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, stop),
    }).RemoveAllLoggers();

    /// <summary>Posts JSON.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="json">The body.</param>
    /// <param name="headers">Beside those of the content.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<SendResult> PostAsync(Uri url, byte[] json, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(json) { Headers = { ContentType = new("application/json") { CharSet = "utf-8" } } } };
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using HttpResponseMessage answer = await clients.CreateClient(Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            string status = ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
            if (answer.IsSuccessStatusCode)
            {
                return SendResult.Took(status);
            }

            string said = await BeginningAsync(answer.Content, cancellationToken);
            return new SendResult(
                status,
                (int)answer.StatusCode is >= 300 and < 400 ? $"It answered {status}: redirects are not followed, write the address that it leads to" : $"It answered {status}{(said.Length == 0 ? "" : $": {said}")}",
                IsOfChannel(answer.StatusCode));
        }
        catch (HttpRequestException exception)
        {
            return SendResult.Unreachable(exception.InnerException is { } inner ? $"{exception.Message.TrimEnd('.')}: {inner.Message}" : exception.Message);
        }
        catch (IOException exception)
        {
            return SendResult.Unreachable(exception.Message);
        }
    }

    // Whatever was sent there would be answered so. Any other refusal (400, 413, 422) is of what was said.
    private static bool IsOfChannel(HttpStatusCode status) => (int)status < 400 || status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
        or HttpStatusCode.ProxyAuthenticationRequired or HttpStatusCode.RequestTimeout or HttpStatusCode.Gone or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>One line of what was answered, for the log.</summary>
    private static async Task<string> BeginningAsync(HttpContent content, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MostOfAnswer);
        try
        {
            await using Stream body = await content.ReadAsStreamAsync(cancellationToken);
            int read = await body.ReadAtLeastAsync(buffer.AsMemory(0, MostOfAnswer), MostOfAnswer, throwOnEndOfStream: false, cancellationToken);
            string text = Encoding.UTF8.GetString(buffer, 0, read);
            return string.Create(Math.Min(text.Length, 200), text, (line, source) =>
            {
                for (int i = 0; i < line.Length; i++)
                {
                    line[i] = char.IsControl(source[i]) ? ' ' : source[i];
                }
            }).Trim();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
