using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Api.Alerts;

/// <summary>When people are told of what.</summary>
public sealed record AlertRuleDto
{
    /// <summary>Never changes.</summary>
    public required string Id { get; init; }

    /// <summary>What it is called and what it says.</summary>
    public required AlertRuleBody Rule { get; init; }

    /// <summary>Grows with each change; the ETag.</summary>
    public required long Revision { get; init; }
}

/// <summary>What a rule says: body of POST /api/v1/alert-rules and /api/v1/alert-rules/{id}.</summary>
public sealed record AlertRuleBody
{
    /// <summary>Unique, 1 to 80 characters.</summary>
    public required string Name { get; init; }

    /// <summary>What it looks at: pair-state, node-link, sessions-down, check-unhealthy, address-lost, probe-loss, certificate-expiring, operation-failed, failback-pending, hub-cut-off, hub-storage, hub-disk, channel-failing, target-lost or answers-wrong. Never changes.</summary>
    public required string Kind { get; init; }

    /// <summary>It is asked.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>"info", "warning" or "critical".</summary>
    public required string Severity { get; init; }

    /// <summary>So long something has to be wrong before it is an alert: 0 to 604800.</summary>
    public int RaiseAfterSeconds { get; init; }

    /// <summary>So long it has to be right before the alert ends: 0 to 604800.</summary>
    public int ResolveAfterSeconds { get; init; }

    /// <summary>So often people are told again while nobody takes it on: 1 to 43200; null: once.</summary>
    public int? RemindEveryMinutes { get; init; }

    /// <summary>The number of its kind; null where it has none.</summary>
    public double? Threshold { get; init; }

    /// <summary>The states of its kind that it looks for.</summary>
    public string[] States { get; init; } = [];

    /// <summary>Names of pairs; empty: all.</summary>
    public string[] Pairs { get; init; } = [];

    /// <summary>Names of nodes; empty: all.</summary>
    public string[] Nodes { get; init; } = [];

    /// <summary>Names of targets that operators have added, of target-lost; empty: all.</summary>
    public string[] Targets { get; init; } = [];

    /// <summary>Ids of channels; null: all; empty: none.</summary>
    public string[]? Channels { get; init; }

    /// <summary>Nobody is told while the pair is frozen.</summary>
    public bool QuietInFreeze { get; init; }

    /// <summary>Nobody is told in a maintenance window. Of what is about the hub itself people are told all the same.</summary>
    public bool QuietInMaintenance { get; init; } = true;
}

/// <summary>Where people are told.</summary>
public sealed record AlertChannelDto
{
    /// <summary>Never changes.</summary>
    public required string Id { get; init; }

    /// <summary>What it is called, and where it leads.</summary>
    public required AlertChannelBody Channel { get; init; }

    /// <summary>Where it leads, without what may be secret: "https://hooks.example.org/… (3fa9c1)". The mark in brackets changes with the address.</summary>
    public required string Target { get; init; }

    /// <summary>It has a secret. It is never shown again.</summary>
    public required bool HasSecret { get; init; }

    /// <summary>A secret that was just made, to be given to the receiver; null: none was.</summary>
    public string? NewSecret { get; init; }

    /// <summary>Grows with each change; the ETag.</summary>
    public required long Revision { get; init; }
}

/// <summary>What a channel is: body of POST /api/v1/alert-channels and /api/v1/alert-channels/{id}.</summary>
public sealed record AlertChannelBody
{
    /// <summary>Unique, 1 to 80 characters.</summary>
    public required string Name { get; init; }

    /// <summary>"webhook", "email", "slack" or "pager-duty". Never changes.</summary>
    public required string Type { get; init; }

    /// <summary>It is told.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>"info", "warning" or "critical": what is less severe is not told here.</summary>
    public string MinimumSeverity { get; init; } = "info";

    /// <summary>So many messages within a minute, 1 to 600; the rest goes into one more, or waits.</summary>
    public int MostPerMinute { get; init; } = 10;

    /// <summary>
    /// Where to. Of a webhook it is only written, since it often is a password itself; null: as it was. Of PagerDuty it is the address of another region, with https; null: everybody's. Null for the others.
    /// </summary>
    public string? Url { get; init; }

    /// <summary>How mail is sent; null: it is no mail.</summary>
    public AlertMailBody? Mail { get; init; }

    /// <summary>
    /// Only written: the key of the signature (webhook; left out, one is made), the address of the incoming webhook (Slack, https), the routing key (PagerDuty), the password (email). Null: as it was; a channel that
    /// is made to lead to another host has to be given it again.
    /// </summary>
    public string? Secret { get; init; }

    /// <summary>Of a webhook: make a new secret.</summary>
    public bool RenewSecret { get; init; }
}

/// <summary>How mail is sent.</summary>
public sealed record AlertMailBody
{
    /// <summary>Name or address of the server.</summary>
    public required string Host { get; init; }

    /// <summary>1 to 65535.</summary>
    public required int Port { get; init; }

    /// <summary>"start-tls", "tls" or "none".</summary>
    public string Security { get; init; } = "start-tls";

    /// <summary>Who signs in, null: nobody has to.</summary>
    public string? User { get; init; }

    /// <summary>The sender's address.</summary>
    public required string From { get; init; }

    /// <summary>1 to 50 addresses.</summary>
    public required string[] To { get; init; }
}

