using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FailoverHub.Web.Alerts.Channels;

namespace FailoverHub.Web.Reachability.Targets;

/// <summary>
/// One GET, on a connection of its own so that connecting and the certificate are part of what is measured; the time is that until the headers are there,
/// or until the body's first 64 KiB where they have to match something. It goes to no link-local address, follows no redirect, keeps no cookie, uses no proxy, and sends nothing of the hub but its name.
/// </summary>
/// <param name="target">What is asked, and what is expected.</param>
/// <param name="time">The clock.</param>
/// <param name="lookUp">Asks the machine's resolver for a name; null: as .NET does.</param>
internal sealed class HttpProbe(NamedTarget target, TimeProvider time, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null) : IProbe
{
    private const int MostBody = 64 * 1024;
    private const int MostHeaders = 32;

    public ProbeMethod Method => ProbeMethod.Http;

    public int? Port => target.Url!.Port;

    public string? ProblemFor(IPAddress address) => null;

    /// <param name="address">Not looked at: the URL says where.</param>
    /// <param name="timeout">For all of it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        string? certificate = null;
        System.Net.Sockets.SocketException? refused = null;
        bool looksUp = false;
        using SocketsHttpHandler handler = Handler(problem => certificate = problem, ConnectAsync);
        using var invoker = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, target.Url) { Version = HttpVersion.Version11 };
        request.Headers.ConnectionClose = true;
        request.Headers.TryAddWithoutValidation("User-Agent", "FailoverHub");
        long began = time.GetTimestamp();
        try
        {
            using HttpResponseMessage response = await invoker.SendAsync(request, either.Token);
            TimeSpan roundTrip = time.GetElapsedTime(began);
            int status = (int)response.StatusCode;
            if (!target.Expects(status))
            {
                return ProbeReply.Failed($"it answered {status}{(response.Headers.Location is null ? "" : ", a redirect, which is not followed")}");
            }

            if (target.Body is { } pattern)
            {
                string body = await ReadAsync(response.Content, either.Token);
                roundTrip = time.GetElapsedTime(began);
                if (!pattern.IsMatch(body))
                {
                    return ProbeReply.Failed($"it answered {status}, but the body does not match '{target.Draft.BodyPattern}'");
                }
            }

            return ProbeReply.Answered(roundTrip);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return looksUp ? ProbeReply.Unsent($"its name was not looked up within {timeout.TotalMilliseconds:0} ms: see the resolver of the hub's machine (/etc/resolv.conf)") : ProbeReply.Silent(timeout);
        }
        catch (HttpRequestException) when (refused is not null && SocketWords.IsOfResolver(refused))
        {
            return ProbeReply.Unsent(SocketWords.OfSending(refused));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return ProbeReply.Failed(certificate ?? Words(fault));
        }

        async ValueTask<Stream> ConnectAsync(DnsEndPoint to, CancellationToken stop)
        {
            looksUp = true;
            IPAddress[] addresses;
            try
            {
                addresses = await GuardedConnection.LookUpAsync(to.Host, lookUp ?? Dns.GetHostAddressesAsync, stop);
            }
            catch (System.Net.Sockets.SocketException fault)
            {
                refused = SocketWords.IsOfResolver(fault) ? fault : null;
                throw;
            }

            looksUp = false;
            return await GuardedConnection.OpenAsync(to.Host, addresses, to.Port, fault => refused = fault, stop);
        }
    }

    private SocketsHttpHandler Handler(Action<string> refuse, Func<DnsEndPoint, CancellationToken, ValueTask<Stream>> connect) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        MaxResponseHeadersLength = MostHeaders,

        // The name is looked up there, and what is connected to is the very address that was looked at.
        ConnectCallback = (context, stop) => connect(context.DnsEndPoint, stop),

        // The rest of a body that is longer than what is looked at is thrown away with the connection.
        MaxResponseDrainSize = 0,
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, shown, chain, errors) =>
            {
                if (ProblemOf(shown as X509Certificate2, chain, errors) is { } problem)
                {
                    refuse(problem);
                    return false;
                }

                return true;
            },
        },
    };

    private string? ProblemOf(X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        if (shown is null)
        {
            return "it shows no certificate";
        }

        DateTime now = time.GetUtcNow().UtcDateTime;
        if (now < shown.NotBefore.ToUniversalTime())
        {
            return $"its certificate begins only at {shown.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC";
        }

        if (now + TimeSpan.FromDays(target.Draft.CertificateDays ?? 0) >= shown.NotAfter.ToUniversalTime())
        {
            return $"its certificate {(now >= shown.NotAfter.ToUniversalTime() ? "ended" : "ends")} at {shown.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC";
        }

        return target.Draft.TrustAnyCertificate || errors == SslPolicyErrors.None ? null
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"its certificate is not for '{target.Url!.Host}'"
            : $"its certificate is not trusted: {chain?.ChainStatus.FirstOrDefault().StatusInformation ?? "unknown"}";
    }

    private static async Task<string> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using Stream body = await content.ReadAsStreamAsync(cancellationToken);
        byte[] buffer = new byte[MostBody];
        int length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static string Words(Exception fault) => fault.GetBaseException() switch
    {
        System.Net.Sockets.SocketException socket => SocketWords.Of(socket, "it"),
        var other => other.Message,
    };
}
