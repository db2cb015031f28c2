using System.Globalization;
using System.Text.RegularExpressions;

namespace FailoverHub.Agent.Tests.Metrics;

/// <summary>One line with a number.</summary>
internal sealed record MetricSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// Reads a page as strictly as its format is written down: of each family help, type and samples in one block, no sample twice, and of histograms buckets
/// that only grow, up to the count.
/// </summary>
internal static partial class ExpositionParser
{
    public static IReadOnlyList<MetricSample> Parse(string page)
    {
        Assert.EndsWith("\n", page, StringComparison.Ordinal);
        var samples = new List<MetricSample>();
        var types = new Dictionary<string, string>();
        var (family, helped) = ("", "");
        foreach (var line in page.Split('\n')[..^1])
        {
            if (Help().Match(line) is { Success: true } help)
            {
                helped = help.Groups["name"].Value;
                Assert.DoesNotContain(helped, types);
            }
            else if (Type().Match(line) is { Success: true } type)
            {
                family = type.Groups["name"].Value;
                Assert.Equal(helped, family);
                types.Add(family, type.Groups["type"].Value);
            }
            else
            {
                var sample = Sample(line);
                var suffixes = types[family] switch
                {
                    "histogram" => (string[])["_bucket", "_sum", "_count"],
                    // One without quantiles.
                    "summary" => ["_sum", "_count"],
                    _ => [""],
                };
                Assert.Contains(sample.Name, suffixes.Select(suffix => family + suffix));
                Assert.DoesNotContain(samples, other => other.Name == sample.Name && other.Labels.Count == sample.Labels.Count && other.Labels.All(label => sample.Labels.GetValueOrDefault(label.Key) == label.Value));
                Assert.True(types[family] != "counter" || (family.EndsWith("_total", StringComparison.Ordinal) && sample.Value >= 0), line);
                samples.Add(sample);
            }
        }

        foreach (var (name, _) in types.Where(type => type.Value == "histogram"))
        {
            Histogram(name, samples);
        }

        return samples;
    }

    private static void Histogram(string name, List<MetricSample> samples)
    {
        foreach (var buckets in samples.Where(sample => sample.Name == name + "_bucket").GroupBy(sample => string.Join(',', sample.Labels.Where(label => label.Key != "le"))))
        {
            Assert.Equal("+Inf", buckets.Last().Labels["le"]);
            var ends = buckets.SkipLast(1).Select(bucket => double.Parse(bucket.Labels["le"], CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(ends.Distinct().Order(), ends);
            Assert.Equal(buckets.Select(bucket => bucket.Value).Order(), buckets.Select(bucket => bucket.Value));
            Assert.Equal(buckets.Last().Value, samples.Single(sample => sample.Name == name + "_count" && sample.Labels.All(label => buckets.Last().Labels[label.Key] == label.Value)).Value);
        }
    }

    private static MetricSample Sample(string line)
    {
        var match = SampleLine().Match(line);
        Assert.True(match.Success, line);
        var labels = Label().Matches(match.Groups["labels"].Value).ToDictionary(
            label => label.Groups["name"].Value,
            label => label.Groups["value"].Value.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal));
        return new MetricSample(match.Groups["name"].Value, labels, double.Parse(match.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"\A# HELP (?<name>[a-z_]+) \S[^\\]*\z")]
    private static partial Regex Help();

    [GeneratedRegex(@"\A# TYPE (?<name>[a-z_]+) (?<type>gauge|counter|summary|histogram)\z")]
    private static partial Regex Type();

    [GeneratedRegex("""\A(?<name>[a-z_]+)(\{(?<labels>[a-z_]+="([^"\\]|\\["\\n])*"(,[a-z_]+="([^"\\]|\\["\\n])*")*)\})? (?<value>-?[0-9.]+(E[+-]?[0-9]+)?)\z""")]
    private static partial Regex SampleLine();

    [GeneratedRegex("""(?<name>[a-z_]+)="(?<value>([^"\\]|\\["\\n])*)"(,|\z)""")]
    private static partial Regex Label();
}
