using System.Collections.Immutable;
using MimeKit;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>Whether a channel makes sense. Pure.</summary>
internal static class AlertChannelCheck
{
    public const int LongestName = 80;
    public const int MostPerMinute = 600;
    public const int MostAddresses = 50;
    public const int LongestSecret = 2_000;
    private const int LongestText = 500;

    /// <summary>What is wrong, by field; empty: nothing.</summary>
    /// <param name="channel">As it is to be.</param>
    /// <param name="secret">All that is secret of it then.</param>
    /// <param name="given">What of it was written just now.</param>
    public static ImmutableSortedDictionary<string, string> Problems(AlertChannel channel, ChannelSecret secret, ChannelSecret given)
    {
        var problems = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (channel.Name.Trim().Length is 0 or > LongestName || channel.Name.Any(char.IsControl))
        {
            problems["name"] = $"Write 1 to {LongestName} characters.";
        }

        if (channel.MostPerMinute is < 1 or > MostPerMinute)
        {
            problems["mostPerMinute"] = $"Write 1 to {MostPerMinute}.";
        }

        if (given.Key is { Length: 0 or > LongestSecret } || given.Key?.Any(char.IsControl) == true)
        {
            problems["secret"] = $"Write 1 to {LongestSecret} characters, or leave it out.";
        }

        switch (channel.Type)
        {
            case AlertChannelType.Webhook when !ChannelAddress.IsWeb(secret.Url):
                problems["url"] = "Write where to, such as https://example.org/hooks/failoverhub.";
                break;
            case AlertChannelType.PagerDuty when given.Url is not null && !(ChannelAddress.IsWeb(given.Url) && ChannelAddress.IsClosed(given.Url)):
                problems["url"] = $"Write an address such as {PagerDutySender.DefaultUrl}, with https://, or leave it out.";
                break;
            case AlertChannelType.PagerDuty when secret.Key is null:
                problems["secret"] = "Give the integration key (routing key) of the service.";
                break;
            case AlertChannelType.Slack when secret.Url is null:
                problems["secret"] = "Give the address of the incoming webhook.";
                break;
            case AlertChannelType.Slack when !(ChannelAddress.IsWeb(secret.Url) && ChannelAddress.IsClosed(secret.Url)):
                problems["secret"] = "Write the address of the incoming webhook, https://…: whoever reads it on the way can write there too.";
                break;
            case AlertChannelType.Email when given.Url is not null:
                problems["url"] = "Such a channel has none.";
                break;
            case AlertChannelType.Email:
                CheckMail(channel.Mail, problems);
                break;
            default:
                break;
        }

        if (channel.Type != AlertChannelType.Email && channel.Mail is not null)
        {
            problems["mail"] = "Only an email channel has it.";
        }

        return problems.ToImmutable();
    }

    private static void CheckMail(MailSettings? mail, ImmutableSortedDictionary<string, string>.Builder problems)
    {
        if (mail is null)
        {
            problems["mail"] = "Say how mail is sent.";
            return;
        }

        if (mail.Host.Length is 0 or > 253 || Uri.CheckHostName(mail.Host) == UriHostNameType.Unknown)
        {
            problems["mail.host"] = "Write the name or the address of the mail server.";
        }

        if (mail.Port is < 1 or > 65_535)
        {
            problems["mail.port"] = "Write 1 to 65535, such as 587.";
        }

        if (!IsMailbox(mail.From))
        {
            problems["mail.from"] = "Write one address, such as failoverhub@example.org.";
        }

        if (mail.To.IsDefaultOrEmpty || mail.To.Length > MostAddresses || !mail.To.All(IsMailbox))
        {
            problems["mail.to"] = $"Write 1 to {MostAddresses} addresses.";
        }

        if (mail.GivesThePasswordAway)
        {
            problems["mail.security"] = "The password would cross the network in clear: choose start-tls or tls, or leave the user out. In clear it goes to this machine only.";
        }

        if (mail.User is { Length: > LongestText })
        {
            problems["mail.user"] = $"Write at most {LongestText} characters.";
        }
    }

    private static bool IsMailbox(string text) => text.Length <= 320 && !text.Any(char.IsControl) && MailboxAddress.TryParse(text, out MailboxAddress? box) && box.Address.Contains('@', StringComparison.Ordinal);
}
