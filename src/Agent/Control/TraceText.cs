using System.Globalization;
using System.Text;

namespace FailoverHub.Agent.Control;

/// <summary>A trace for people: a line for each message.</summary>
internal static class TraceText
{
    public static string Of(TraceDocument trace)
    {
        var text = new StringBuilder();
        var width = trace.Messages.Select(row => row.Neighbor.Length).DefaultIfEmpty().Max();
        foreach (var row in trace.Messages)
        {
            var run = row.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $", {row.Count} of them until {Time(row.LastAt)}") : "";
            text.AppendLine(CultureInfo.InvariantCulture, $"{Time(row.At)}  {row.Neighbor.PadRight(width)}  {row.Direction,-8}  {row.Text}{run}");
        }

        return text.Length == 0 ? "no message yet" + Environment.NewLine : text.ToString();
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
