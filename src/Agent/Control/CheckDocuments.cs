using System.Globalization;
using System.Text;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Control;

/// <summary>One health check at one moment.</summary>
internal sealed record CheckDocument
{
    public required string Name { get; init; }

    /// <summary><c>tcp</c>, <c>http</c>, <c>https</c>, <c>command</c> or <c>process</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What is probed.</summary>
    public required string Target { get; init; }

    /// <summary><c>healthy</c>, <c>unhealthy</c> or <c>unknown</c>: there is none yet.</summary>
    public required string Verdict { get; init; }

    /// <summary>Null: it only counts as that, no result has said so yet.</summary>
    public DateTimeOffset? VerdictSince { get; init; }

    public double? VerdictSeconds { get; init; }

    /// <summary>The last results in a row that speak against the verdict.</summary>
    public required int Contrary { get; init; }

    /// <summary>Null: it has not run yet.</summary>
    public DateTimeOffset? LastRunAt { get; init; }

    public double? LastRunMilliseconds { get; init; }

    public bool? LastRunGood { get; init; }

    /// <summary>What the last run found, in words; of a command its last output with it.</summary>
    public string? LastOutput { get; init; }

    public required long Runs { get; init; }

    /// <summary><c>withdraw</c> or <c>demote</c>.</summary>
    public required string Consequence { get; init; }

    /// <summary>Empty: all.</summary>
    public required IReadOnlyList<string> Prefixes { get; init; }

    public required double IntervalSeconds { get; init; }

    public required double FastIntervalSeconds { get; init; }

    public required double TimeoutSeconds { get; init; }

    public required int Rise { get; init; }

    public required int Fall { get; init; }
}

/// <summary>The health checks in a status.</summary>
internal static class CheckDocuments
{
    public static CheckDocument Of(CheckReading reading, DateTimeOffset now) => new()
    {
        Name = reading.Check.Name,
        Kind = reading.Check.Probe.Kind,
        Target = Printable.Of(reading.Check.Probe.Target),
        Verdict = reading.Verdict.Word(),
        VerdictSince = reading.VerdictSince,
        VerdictSeconds = reading.VerdictSince is { } since ? Math.Round((now - since).TotalSeconds, 3) : null,
        Contrary = reading.Contrary,
        LastRunAt = reading.LastRun?.At,
        LastRunMilliseconds = reading.LastRun is { } run ? Math.Round(run.Result.Took.TotalMilliseconds, 3) : null,
        LastRunGood = reading.LastRun?.Result.Good,
        LastOutput = reading.LastRun?.Result.Text,
        Runs = reading.Runs,
        Consequence = reading.Check.Consequence.Word(),
        Prefixes = [.. reading.Check.Prefixes.Select(prefix => prefix.ToString())],
        IntervalSeconds = reading.Check.Interval.TotalSeconds,
        FastIntervalSeconds = reading.Check.FastInterval.TotalSeconds,
        TimeoutSeconds = reading.Check.Timeout.TotalSeconds,
        Rise = reading.Check.Rise,
        Fall = reading.Check.Fall,
    };

    /// <summary>For people: a block for each.</summary>
    public static void Write(StringBuilder text, IReadOnlyList<CheckDocument> checks, DateTimeOffset now)
    {
        foreach (var check in checks)
        {
            text.AppendLine();
            text.AppendLine(CultureInfo.InvariantCulture, $"check {check.Name}: {Verdict(check)}");
            StatusText.Row(text, check.Kind, check.Target);
            if (check is { LastRunAt: { } at, LastRunMilliseconds: { } took, LastRunGood: { } good })
            {
                StatusText.Row(text, "last run", string.Create(CultureInfo.InvariantCulture, $"{Words.Lasted(Positive(now - at))} ago, {took:0.#} ms, {(good ? "good" : "BAD")}: {check.LastOutput}"));
            }
            else
            {
                StatusText.Row(text, "last run", "none yet");
            }

            var unhealthy = check.Consequence == "demote" ? "announced as secondary at most" : "withdrawn";
            StatusText.Row(text, "unhealthy means", $"{(check.Prefixes.Count == 0 ? "all prefixes" : string.Join(", ", check.Prefixes))} {unhealthy}");
            StatusText.Row(text, "runs", string.Create(CultureInfo.InvariantCulture, $"{check.Runs}, every {check.IntervalSeconds:0.###} s ({check.FastIntervalSeconds:0.###} s while a change is pending), timeout {check.TimeoutSeconds:0.###} s, rise {check.Rise}, fall {check.Fall}"));
        }
    }

    private static string Verdict(CheckDocument check)
    {
        var since = check.VerdictSeconds is { } seconds ? $" for {Words.Lasted(Positive(TimeSpan.FromSeconds(seconds)))}" : " (no verdict of its own yet)";
        var contrary = check.Contrary == 0 ? "" : $", the last {(check.Contrary == 1 ? "result speaks" : $"{check.Contrary} results speak")} against it";
        return (check.Verdict == "unhealthy" ? "UNHEALTHY" : check.Verdict) + since + contrary;
    }

    private static TimeSpan Positive(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;
}
