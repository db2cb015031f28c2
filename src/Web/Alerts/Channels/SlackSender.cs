using System.Text.Json;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>Slack's incoming webhook: its address is the secret.</summary>
internal sealed class SlackSender(AlertHttp http) : IAlertSender
{
    /// <summary>Of a summary so many are named one by one.</summary>
    private const int MostNamed = 20;

    private static readonly string[] Markup = ["text"];

    public AlertChannelType Type => AlertChannelType.Slack;

    public Task<SendResult> SendAsync(AlertChannel channel, ChannelSecret secret, OutgoingMessage outgoing, CancellationToken cancellationToken) =>
        Uri.TryCreate(secret.Url, UriKind.Absolute, out Uri? url)
            ? http.PostAsync(url, Body(outgoing.Message), [], cancellationToken)
            : Task.FromResult(SendResult.Unreachable("It has no address"));

    /// <summary>Pure. Text and one attachment, whose colour says how bad it is; the word stands beside it.</summary>
    public static byte[] Body(AlertMessage message)
    {
        string word = message.Kind == AlertNoticeKind.Resolved ? "Over" : message.Severity.ToString();
        string text = $"*{word}* {Escape(message.Title)}";
        string more = message.Kind == AlertNoticeKind.Summary
            ? string.Join('\n', message.Alerts.Take(MostNamed).Select(a => $"• {a.Severity} {AlertMessage.Word(a.Notice)}: {Linked(a.Url, a.Rule)}, {Escape(a.About)}").Append(message.Alerts.Length > MostNamed ? $"and {message.Alerts.Length - MostNamed} more" : "")).TrimEnd()
            : string.Join(" · ", message.Alerts.SelectMany(a => new[] { a.Pair is { } pair ? $"pair {Linked(a.PairUrl, pair)}" : null, a.Node is { } node ? $"node {Escape(node)}" : null, $"since {a.RaisedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC", a.ResolvedAt is { } over ? $"over {over.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : null, a.Url is null ? null : Linked(a.Url, "open") }).OfType<string>());
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            text,
            attachments = new[] { new { color = Colour(message), fallback = text, text = more, mrkdwn_in = Markup } },
        });
    }

    private static string Linked(string? url, string text) => url is null ? Escape(text) : $"<{Escape(url)}|{Escape(text).Replace('|', '/')}>";

    // What Slack reads as markup.
    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    private static string Colour(AlertMessage message) => message switch
    {
        { Kind: AlertNoticeKind.Resolved } => "#0a6a46",
        { Severity: EventSeverity.Critical } => "#bf1f2b",
        { Severity: EventSeverity.Warning } => "#e6b04a",
        _ => "#1860b4",
    };
}
