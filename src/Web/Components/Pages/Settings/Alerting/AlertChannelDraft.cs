using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Components.Pages.Settings.Alerting;

/// <summary>A channel while it is being written in a form.</summary>
public sealed class AlertChannelDraft
{
    private readonly AlertChannel _channel;

    private AlertChannelDraft(AlertChannel channel)
    {
        _channel = channel;
        (Name, Type, Enabled, MinimumSeverity, MostPerMinute, Url) = (channel.Name, channel.Type, channel.Enabled, channel.MinimumSeverity, channel.MostPerMinute, channel.Type == AlertChannelType.PagerDuty ? channel.Origin ?? "" : "");
        MailSettings mail = channel.Mail ?? new MailSettings { Host = "", Port = 587, From = "" };
        (Host, Port, Security, User, From, To) = (mail.Host, mail.Port, mail.Security, mail.User ?? "", mail.From, string.Join(", ", mail.To));
    }

    /// <summary>It is being made.</summary>
    public bool IsNew => _channel.Revision == 0;

    /// <summary>Of the channel; empty: it is new.</summary>
    public string Id => _channel.Id;

    /// <summary>The revision that is being looked at.</summary>
    public long Revision => _channel.Revision;

    /// <summary>Where it leads now, without what may be secret.</summary>
    public string Target => _channel.Target;

    /// <summary>It has a secret already.</summary>
    public bool HasSecret => _channel.HasSecret;

    /// <summary>Its name.</summary>
    public string Name { get; set; }

    /// <summary>How people are told.</summary>
    public AlertChannelType Type { get; set; }

    /// <summary>It is told.</summary>
    public bool Enabled { get; set; }

    /// <summary>What is less severe is not told.</summary>
    public EventSeverity MinimumSeverity { get; set; }

    /// <summary>Messages a minute.</summary>
    public int MostPerMinute { get; set; }

    /// <summary>Where to, as it is written: what is kept of a webhook's address is not shown again.</summary>
    public string Url { get; set; }

    /// <summary>The mail server.</summary>
    public string Host { get; set; }

    /// <summary>Its port.</summary>
    public int Port { get; set; }

    /// <summary>Whether the way there is closed.</summary>
    public MailSecurity Security { get; set; }

    /// <summary>Who signs in there.</summary>
    public string User { get; set; }

    /// <summary>The sender.</summary>
    public string From { get; set; }

    /// <summary>Addresses, separated by commas.</summary>
    public string To { get; set; }

    /// <summary>A new secret; empty: as it was.</summary>
    public string Secret { get; set; } = "";

    /// <summary>Of a webhook: a new secret is made.</summary>
    public bool RenewSecret { get; set; }

    /// <summary>Of a channel.</summary>
    public static AlertChannelDraft Of(AlertChannel channel) => new(channel);

    /// <summary>A new one.</summary>
    public static AlertChannelDraft New() => new(new AlertChannel { Id = "", Name = "", Type = AlertChannelType.Webhook });

    /// <summary>What was written of its secret.</summary>
    internal ChannelSecret ToSecret() => Type switch
    {
        AlertChannelType.Slack => new(Of(Secret)),
        AlertChannelType.Email => new(null, Secret.Length > 0 ? Secret : null),
        _ => new(Of(Url), Of(Secret)),
    };

    private static string? Of(string text) => text.Trim() is { Length: > 0 } written ? written : null;

    /// <summary>As it is to be.</summary>
    public AlertChannel ToChannel() => _channel with
    {
        Name = Name,
        Type = Type,
        Enabled = Enabled,
        MinimumSeverity = MinimumSeverity,
        MostPerMinute = MostPerMinute,
        Mail = Type == AlertChannelType.Email
            ? new MailSettings { Host = Host.Trim(), Port = Port, Security = Security, User = User.Trim() is { Length: > 0 } user ? user : null, From = From.Trim(), To = [.. To.Split([',', ';', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)] }
            : null,
    };
}
