using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FailoverHub.Web.Alerts.Delivery;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>
/// A POST of JSON that its receiver can check: the header X-FailoverHub-Signature is "v1=" and the HMAC-SHA256, by the channel's secret, of the header
/// X-FailoverHub-Timestamp (seconds since 1970), a full stop and the body. A receiver that refuses old timestamps cannot be played an old message.
/// </summary>
internal sealed class WebhookSender(AlertHttp http, TimeProvider time) : IAlertSender
{
    public const string SignatureHeader = "X-FailoverHub-Signature";
    public const string TimestampHeader = "X-FailoverHub-Timestamp";
    public const string DeliveryHeader = "X-FailoverHub-Delivery";
    public const string EventHeader = "X-FailoverHub-Event";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    public AlertChannelType Type => AlertChannelType.Webhook;

    public Task<SendResult> SendAsync(AlertChannel channel, ChannelSecret secret, OutgoingMessage outgoing, CancellationToken cancellationToken)
    {
        AlertMessage message = outgoing.Message;
        string kind = $"alert.{message.Kind.ToString().ToLowerInvariant()}";
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new { Id = outgoing.Id, Event = kind, message.At, message.Severity, message.Title, message.Url, message.Alerts }, Json);
        string timestamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>
        {
            [EventHeader] = kind,
            [DeliveryHeader] = outgoing.Id.ToString(CultureInfo.InvariantCulture),
            [TimestampHeader] = timestamp,
        };
        if (secret.Key is { } key)
        {
            headers[SignatureHeader] = Sign(key, timestamp, body);
        }

        return Uri.TryCreate(secret.Url, UriKind.Absolute, out Uri? url)
            ? http.PostAsync(url, body, headers, cancellationToken)
            : Task.FromResult(SendResult.Unreachable("Its address cannot be read: give it again"));
    }

    /// <summary>Pure: what a receiver computes too.</summary>
    public static string Sign(string secret, string timestamp, byte[] body) =>
        $"v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.UTF8.GetBytes($"{timestamp}."), .. body]))}";
}
