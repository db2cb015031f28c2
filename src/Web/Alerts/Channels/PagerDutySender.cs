using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>PagerDuty's Events API v2: an alert is an incident, known by the alert's id, which is opened, acknowledged and closed.</summary>
internal sealed class PagerDutySender(AlertHttp http) : IAlertSender
{
    public const string DefaultUrl = "https://events.pagerduty.com";

    /// <summary>Of PagerDuty's for a summary.</summary>
    private const int LongestSummary = 1_024;

    public AlertChannelType Type => AlertChannelType.PagerDuty;

    public async Task<SendResult> SendAsync(AlertChannel channel, ChannelSecret secret, OutgoingMessage outgoing, CancellationToken cancellationToken)
    {
        var url = new Uri(new Uri(channel.Origin ?? DefaultUrl), "/v2/enqueue");
        SendResult result = await http.PostAsync(url, Body(secret.Key ?? "", outgoing.Message, ActionOf(outgoing.Message.Kind)), [], cancellationToken);

        // A test opens an incident so that the whole way is tried, and nobody has to close it.
        return outgoing.Message.Kind == AlertNoticeKind.Test && result.Error is null
            ? await http.PostAsync(url, Body(secret.Key ?? "", outgoing.Message, "resolve"), [], cancellationToken)
            : result;
    }

    /// <summary>Pure.</summary>
    public static byte[] Body(string routingKey, AlertMessage message, string action)
    {
        AlertTold? about = message.Alerts.FirstOrDefault();
        var body = new JsonObject
        {
            ["routing_key"] = routingKey,
            ["event_action"] = action,
            ["dedup_key"] = $"failoverhub-{about?.Id ?? "test"}",
            ["client"] = "FailoverHub",
        };
        if (message.Url is { } url)
        {
            body["client_url"] = url;
        }

        if (action == "trigger")
        {
            body["payload"] = new JsonObject
            {
                ["summary"] = message.Title.Length <= LongestSummary ? message.Title : message.Title[..LongestSummary],
                ["source"] = about?.Node ?? about?.Pair ?? about?.About ?? "FailoverHub",
                ["severity"] = message.Severity switch { EventSeverity.Critical => "critical", EventSeverity.Warning => "warning", _ => "info" },
                ["timestamp"] = (about?.RaisedAt ?? message.At).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture),
                ["component"] = about?.About,
                ["group"] = about?.Pair,
                ["class"] = about?.Kind,
                ["custom_details"] = about is null ? null : new JsonObject { ["rule"] = about.Rule, ["text"] = about.Text, ["prefix"] = about.Prefix, ["operation"] = about.OperationId },
            };
        }

        // Only a trigger may have links.
        if (action == "trigger" && about is { PairUrl: { } pair })
        {
            body["links"] = new JsonArray(new JsonObject { ["href"] = pair, ["text"] = $"Pair {about.Pair}" });
        }

        return JsonSerializer.SerializeToUtf8Bytes(body);
    }

    // A trigger with a known key opens nothing new; it is how an incident is taken back from whoever had acknowledged it, as far as there is a way.
    private static string ActionOf(AlertNoticeKind kind) => kind switch
    {
        AlertNoticeKind.Resolved => "resolve",
        AlertNoticeKind.Acknowledged => "acknowledge",
        _ => "trigger",
    };
}
