using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FailoverHub.Agent.Checks.Probes;

/// <summary>
/// Good when a GET is answered as it should be: a status code, a pattern in the body, a certificate. Each run has a connection of its own,
/// because that is what a client would need; redirects are not followed and no proxy is asked.
/// </summary>
internal sealed class HttpProbe : IProbe
{
    /// <summary>Bytes of the body that are looked at.</summary>
    public const int MostOfBody = 64 * 1024;

    private readonly ProbeOptions.Http _options;
    private readonly ServerCertificate? _certificate;
    private readonly SocketsHttpHandler _handler;
    private readonly HttpMessageInvoker _client;
    private readonly Func<string, int, CancellationToken, Task<Socket>> _connect;

    /// <param name="options">What to fetch, and what of it is good.</param>
    /// <param name="time">For certificates.</param>
    /// <param name="connect">Connects to a name or address, and a port; null: to whatever that leads to.</param>
    public HttpProbe(ProbeOptions.Http options, TimeProvider time, Func<string, int, CancellationToken, Task<Socket>>? connect = null)
    {
        _options = options;
        _connect = connect ?? TcpProbe.ConnectAsync;
        var name = options.HostName is { } given && Uri.TryCreate($"https://{given}", UriKind.Absolute, out var asked) ? asked.IdnHost : options.Url.IdnHost;
        _certificate = options.Url.Scheme == "https" ? new ServerCertificate(options, name, time) : null;
        _handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            MaxResponseHeadersLength = 64,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = ConnectAsync,
            ActivityHeadersPropagator = null,
        };
        if (_certificate is not null)
        {
            _handler.SslOptions = new SslClientAuthenticationOptions
            {
                TargetHost = name,
                RemoteCertificateValidationCallback = (_, certificate, chain, _) => _certificate.IsGood(certificate, chain?.ChainPolicy.ExtraStore),

                // A check must not wait for servers that a certificate names.
                CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
            };
        }

        _client = new HttpMessageInvoker(_handler, disposeHandler: true);
    }

    /// <summary>
    /// For a connection and its TLS. No longer than a run may take: an attempt outlives the run that began it, and the next run would wait for that one
    /// instead of making its own, also when the server has long been back.
    /// </summary>
    public TimeSpan ConnectTimeout
    {
        get => _handler.ConnectTimeout;
        init => _handler.ConnectTimeout = value;
    }

    public async Task<ProbeResult> RunAsync(CancellationToken timeout)
    {
        if (_certificate?.Prepare() is { } unprepared)
        {
            return ProbeResult.Bad(unprepared);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, _options.Url) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Host = _options.HostName;
        request.Headers.ConnectionClose = true;
        request.Headers.TryAddWithoutValidation("User-Agent", "failoverhub-agent");
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        try
        {
            using var response = await _client.SendAsync(request, timeout);
            return await JudgeAsync(response, timeout);
        }
        catch (HttpRequestException exception)
        {
            return ProbeResult.Bad(Words(exception));
        }
        catch (IOException exception)
        {
            return ProbeResult.Bad($"the answer broke off: {Printable.Of(exception.Message, 200)}");
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _certificate?.Dispose();
    }

    private async Task<ProbeResult> JudgeAsync(HttpResponseMessage response, CancellationToken timeout)
    {
        var status = (int)response.StatusCode;
        var words = $"status {status}";
        var expected = _options.Statuses;
        if (expected.IsEmpty ? status is < 200 or > 299 : !expected.Any(range => range.Contains(status)))
        {
            var location = status is >= 300 and < 400 && response.Headers.Location is { } to ? $" (to {Printable.Of(to.OriginalString, 200)}, which is not followed)" : "";
            return ProbeResult.Bad($"{words}{location} instead of {(expected.IsEmpty ? "200-299" : string.Join(", ", expected))}");
        }

        if (_options.Body is { } pattern)
        {
            if (pattern.Miss(await ReadBodyAsync(response, timeout)) is { } miss)
            {
                return ProbeResult.Bad($"{words}, but {Printable.Of(miss)}");
            }

            words += ", the body is as expected";
        }

        return ProbeResult.Fine(_certificate?.DaysLeft is { } days ? $"{words}, certificate valid for {days} {(days == 1 ? "day" : "days")}" : words);
    }

    private static async Task<string> ReadBodyAsync(HttpResponseMessage response, CancellationToken timeout)
    {
        var body = new byte[MostOfBody];
        var length = 0;
        await using var stream = await response.Content.ReadAsStreamAsync(timeout);
        while (length < body.Length)
        {
            var read = await stream.ReadAsync(body.AsMemory(length), timeout);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return Encoding.UTF8.GetString(body, 0, length);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = await _connect(_options.ConnectTo ?? context.DnsEndPoint.Host.Trim('[', ']'), context.DnsEndPoint.Port, cancellationToken);
        socket.NoDelay = true;
        return new NetworkStream(socket, ownsSocket: true);
    }

    private string Words(HttpRequestException exception) => exception switch
    {
        { InnerException: SocketException socket } => TcpProbe.Words(socket),
        _ when _certificate?.Problem is { } problem => problem,
        { InnerException: AuthenticationException tls } => $"no TLS: {Printable.Of(tls.InnerException?.Message ?? tls.Message, 200)}",
        { InnerException: { } inner } => Printable.Of(inner.Message, 200),
        _ => Printable.Of(exception.Message, 200),
    };
}
