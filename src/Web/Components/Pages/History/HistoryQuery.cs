using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Components.Pages.History;

/// <summary>What a history page shows, as it stands in its URL: a filtered page can be shared as a link. Pure.</summary>
public sealed record HistoryQuery
{
    /// <summary>Words that the text contains.</summary>
    public string? Text { get; init; }

    /// <summary>Name of a pair.</summary>
    public string? Pair { get; init; }

    /// <summary>Name of a node.</summary>
    public string? Node { get; init; }

    /// <summary>Kind of event, or action of an audit entry.</summary>
    public string? Kind { get; init; }

    /// <summary>Who (audit).</summary>
    public string? Actor { get; init; }

    /// <summary>"warning" or "critical": at least this severe (events).</summary>
    public string? Severity { get; init; }

    /// <summary>One of <see cref="Ranges"/>, "custom", or null: all that is kept.</summary>
    public string? Range { get; init; }

    /// <summary>Start of a custom range, in UTC: "2026-11-22T14:00:00Z". Without the Z, as older links have it, it is local to the zone of whoever looks.</summary>
    public string? From { get; init; }

    /// <summary>End of a custom range, likewise.</summary>
    public string? To { get; init; }

    /// <summary>One operation's entries.</summary>
    public string? OperationId { get; init; }

    /// <summary>Ranges that end now, by their name in the URL.</summary>
    public static ImmutableArray<(string Name, string Words, TimeSpan Length)> Ranges { get; } =
    [
        ("15m", "last 15 minutes", TimeSpan.FromMinutes(15)),
        ("1h", "last hour", TimeSpan.FromHours(1)),
        ("6h", "last 6 hours", TimeSpan.FromHours(6)),
        ("24h", "last 24 hours", TimeSpan.FromHours(24)),
        ("7d", "last 7 days", TimeSpan.FromDays(7)),
        ("30d", "last 30 days", TimeSpan.FromDays(30)),
    ];

    /// <summary>Nothing is filtered.</summary>
    public bool IsEmpty => this == new HistoryQuery();

    /// <summary>The same for the history. What is not understood is not filtered by.</summary>
    /// <param name="now">End of the ranges that end now.</param>
    /// <param name="zone">Zone of custom ranges that name none.</param>
    public HistoryFilter ToFilter(DateTimeOffset now, TimeZoneInfo zone)
    {
        TimeSpan? length = Ranges.Where(range => range.Name == Range).Select(range => (TimeSpan?)range.Length).FirstOrDefault();
        return new()
        {
            From = length is { } back ? now - back : Range == "custom" ? Moment(From, zone) : null,
            To = Range == "custom" ? Moment(To, zone) : null,
            Pair = Value(Pair),
            Node = Value(Node),
            Kind = Value(Kind),
            Actor = Value(Actor),
            Text = Value(Text),
            OperationId = Value(OperationId),
            MinimumSeverity = Enum.TryParse(Severity, ignoreCase: true, out EventSeverity severity) ? severity : null,
        };
    }

    /// <summary>A moment of the URL as a browser's field for date and time has it, in the shown zone; null: there is none.</summary>
    public static string? ToField(string? moment, TimeZoneInfo zone) =>
        Moment(moment, zone) is { } at ? TimeZoneInfo.ConvertTime(at, zone).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture) : null;

    /// <summary>What stands in such a field, as it goes into the URL: in UTC, so that a link means the same to whoever opens it.</summary>
    public static string? FromField(string? written, TimeZoneInfo zone) => Utc(Moment(written, zone));

    /// <summary>The page's address with this query.</summary>
    public string ToUrl(string path)
    {
        var url = new StringBuilder(path);
        char next = '?';
        foreach ((string name, string? value) in new[]
        {
            ("q", Text), ("pair", Pair), ("node", Node), ("kind", Kind), ("actor", Actor), ("severity", Severity),
            ("range", Range), ("from", Range == "custom" ? From : null), ("to", Range == "custom" ? To : null), ("operation", OperationId),
        })
        {
            if (Value(value) is { } present)
            {
                url.Append(next).Append(name).Append('=').Append(Uri.EscapeDataString(present));
                next = '&';
            }
        }

        return url.ToString();
    }

    /// <summary>The address of an export of what is shown.</summary>
    /// <param name="of">"events" or "audit".</param>
    /// <param name="format">"csv" or "json".</param>
    /// <param name="now">End of the ranges that end now.</param>
    /// <param name="zone">Zone of custom ranges.</param>
    public string ToExportUrl(string of, string format, DateTimeOffset now, TimeZoneInfo zone)
    {
        HistoryFilter filter = ToFilter(now, zone);
        var url = new StringBuilder($"/api/v1/{of}/export?format={format}");
        foreach ((string name, string? value) in new[]
        {
            ("text", filter.Text), ("pair", filter.Pair), ("node", filter.Node), (of == "audit" ? "action" : "kind", filter.Kind), ("operation", filter.OperationId),
            ("actor", of == "audit" ? filter.Actor : null), ("severity", of == "audit" ? null : filter.MinimumSeverity?.ToString().ToLowerInvariant()),
            ("from", Utc(filter.From)), ("to", Utc(filter.To)),
        })
        {
            if (value is not null)
            {
                url.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
            }
        }

        return url.ToString();
    }

    // The minute is enough: an address that changed each second would be painted each second.
    private static string? Utc(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:00'Z'", CultureInfo.InvariantCulture);

    private static string? Value(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();

    private static DateTimeOffset? Moment(string? text, TimeZoneInfo zone)
    {
        if (!DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTime written))
        {
            return null;
        }

        if (written.Kind != DateTimeKind.Unspecified)
        {
            return new DateTimeOffset(written.ToUniversalTime());
        }

        // The first and the last hours that a date can have may not exist in UTC.
        TimeSpan offset = zone.GetUtcOffset(written);
        return written.Ticks - offset.Ticks is var utc && utc >= DateTime.MinValue.Ticks && utc <= DateTime.MaxValue.Ticks ? new DateTimeOffset(utc, TimeSpan.Zero) : null;
    }
}
