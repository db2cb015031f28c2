using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FailoverHub.Bench.Report;

/// <summary>Everything that a run has found, as a table and as JSON.</summary>
/// <param name="machine">Where it ran.</param>
/// <param name="shipped">The subject that ratios are about.</param>
/// <param name="ours">Every subject that is ours.</param>
internal sealed class Results(MachineFacts machine, string shipped, IReadOnlyCollection<string> ours)
{
    private readonly List<(string Section, List<Row> Rows)> _sections = [];
    private readonly List<string> _notes = [];

    /// <summary>Begins a part of the table with these rows.</summary>
    public void Add(string section, params Row[] rows) => _sections.Add((section, [.. rows]));

    /// <summary>A sentence below the table.</summary>
    public void Note(string text) => _notes.Add(text);

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Bench, {machine.At:yyyy-MM-dd HH:mm} UTC").AppendLine();
        text.AppendLine(machine.Describe()).AppendLine();
        if (machine.Warning is { } warning)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"**{warning}**").AppendLine();
        }

        text.AppendLine("Median (least – most). The ratio is that of our shipped program to the best of the others: below 1 we are ahead.").AppendLine();
        foreach (var (section, rows) in _sections)
        {
            var subjects = rows.SelectMany(row => row.Samples.Keys).Distinct().ToList();
            text.AppendLine(CultureInfo.InvariantCulture, $"## {section}").AppendLine();
            text.AppendLine(CultureInfo.InvariantCulture, $"| | {string.Join(" | ", subjects)} | ratio |");
            text.AppendLine(CultureInfo.InvariantCulture, $"| --- |{string.Concat(subjects.Select(_ => " ---: |"))} ---: |");
            foreach (var row in rows)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Title}, {row.Unit} | {string.Join(" | ", subjects.Select(subject => Cell(row, subject)))} | {Ratio(row)} |");
            }

            text.AppendLine();
        }

        foreach (var note in _notes)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {note}");
        }

        return text.ToString();
    }

    public string Json() => new JsonObject
    {
        ["machine"] = machine.Json(),
        ["rows"] = new JsonArray([.. _sections.SelectMany(section => section.Rows.Select(row => (JsonNode)RowJson(section.Section, row)))]),
        ["notes"] = new JsonArray([.. _notes.Select(note => (JsonNode)note)]),
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = true });

    private JsonObject RowJson(string section, Row row) => new()
    {
        ["section"] = section,
        ["key"] = row.Key,
        ["title"] = row.Title,
        ["unit"] = row.Unit,
        ["ratioToBestOther"] = RatioOf(row),
        ["subjects"] = new JsonObject(row.Samples.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)new JsonObject
        {
            ["min"] = entry.Value.Min(),
            ["median"] = Statistics.Quantile(entry.Value, 0.5),
            ["max"] = entry.Value.Max(),
            ["samples"] = new JsonArray([.. entry.Value.Select(sample => (JsonNode)sample)]),
        }))),
    };

    private double? RatioOf(Row row) =>
        row.Median(shipped) is { } our && row.Samples.Keys.Except(ours).Select(row.Median).Min() is { } best and > 0 ? our / best : null;

    private string Ratio(Row row) => RatioOf(row) is { } ratio ? Number(ratio) : "–";

    private static string Cell(Row row, string subject) => !row.Samples.TryGetValue(subject, out var samples)
        ? ""
        : samples.Count == 1
            ? Number(samples[0])
            : $"{Number(Statistics.Quantile(samples, 0.5))} ({Number(samples.Min())} – {Number(samples.Max())})";

    private static string Number(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
