namespace FailoverHub.Bench.Report;

/// <summary>One row of the table: the same question to every subject; less is better.</summary>
/// <param name="key">A stable word for machines.</param>
/// <param name="title">For people.</param>
/// <param name="unit">Of every sample.</param>
internal sealed class Row(string key, string title, string unit)
{
    private readonly Dictionary<string, List<double>> _samples = [];

    public string Key => key;

    public string Title => title;

    public string Unit => unit;

    /// <summary>By subject, in the order of their coming.</summary>
    public IReadOnlyDictionary<string, List<double>> Samples => _samples;

    public void Add(string subject, double sample)
    {
        if (!_samples.TryGetValue(subject, out var list))
        {
            _samples[subject] = list = [];
        }

        list.Add(sample);
    }

    /// <summary>Null: the subject was not asked.</summary>
    public double? Median(string subject) => _samples.TryGetValue(subject, out var samples) ? Statistics.Quantile(samples, 0.5) : null;
}

internal static class Statistics
{
    /// <param name="samples">At least one, in any order.</param>
    /// <param name="part">0.5: the median.</param>
    public static double Quantile(IEnumerable<double> samples, double part)
    {
        var sorted = samples.Order().ToList();
        var at = part * (sorted.Count - 1);
        var below = (int)at;
        return below + 1 < sorted.Count ? sorted[below] + ((at - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}
