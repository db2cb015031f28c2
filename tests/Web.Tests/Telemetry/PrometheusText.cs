using System.Globalization;
using System.Text.RegularExpressions;

namespace FailoverHub.Web.Tests.Telemetry;

/// <summary>One sample of a scrape.</summary>
internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// A strict reader of Prometheus' text format 0.0.4, written after its specification and sharing nothing with what writes it: names, types before samples, families in one piece, escapes,
/// no series twice, histograms that add up.
/// </summary>
internal sealed partial class PrometheusText
{
    private readonly Dictionary<string, string> _types = [];

    public List<Sample> Samples { get; } = [];

    /// <summary>Families by name, with their type.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    public double Value(string name, params (string Label, string Value)[] labels) =>
        Assert.Single(Samples, s => s.Name == name && labels.All(l => s.Labels.GetValueOrDefault(l.Label) == l.Value)).Value;

    public static PrometheusText Parse(string text)
    {
        var read = new PrometheusText();
        var helped = new HashSet<string>();
        var series = new HashSet<string>();
        var closed = new HashSet<string>();
        string family = "";
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                Assert.True(helped.Add(line.Split(' ')[2]), $"a second HELP: {line}");
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ');
                Assert.Equal(4, words.Length);
                Assert.Contains(words[3], (string[])["counter", "gauge", "histogram", "summary", "untyped"]);
                Assert.True(read._types.TryAdd(words[2], words[3]), $"a second TYPE: {line}");
                Assert.Matches(MetricName(), words[2]);
                Assert.True(closed.Add(words[2]));
                family = words[2];
            }
            else if (!line.StartsWith('#'))
            {
                Match match = SampleLine().Match(line);
                Assert.True(match.Success, $"no sample: {line}");
                Sample sample = ToSample(match);
                Assert.True(sample.Name == family || (read._types[family] == "histogram" && sample.Name.StartsWith(family, StringComparison.Ordinal)), $"{sample.Name} stands in the family {family}");
                Assert.True(series.Add($"{sample.Name}{{{string.Join(',', sample.Labels.OrderBy(l => l.Key).Select(l => $"{l.Key}={l.Value}"))}}}"), $"a series twice: {line}");
                read.Samples.Add(sample);
            }
        }

        read.CheckHistograms();
        return read;
    }

    private static Sample ToSample(Match match)
    {
        var labels = new Dictionary<string, string>();
        foreach (Match label in LabelPair().Matches(match.Groups["labels"].Value))
        {
            Assert.True(labels.TryAdd(label.Groups[1].Value, label.Groups[2].Value.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal)));
        }

        string value = match.Groups["value"].Value;
        return new Sample(match.Groups["name"].Value, labels, value switch { "+Inf" => double.PositiveInfinity, "-Inf" => double.NegativeInfinity, "NaN" => double.NaN, _ => double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture) });
    }

    private void CheckHistograms()
    {
        foreach (string name in _types.Where(t => t.Value == "histogram").Select(t => t.Key))
        {
            foreach (var group in Samples.Where(s => s.Name == $"{name}_bucket").GroupBy(s => string.Join(',', s.Labels.Where(l => l.Key != "le").OrderBy(l => l.Key))))
            {
                Sample[] buckets = [.. group];
                Assert.Equal("+Inf", buckets[^1].Labels["le"]);
                Assert.Equal(buckets.Select(b => b.Value).Order(), buckets.Select(b => b.Value));
                Assert.Contains(Samples, s => s.Name == $"{name}_count" && s.Value.Equals(buckets[^1].Value));
            }
        }
    }

    [GeneratedRegex("^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
    private static partial Regex MetricName();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*)\})? (?<value>[-+0-9.eE]+|[+-]Inf|NaN)( -?[0-9]+)?$""")]
    private static partial Regex SampleLine();

    [GeneratedRegex("""([a-zA-Z_][a-zA-Z0-9_]*)="(([^"\\\n]|\\["\\n])*)" *,?""")]
    private static partial Regex LabelPair();
}
