using System.Globalization;
using System.Net.Sockets;
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
    public AlertChannelType Type => AlertChannelType.Email;

    public async Task<SendResult> SendAsync(AlertChannel channel, ChannelSecret secret, OutgoingMessage outgoing, CancellationToken cancellationToken)
    {
        MailSettings settings = channel.Mail!;
        using MimeMessage mail = Compose(settings, outgoing);
        using var client = new SmtpClient();
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
            return SendResult.Took(answer.Length <= 200 ? answer : answer[..200]);
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