/// <summary>Rules and channels between the API and the room. Words that there are not are refused here.</summary>
internal static class AlertSettingMapping
{
    public static AlertRuleDto ToDto(this AlertRule rule) => new()
    {
        Id = rule.Id,
        Revision = rule.Revision,
        Rule = new AlertRuleBody
        {
            Name = rule.Name,
            Kind = AlertKinds.Of(rule.Kind).Word,
            Enabled = rule.Enabled,
            Severity = ApiWords.Kebab(rule.Severity),
            RaiseAfterSeconds = (int)rule.RaiseAfter.TotalSeconds,
            ResolveAfterSeconds = (int)rule.ResolveAfter.TotalSeconds,
            RemindEveryMinutes = rule.RemindEvery is { } again ? (int)again.TotalMinutes : null,
            Threshold = rule.Threshold,
            States = [.. rule.States],
            Pairs = [.. rule.Pairs],
            Nodes = [.. rule.Nodes],
            Targets = [.. rule.Targets],
            Channels = rule.Channels is { } channels ? [.. channels] : null,
            QuietInFreeze = rule.QuietInFreeze,
            QuietInMaintenance = rule.QuietInMaintenance,
        },
    };

    /// <param name="body">What came.</param>
    /// <param name="id">Id of the rule, empty: it is new.</param>
    /// <param name="problems">Words that there are not.</param>
    public static AlertRule ToRule(this AlertRuleBody body, string id, Dictionary<string, string> problems)
    {
        AlertKind? kind = AlertKinds.Parse(body.Kind);
        if (kind is null)
        {
            problems["kind"] = $"Write one of {string.Join(", ", Enum.GetValues<AlertKind>().Select(k => AlertKinds.Of(k).Word))}.";
        }

        return new AlertRule
        {
            Id = id,
            Name = body.Name,
            Kind = kind ?? AlertKind.PairState,
            Enabled = body.Enabled,
            Severity = Severity("severity", body.Severity, problems),
            RaiseAfter = TimeSpan.FromSeconds(body.RaiseAfterSeconds),
            ResolveAfter = TimeSpan.FromSeconds(body.ResolveAfterSeconds),
            RemindEvery = body.RemindEveryMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
            Threshold = body.Threshold,
            States = [.. body.States],
            Pairs = [.. body.Pairs],
            Nodes = [.. body.Nodes],
            Targets = [.. body.Targets],
            Channels = body.Channels is { } channels ? [.. channels] : null,
            QuietInFreeze = body.QuietInFreeze,
            QuietInMaintenance = body.QuietInMaintenance,
        };
    }

    public static AlertChannelDto ToDto(this AlertChannel channel, string? newSecret = null) => new()
    {
        Id = channel.Id,
        Revision = channel.Revision,
        Target = channel.Target,
        HasSecret = channel.HasSecret,
        NewSecret = newSecret,
        Channel = new AlertChannelBody
        {
            Name = channel.Name,
            Type = ApiWords.Kebab(channel.Type),
            Enabled = channel.Enabled,
            MinimumSeverity = ApiWords.Kebab(channel.MinimumSeverity),
            MostPerMinute = channel.MostPerMinute,
            Url = channel.Type == AlertChannelType.PagerDuty ? channel.Origin : null,
            Mail = channel.Mail is { } mail ? new AlertMailBody { Host = mail.Host, Port = mail.Port, Security = ApiWords.Kebab(mail.Security), User = mail.User, From = mail.From, To = [.. mail.To] } : null,
        },
    };

    /// <inheritdoc cref="ToRule"/>
    public static AlertChannel ToChannel(this AlertChannelBody body, string id, Dictionary<string, string> problems)
    {
        if (!ApiWords.TryParseKebab(body.Type, out AlertChannelType type))
        {
            problems["type"] = $"Write {ApiWords.Choices<AlertChannelType>()}.";
        }

        MailSecurity security = MailSecurity.StartTls;
        if (body.Mail is { } given && !ApiWords.TryParseKebab(given.Security, out security))
        {
            problems["mail.security"] = $"Write {ApiWords.Choices<MailSecurity>()}.";
        }

        return new AlertChannel
        {
            Id = id,
            Name = body.Name,
            Type = type,
            Enabled = body.Enabled,
            MinimumSeverity = Severity("minimumSeverity", body.MinimumSeverity, problems),
            MostPerMinute = body.MostPerMinute,
            Mail = body.Mail is { } mail ? new MailSettings { Host = mail.Host, Port = mail.Port, Security = security, User = mail.User, From = mail.From, To = [.. mail.To] } : null,
        };
    }

    /// <summary>What is secret of it. Slack's whole address is its secret.</summary>
    public static ChannelSecret ToSecret(this AlertChannelBody body, AlertChannel channel, Dictionary<string, string> problems)
    {
        if (channel.Type != AlertChannelType.Slack)
        {
            return new ChannelSecret(body.Url, body.Secret);
        }

        if (body.Url is not null)
        {
            problems["url"] = "Write the address of the incoming webhook as secret.";
        }

        return new ChannelSecret(body.Secret);
    }

    private static EventSeverity Severity(string field, string word, Dictionary<string, string> problems)
    {
        if (!ApiWords.TryParseKebab(word, out EventSeverity severity))
        {
            problems[field] = $"Write {ApiWords.Choices<EventSeverity>()}.";
        }

        return severity;
    }
}
