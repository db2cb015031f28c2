using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>How people are told.</summary>
public enum AlertChannelType
{
    /// <summary>A signed POST of JSON.</summary>
    Webhook,

    /// <summary>A mail by SMTP.</summary>
    Email,

    /// <summary>Slack's incoming webhook, which Mattermost and others take too.</summary>
    Slack,

    /// <summary>PagerDuty's Events API v2.</summary>
    PagerDuty,
}

/// <summary>How a mail server is spoken to.</summary>
public enum MailSecurity
{
    /// <summary>TLS from the first byte, as on port 465.</summary>
    Tls,

    /// <summary>STARTTLS, and nothing is sent without it.</summary>
    StartTls,

    /// <summary>In clear: only where the server is on the same machine or network.</summary>
    None,
}

/// <summary>Where people are told. Its secret is not in it.</summary>
public sealed record AlertChannel
{
    /// <summary>Never changes.</summary>
    public required string Id { get; init; }

    /// <summary>For people; unique, 1 to 80 characters.</summary>
    public required string Name { get; init; }

    /// <summary>How; never changes.</summary>
    public required AlertChannelType Type { get; init; }

    /// <summary>It is told. What waits for it while it is switched off is told as it stands when it is on again.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Less severe alerts are not told here.</summary>
    public EventSeverity MinimumSeverity { get; init; } = EventSeverity.Info;

    /// <summary>So many messages within a minute, 1 to 600; the rest goes into one more, or waits.</summary>
    public int MostPerMinute { get; init; } = 10;

    /// <summary>Scheme, host and port that it leads to: what follows them is often a password, and is with its secret. Null: it is mail, or PagerDuty where everybody finds it.</summary>
    public string? Origin { get; init; }

    /// <summary>Six hex digits that tell one address at that host from another; null: nothing of it is secret.</summary>
    public string? Mark { get; init; }

    /// <summary>How mail is sent; null: it is no mail.</summary>
    public MailSettings? Mail { get; init; }

    /// <summary>It has a secret.</summary>
    public bool HasSecret { get; init; }

    /// <summary>Grows with each change.</summary>
    public long Revision { get; init; }

    /// <summary>Where to, for people, without anything secret.</summary>
    public string Target => Type switch
    {
        AlertChannelType.Email => string.Join(", ", Mail?.To ?? []),
        AlertChannelType.PagerDuty => Origin ?? PagerDutySender.DefaultUrl,
        _ => Origin is null ? "its address cannot be read: give it again" : $"{Origin}/… ({Mark})",
    };
}

/// <summary>How mail is sent.</summary>
public sealed record MailSettings
{
    /// <summary>Name or address of the server.</summary>
    public required string Host { get; init; }

    /// <summary>1 to 65535; usually 587, 465 or 25.</summary>
    public required int Port { get; init; }

    /// <summary>Whether the way there is closed to others.</summary>
    public MailSecurity Security { get; init; } = MailSecurity.StartTls;

    /// <summary>Who signs in there, null: nobody has to.</summary>
    public string? User { get; init; }

    /// <summary>The sender's address.</summary>
    public required string From { get; init; }

    /// <summary>A password would cross a network in clear, for anybody on the way to read.</summary>
    public bool GivesThePasswordAway => Security == MailSecurity.None && User is { Length: > 0 }
        && !(string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase) || (System.Net.IPAddress.TryParse(Host.Trim('[', ']'), out System.Net.IPAddress? address) && System.Net.IPAddress.IsLoopback(address)));

    /// <summary>Addresses, 1 to 50.</summary>
    public ImmutableArray<string> To { get; init; } = [];
}
