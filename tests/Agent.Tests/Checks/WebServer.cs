using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FailoverHub.Agent.Tests.Checks;

/// <summary>A web server on loopback that gives each connection the same answer, over TLS if it has a certificate.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly X509Certificate2? _certificate;
    private readonly Task _serving;

    public WebServer(string answer, X509Certificate2? certificate = null)
    {
        Answer = answer;
        _certificate = certificate;
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public string Answer { get; set; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Heads of the requests, and the names that were asked for (SNI).</summary>
    public Signal<string> Seen { get; } = new();

    public static string Page(string status, string body = "", string headers = "") =>
        $"HTTP/1.1 {status}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n{headers}\r\n{body}";

    public Uri Url(string path = "/health") => new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}{path}");

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        await _serving;
        _ending.Dispose();
        _certificate?.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_ending.Token);
                await AnswerAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or AuthenticationException)
            {
                // Whoever did not like our certificate is gone.
            }
        }
    }

    private async Task AnswerAsync(Stream stream)
    {
        await using var secured = _certificate is null ? null : new SslStream(stream);
        if (secured is not null)
        {
            await secured.AuthenticateAsServerAsync(
                (_, hello, _, _) =>
                {
                    Seen.Add($"SNI {hello.ServerName}");
                    return new ValueTask<SslServerAuthenticationOptions>(new SslServerAuthenticationOptions { ServerCertificate = _certificate });
                },
                null,
                _ending.Token);
        }

        var connection = secured ?? stream;
        var request = "";
        var buffer = new byte[4096];
        while (!request.Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await connection.ReadAsync(buffer, _ending.Token);
            if (read == 0)
            {
                return;
            }

            request += Encoding.ASCII.GetString(buffer, 0, read);
        }

        Seen.Add(request);
        await connection.WriteAsync(Encoding.UTF8.GetBytes(Answer), _ending.Token);
    }
}

/// <summary>Certificates as an operator has them.</summary>
internal static class Certificates
{
    public static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(10));
    }

    /// <summary>Of a server.</summary>
    /// <param name="name">That it is for, beside 127.0.0.1 if <paramref name="address"/> says so.</param>
    /// <param name="signer">Null: it signs itself.</param>
    /// <param name="days">From now until it ends; less than zero: it has ended.</param>
    /// <param name="address">It is for 127.0.0.1 as well.</param>
    public static X509Certificate2 Server(string name, X509Certificate2? signer, double days = 90, bool address = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (address)
        {
            names.AddIpAddress(IPAddress.Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(Math.Min(-1, days - 1)), DateTimeOffset.UtcNow.AddDays(days));
        if (signer is null)
        {
            return request.CreateSelfSigned(from, until);
        }

        using var certificate = request.Create(signer, from, until, RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
