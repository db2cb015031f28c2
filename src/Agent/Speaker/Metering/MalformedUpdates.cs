using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Speaker.Metering;

/// <summary>Which of a neighbor's malformed UPDATEs are worth a line: one in ten minutes, however many come.</summary>
internal sealed class MalformedUpdates
{
    private const int MostPrefixesNamed = 5;

    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(10);

    private TimeSpan _nextReport;

    /// <summary>What was wrong with the UPDATE and which prefixes it names (RFC 7606 8); null: nothing, or it was told lately.</summary>
    public string? Report(ReceivedRoutes update, TimeSpan now)
    {
        if (update.Problem is not { } problem || now < _nextReport)
        {
            return null;
        }

        _nextReport = now + _interval;
        var prefixes = update.Withdrawn.Concat(update.Announced).ToList();
        var named = prefixes.Count == 0 ? "it names no prefix" : string.Join(' ', prefixes.Take(MostPrefixesNamed)) + (prefixes.Count > MostPrefixesNamed ? " ..." : "");
        return $"{problem} ({named})";
    }
}
