using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FailoverHub.Web.Alerts.Delivery;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>A mail for each message; those about one alert are one conversation.</summary>
internal sealed class MailSender : IAlertSender
{
    private const int LongestAnswer = 200;
    private const int LongestRefusals = 1_000;

    public AlertChannelType Type => AlertChannelType.Email;

    /// <summary>An authority that is believed beside those of the machine; null: none.</summary>
    internal X509Certificate2? Authority { get; init; }

    public async Task<SendResult> SendAsync(AlertChannel channel, ChannelSecret secret, OutgoingMessage outgoing, CancellationToken cancellationToken)
    {
        MailSettings settings = channel.Mail!;
        if (settings.GivesThePasswordAway)
        {
            return SendResult.Unreachable("The password would cross the network in clear, so nothing was sent: choose start-tls or tls for this channel");
        }

        using MimeMessage mail = Compose(settings, outgoing);
        using var client = new ToleratingSmtpClient();
        if (Authority is { } authority)
        {
            client.ServerCertificateValidationCallback = (_, shown, _, errors) => errors == SslPolicyErrors.None || (errors == SslPolicyErrors.RemoteCertificateChainErrors && IsOf(authority, shown));
        }

        try
        {
            await using Stream connection = await GuardedConnection.OpenAsync(settings.Host, settings.Port, cancellationToken);
            await client.ConnectAsync(connection, settings.Host, settings.Port, settings.Security switch
            {
                MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
                MailSecurity.StartTls => SecureSocketOptions.StartTls,
                _ => SecureSocketOptions.None,
            }, cancellationToken);
            if (settings.User is { Length: > 0 } user)
            {
                await client.AuthenticateAsync(Encoding.UTF8, user, secret.Key ?? "", cancellationToken);
            }

            string answer = await client.SendAsync(mail, cancellationToken);
            await client.DisconnectAsync(true, cancellationToken);
            answer = Cut(answer, LongestAnswer);
            return SendResult.Took(client.Refused is { } refused ? $"{Cut(refused, LongestRefusals)}. {answer}" : answer);
        }
        catch (SmtpCommandException refused)
        {
            // 4yz: try again later (RFC 5321 4.2.1); 5yz is of this message or of what is configured.
            return new SendResult(((int)refused.StatusCode).ToString(CultureInfo.InvariantCulture), refused.Message, (int)refused.StatusCode < 500);
        }
        catch (AuthenticationException refused)
        {
            return SendResult.Unreachable($"The mail server refused the name or the password: {refused.Message}");
        }
        catch (Exception fault) when (fault is ProtocolException or IOException or SocketException or HttpRequestException or SslHandshakeException or NotSupportedException or ServiceNotConnectedException)
        {
            return SendResult.Unreachable(fault.Message.ReplaceLineEndings(" "));
        }
    }

    private static string Cut(string text, int longest) => text.Length <= longest ? text : text[..longest];

    private static bool IsOf(X509Certificate2 authority, X509Certificate? shown)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return shown is X509Certificate2 certificate && chain.Build(certificate);
    }

    /// <summary>Pure but for the date.</summary>
    public static MimeMessage Compose(MailSettings settings, OutgoingMessage outgoing)
    {
        AlertMessage message = outgoing.Message;
        AlertTold? about = message.Alerts is [var one] ? one : null;
        var mail = new MimeMessage { Date = message.At, Subject = $"[FailoverHub] {(message.Kind == AlertNoticeKind.Resolved ? "over" : message.Severity.ToString().ToLowerInvariant())}: {(about is null ? message.Title : $"{about.Rule}, {about.About}")}" };
        mail.From.Add(MailboxAddress.Parse(settings.From));
        mail.To.AddRange(settings.To.Select(MailboxAddress.Parse));

        // Answers of machines to a machine help nobody (RFC 3834).
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        mail.MessageId = $"{(about is { } first && message.Kind == AlertNoticeKind.Raised ? first.Id : $"{outgoing.Id.ToString(CultureInfo.InvariantCulture)}.{message.At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)}")}@failoverhub";
        if (about is not null && message.Kind != AlertNoticeKind.Raised)
        {
            mail.InReplyTo = $"{about.Id}@failoverhub";
            mail.References.Add(mail.InReplyTo);
        }

        mail.Body = new TextPart("plain") { Text = Text(message) };
        return mail;
    }

    private static string Text(AlertMessage message)
    {
        var text = new StringBuilder(message.Title).Append("\n\n");
        foreach (AlertTold alert in message.Alerts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{alert.Severity}, {AlertMessage.Word(alert.Notice)}: {alert.Rule}, {alert.About}\n  {alert.Text}\n  since {Time(alert.RaisedAt)}{(alert.ResolvedAt is { } over ? $", over {Time(over)}" : "")}\n");
            text.Append(alert.AcknowledgedBy is { } by ? $"  acknowledged by {by}: {alert.AcknowledgedReason}\n" : "");
            text.Append(alert.OperationId is { } operation ? $"  operation {operation}\n" : "");
            text.Append(alert.Url is { } url ? $"  {url}\n" : "").Append(alert.PairUrl is { } pair ? $"  {pair}\n" : "").Append('\n');
        }

        return text.Append(message.Alerts.IsEmpty && message.Url is { } page ? $"{page}\n" : "").ToString();
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
}
