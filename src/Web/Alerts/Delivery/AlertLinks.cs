using FailoverHub.Web.Configuration;

namespace FailoverHub.Web.Alerts.Delivery;

/// <summary>Where the dashboard shows what a message tells of. They are put in when it leaves: where the hub is reached may have changed while it waited.</summary>
internal sealed class AlertLinks(HubOptions options)
{
    /// <summary>The same with links, where people reach the dashboard is known.</summary>
    public AlertMessage Into(AlertMessage message) => options.PublicUrl is not { } hub ? message : message with
    {
        Url = new Uri(hub, message.Alerts is [var one] ? Of(one.Id) : "/alerts").AbsoluteUri,
        Alerts = [.. message.Alerts.Select(a => a with { Url = new Uri(hub, Of(a.Id)).AbsoluteUri, PairUrl = a.Pair is { } pair ? new Uri(hub, $"/pairs/{Uri.EscapeDataString(pair)}").AbsoluteUri : null })],
    };

    // What is told from memory has no page of its own.
    private static string Of(string alert) => alert.Contains('-', StringComparison.Ordinal) ? "/alerts" : $"/alerts/{Uri.EscapeDataString(alert)}";
}
