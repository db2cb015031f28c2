using System.Globalization;
using FailoverHub.Web.Api.History;

namespace FailoverHub.Web.Api.Exports;

/// <summary>A column of a CSV export.</summary>
/// <param name="Name">As the API's JSON has it.</param>
/// <param name="Of">What stands in it; null: nothing.</param>
internal sealed record CsvColumn<T>(string Name, Func<T, string?> Of);

/// <summary>Columns of the exports, in an order that scripts may rely on: new ones come last.</summary>
internal static class CsvColumns
{
    public static CsvColumn<EventDto>[] Events { get; } =
    [
        new("id", e => Number(e.Id)),
        new("at", e => Time(e.At)),
        new("recordedAt", e => Time(e.RecordedAt)),
        new("kind", e => e.Kind),
        new("severity", e => e.Severity),
        new("pair", e => e.Pair),
        new("node", e => e.Node),
        new("prefix", e => e.Prefix),
        new("text", e => e.Text),
        new("operation", e => e.Operation),
    ];

    public static CsvColumn<AuditDto>[] Audit { get; } =
    [
        new("id", a => Number(a.Id)),
        new("at", a => Time(a.At)),
        new("happenedAt", a => a.HappenedAt is { } happened ? Time(happened) : null),
        new("actor", a => a.Actor),
        new("remoteAddress", a => a.RemoteAddress),
        new("forwardedFor", a => a.ForwardedFor),
        new("action", a => a.Action),
        new("target", a => a.Target),
        new("reason", a => a.Reason),
        new("outcome", a => a.Outcome),
        new("before", a => a.Before),
        new("after", a => a.After),
        new("correlationId", a => a.CorrelationId),
        new("previousHash", a => a.PreviousHash),
        new("hash", a => a.Hash),
    ];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
