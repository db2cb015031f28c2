using System.Globalization;

namespace FailoverHub.Web.Components.Shared.Charts;

/// <summary>How much of what was sent got no answer. Pure. Few of many are never rounded to none, nor nearly all to all.</summary>
internal static class LossText
{
    /// <summary>"12 of 2,592,000 (under 0.001 %)".</summary>
    /// <param name="lost">Probes without an answer.</param>
    /// <param name="sent">Probes, 1 and up.</param>
    public static string Of(long lost, long sent) => string.Create(CultureInfo.InvariantCulture, $"{lost:N0} of {sent:N0} ({Percent(lost, sent)})");

    /// <summary>"0 %", "under 0.001 %", "3.25 %".</summary>
    /// <param name="lost">Probes without an answer.</param>
    /// <param name="sent">Probes, 1 and up.</param>
    public static string Percent(long lost, long sent) => (100.0 * lost / sent) switch
    {
        > 0 and < 0.001 => "under 0.001 %",
        > 99.999 and < 100 => "over 99.999 %",
        var percent => percent.ToString("0.###", CultureInfo.InvariantCulture) + " %",
    };
}
