using System.Collections.Immutable;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>A channel and its secret as they are to be, or why they cannot be so.</summary>
/// <param name="Channel">As it is to be.</param>
/// <param name="Secret">All that is secret of it then.</param>
/// <param name="Problems">What is wrong, by field; empty: nothing.</param>
internal sealed record ChannelEdit(AlertChannel Channel, ChannelSecret Secret, ImmutableSortedDictionary<string, string> Problems)
{
    /// <summary>
    /// Pure. What is left out of the secret stays, but only for the receiver that it was given for: whoever changes where a channel leads has to give its secret again, or could have
    /// the hub hand it to a receiver of his own.
    /// </summary>
    /// <param name="before">As it was, null: it is new.</param>
    /// <param name="kept">Its secret so far; null: it has none, or it cannot be opened any more.</param>
    /// <param name="wanted">As it is to be; where it leads is taken from <paramref name="given"/>.</param>
    /// <param name="given">What was written of its secret. Of PagerDuty the address is of another region, and no secret.</param>
    public static ChannelEdit Of(AlertChannel? before, ChannelSecret? kept, AlertChannel wanted, ChannelSecret given)
    {
        bool hasAddress = wanted.Type is AlertChannelType.Webhook or AlertChannelType.Slack;
        string? url = given.Url is { } written && ChannelAddress.IsWeb(written) ? written : null;
        AlertChannel after = wanted with
        {
            Origin = url is not null ? ChannelAddress.OriginOf(url) : hasAddress ? before?.Origin : null,
            Mark = !hasAddress ? null : url is not null ? ChannelAddress.MarkOf(url) : before?.Mark,
        };
        bool isElsewhere = before is not null && IsElsewhere(before, after);
        ChannelSecret secret = new(hasAddress ? given.Url ?? kept?.Url : null, given.Key ?? (isElsewhere ? null : kept?.Key));
        var problems = AlertChannelCheck.Problems(after, secret, given);
        if (isElsewhere && before!.HasSecret && given.Key is null && NeedsKey(after))
        {
            problems = problems.SetItem("secret", after.Type switch
            {
                AlertChannelType.Email => "The mail server, its port or how it is closed changes: write the password again, so that the one that is kept goes nowhere else.",
                AlertChannelType.Webhook => "It leads to another host: write the secret of the signature again, or have a new one made (renewSecret).",
                _ => "It leads to another host: write the key again, so that the one that is kept goes nowhere else.",
            });
        }

        if (before is { HasSecret: true } && kept is null && ((hasAddress && given.Url is null) || (NeedsKey(after) && given.Key is null)))
        {
            problems = problems.SetItem(given.Key is null && NeedsKey(after) ? "secret" : "url", "What was kept cannot be opened any more, because the hub has other keys: write address and secret again.");
        }

        return new ChannelEdit(after with { HasSecret = !secret.IsEmpty }, secret, problems);
    }

    private static bool NeedsKey(AlertChannel channel) => channel.Type switch
    {
        AlertChannelType.Slack => false,
        AlertChannelType.Email => channel.Mail?.User is { Length: > 0 },
        _ => true,
    };

    // In clear everybody on the way is another receiver.
    private static bool IsElsewhere(AlertChannel before, AlertChannel after) => after.Type == AlertChannelType.Email
        ? !string.Equals(before.Mail?.Host, after.Mail?.Host, StringComparison.OrdinalIgnoreCase) || before.Mail?.Port != after.Mail?.Port || (before.Mail?.Security != MailSecurity.None && after.Mail?.Security == MailSecurity.None)
        : !string.Equals(before.Origin, after.Origin, StringComparison.OrdinalIgnoreCase);
}
