using System.Globalization;
using MailKit.Net.Smtp;
using MimeKit;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>Sends to whom the server takes, and notes whom it does not: one address that is gone must not keep the others from hearing of an outage.</summary>
internal sealed class ToleratingSmtpClient : SmtpClient
{
    private readonly List<(string Address, SmtpResponse Answer)> _refused = [];
    private int _accepted;

    /// <summary>Whom it does not take; null: it takes all.</summary>
    public string? Refused => _refused.Count == 0 ? null
        : $"taken for {_accepted.ToString(CultureInfo.InvariantCulture)} of {(_accepted + _refused.Count).ToString(CultureInfo.InvariantCulture)}; "
            + string.Join("; ", _refused.Select(r => $"{r.Address} refused: {((int)r.Answer.StatusCode).ToString(CultureInfo.InvariantCulture)} {r.Answer.Response.ReplaceLineEndings(" ")}"));

    protected override void OnRecipientAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) => _accepted++;

    protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) => _refused.Add((mailbox.Address, response));

    /// <exception cref="SmtpCommandException">With the first answer that lets hope for another try; else with the first one.</exception>
    protected override void OnNoRecipientsAccepted(MimeMessage message)
    {
        SmtpStatusCode status = _refused.Select(r => r.Answer.StatusCode).OrderBy(code => (int)code >= 500).First();
        throw new SmtpCommandException(SmtpErrorCode.RecipientNotAccepted, status, Refused ?? "");
    }
}
