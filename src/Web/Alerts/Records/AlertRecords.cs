using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.Alerts.Records;

/// <summary>Alerts between the database and the room.</summary>
internal static class AlertRecords
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    public static void Update(AlertEntity row, Alert alert)
    {
        row.About = alert.About;
        row.Pair = alert.Pair;
        row.Node = alert.Node;
        row.OperationId = alert.OperationId;
        row.Text = Cut(alert.Text);
        row.ResolvedAtMs = alert.ResolvedAt?.ToUnixTimeMilliseconds();
        row.ResolvedText = alert.ResolvedText;
        row.AcknowledgedBy = alert.Acknowledged?.By;
        row.AcknowledgedAtMs = alert.Acknowledged?.At.ToUnixTimeMilliseconds();
        row.AcknowledgedReason = alert.Acknowledged?.Reason;
        row.QuietBecause = alert.QuietBecause;
        row.ToldTo = string.Join(' ', alert.ToldTo);
        row.LastToldAtMs = alert.LastToldAt?.ToUnixTimeMilliseconds();
    }

    public static AlertEntity ToEntity(Alert alert)
    {
        var row = new AlertEntity
        {
            Id = alert.Id,
            RuleId = alert.Key.RuleId,
            RuleName = alert.RuleName,
            Kind = AlertKinds.Of(alert.Kind).Word,
            Subject = alert.Key.Subject,
            About = alert.About,
            Severity = alert.Severity,
            Prefix = alert.Prefix,
            Text = alert.Text,
            RaisedAtMs = alert.RaisedAt.ToUnixTimeMilliseconds(),
            ToldTo = "",
        };
        Update(row, alert);
        return row;
    }

    /// <param name="row">The row.</param>
    /// <param name="shelf">What its key is shelved by, null: nothing.</param>
    public static Alert ToAlert(AlertEntity row, AlertShelf? shelf) => new()
    {
        Id = row.Id,
        Key = new AlertKey(row.RuleId, row.Subject),
        Kind = AlertKinds.Parse(row.Kind) ?? AlertKind.PairState,
        RuleName = row.RuleName,
        Severity = row.Severity,
        About = row.About,
        Pair = row.Pair,
        Node = row.Node,
        Prefix = row.Prefix,
        OperationId = row.OperationId,
        Text = row.Text,
        RaisedAt = At(row.RaisedAtMs),
        ResolvedAt = row.ResolvedAtMs is { } resolved ? At(resolved) : null,
        ResolvedText = row.ResolvedText,
        Acknowledged = row is { AcknowledgedBy: { } by, AcknowledgedAtMs: { } at } ? new AlertAcknowledgement(by, At(at), row.AcknowledgedReason ?? "") : null,
        Shelf = row.ResolvedAtMs is null ? shelf : null,
        QuietBecause = row.QuietBecause,
        ToldTo = [.. row.ToldTo.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
        LastToldAt = row.LastToldAtMs is { } told ? At(told) : null,
    };

    public static AlertShelf ToShelf(AlertShelfEntity row) => new(row.Actor, At(row.AtMs), At(row.UntilMs), row.Reason);

    public static AlertShelfEntity ToEntity(AlertKey key, AlertShelf shelf) => new()
    {
        RuleId = key.RuleId,
        Subject = key.Subject,
        AtMs = shelf.At.ToUnixTimeMilliseconds(),
        UntilMs = shelf.Until.ToUnixTimeMilliseconds(),
        Actor = shelf.By,
        Reason = shelf.Reason,
    };

    public static AlertRuleEntity ToEntity(AlertRule rule) => new() { Id = rule.Id, Name = rule.Name, DefinitionJson = ToJson(rule), Revision = rule.Revision };

    public static AlertRule ToRule(AlertRuleEntity row) =>
        JsonSerializer.Deserialize<AlertRule>(row.DefinitionJson, Json)! with { Id = row.Id, Name = row.Name, Revision = row.Revision };

    public static AlertChannelEntity ToEntity(AlertChannel channel, string? closedSecret) =>
        new() { Id = channel.Id, Name = channel.Name, DefinitionJson = ToJson(channel), ClosedSecret = closedSecret, Revision = channel.Revision };

    public static AlertChannel ToChannel(AlertChannelEntity row) =>
        JsonSerializer.Deserialize<AlertChannel>(row.DefinitionJson, Json)! with { Id = row.Id, Name = row.Name, HasSecret = row.ClosedSecret is not null, Revision = row.Revision };

    public static AlertDeliveryEntity ToEntity(AlertMessage message, string channel, string? alertId) => new()
    {
        ChannelId = channel,
        AlertId = alertId,
        Notice = Words(message.Kind),
        Severity = message.Severity,
        Title = Cut(message.Title),
        MessageJson = message.ToJson(),
        CreatedAtMs = message.At.ToUnixTimeMilliseconds(),
        DueAtMs = message.At.ToUnixTimeMilliseconds(),
        State = DeliveryStates.Waiting,
        AttemptsJson = "[]",
    };

    public static DeliveryRecord ToRecord(AlertDeliveryEntity row) => new()
    {
        Id = row.Id,
        ChannelId = row.ChannelId,
        AlertId = row.AlertId,
        Notice = row.Notice,
        Severity = row.Severity,
        Title = row.Title,
        CreatedAt = At(row.CreatedAtMs),
        DueAt = At(row.DueAtMs),
        State = row.State,
        Attempts = row.Attempts,
        LastAttemptAt = row.LastAttemptAtMs is { } last ? At(last) : null,
        LastError = row.LastError,
        DeliveredAt = row.DeliveredAtMs is { } delivered ? At(delivered) : null,
        SummaryId = row.SummaryId,
        Log = AttemptsOf(row),
    };

    public static ImmutableArray<DeliveryAttempt> AttemptsOf(AlertDeliveryEntity row) => JsonSerializer.Deserialize<ImmutableArray<DeliveryAttempt>>(row.AttemptsJson, Json);

    public static string ToJson(ImmutableArray<DeliveryAttempt> attempts) => JsonSerializer.Serialize(attempts, Json);

    /// <summary>A rule as it stands in the database and in the audit.</summary>
    public static string ToJson(AlertRule rule) => JsonSerializer.Serialize(rule, Json);

    /// <summary>A channel likewise. Nothing in it is secret.</summary>
    public static string ToJson(AlertChannel channel) => JsonSerializer.Serialize(channel, Json);

    /// <summary>What people decide about an alert, for the audit: who has taken it on, and until when nobody is told of it.</summary>
    public static string ToJson(Alert alert) => JsonSerializer.Serialize(new { alert.Id, Rule = alert.RuleName, alert.About, alert.Acknowledged, alert.Shelf, alert.ResolvedAt }, Json);

    private static string Words(AlertNoticeKind kind) => kind.ToString().ToLowerInvariant();

    private static string Cut(string text) => text.Length <= 2_000 ? text : text[..2_000];

    private static DateTimeOffset At(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}
