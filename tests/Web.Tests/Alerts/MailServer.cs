using System.Buffers;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using MimeKit;
using SmtpServer;
using SmtpServer.Authentication;
using SmtpServer.ComponentModel;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>A real SMTP server on loopback that keeps what it is sent.</summary>
internal sealed class MailServer : MessageStore, IAsyncDisposable
{
    private readonly Channel<MimeMessage> _received = Channel.CreateUnbounded<MimeMessage>();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>What it says to a mail.</summary>
    public SmtpResponse Answer { get; set; } = SmtpResponse.Ok;

    public int Port { get; private set; }

    /// <param name="user">Who may sign in; null: nobody has to.</param>
    /// <param name="password">With which password.</param>
    /// <param name="certificate">With which it speaks TLS; null: in clear.</param>
    /// <param name="isSecure">TLS from the first byte; else when it is asked for.</param>
    /// <param name="refuses">Addresses that it takes nothing for.</param>
    public static async Task<MailServer> StartAsync(string? user = null, string? password = null, X509Certificate2? certificate = null, bool isSecure = false, params string[] refuses)
    {
        var server = new MailServer();
        ISmtpServerOptions options = new SmtpServerOptionsBuilder().ServerName("localhost").Endpoint(endpoint =>
        {
            endpoint.Endpoint(new IPEndPoint(IPAddress.Loopback, FreePort()));
            if (certificate is not null)
            {
                endpoint.Certificate(certificate).IsSecure(isSecure);
            }

            if (user is not null)
            {
                endpoint.AllowUnsecureAuthentication(certificate is null).AuthenticationRequired();
            }
        }).Build();
        server.Port = options.Endpoints[0].Endpoint.Port;
        var services = new ServiceProvider();
        services.Add((IMessageStore)server);
        services.Add((IMailboxFilter)new DelegatingMailboxFilter((SmtpServer.Mail.IMailbox to, SmtpServer.Mail.IMailbox _) => !refuses.Contains($"{to.User}@{to.Host}")));
        services.Add((IUserAuthenticator)new DelegatingUserAuthenticator((name, given) => name == user && given == password));
        var smtp = new SmtpServer.SmtpServer(options, services);
        server._running = smtp.StartAsync(server._stop.Token);
        await server.WaitUntilItListensAsync();
        return server;
    }

    public async Task<MimeMessage> NextAsync()
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        return await _received.Reader.ReadAsync(safety.Token);
    }

    public override async Task<SmtpResponse> SaveAsync(ISessionContext context, IMessageTransaction transaction, ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
    {
        using var mail = new MemoryStream(buffer.ToArray());
        _received.Writer.TryWrite(await MimeMessage.LoadAsync(mail, cancellationToken));
        return Answer;
    }

    /// <summary>May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // It says nowhere when it listens: asked until somebody answers.
    private async Task WaitUntilItListensAsync()
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await again.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            try
            {
                using var client = new System.Net.Sockets.TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
                return;
            }
            catch (System.Net.Sockets.SocketException)
            {
                Assert.False(_running.IsFaulted, _running.Exception?.ToString());
            }
        }
    }
}
