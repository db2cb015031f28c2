using System.Globalization;
using System.Text;

namespace FailoverHub.Bench.Load;

/// <summary>What was measured, as a table in Markdown: the hub beside the bare server, where there is something to compare.</summary>
internal sealed class LoadTable(int agents)
{
    private readonly List<(string What, string Hub, string Bare)> _rows = [];
    private readonly Dictionary<string, string> _bare = [];

    /// <summary>A figure of the bare server; its row comes with the hub's figure.</summary>
    public void Bare(string what, FormattableString value) => _bare[what] = value.ToString(CultureInfo.InvariantCulture);

    public void Hub(string what, FormattableString value) => _rows.Add((what, value.ToString(CultureInfo.InvariantCulture), _bare.GetValueOrDefault(what, "")));

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"| {agents} agents, {agents / 2} pairs | hub | bare server |").AppendLine("| --- | --- | --- |");
        foreach (var (what, hub, bare) in _rows)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {what} | {hub} | {bare} |");
        }

        return text.ToString();
    }
}
