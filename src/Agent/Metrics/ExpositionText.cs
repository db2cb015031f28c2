using System.Globalization;
using System.Text;

namespace FailoverHub.Agent.Metrics;

/// <summary>
/// Writes Prometheus' text format, version 0.0.4: of each family its help and type once, then its samples. Every value is a number of seconds, octets or things.
/// </summary>
internal sealed class ExpositionText
{
    private readonly StringBuilder _text = new();
    private string _family = "";

    /// <summary>Begins a family; the samples that follow are of it.</summary>
    /// <param name="name">Letters, digits and underscores.</param>
    /// <param name="type"><c>gauge</c>, <c>counter</c>, <c>summary</c> or <c>histogram</c>.</param>
    /// <param name="help">A line.</param>
    public ExpositionText Family(string name, string type, string help)
    {
        _family = name;
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        return this;
    }

    /// <param name="value">Of the sample.</param>
    /// <param name="labels">Names and values; a value may be any text.</param>
    public ExpositionText Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels) => Sample("", value, labels);

    /// <param name="suffix">Behind the family's name: <c>_sum</c>.</param>
    /// <param name="value">Of the sample.</param>
    /// <param name="labels">Names and values; a value may be any text.</param>
    public ExpositionText Sample(string suffix, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(_family).Append(suffix);
        for (var index = 0; index < labels.Length; index++)
        {
            _text.Append(index == 0 ? '{' : ',').Append(labels[index].Name).Append("=\"");
            Escape(labels[index].Value);
            _text.Append(index == labels.Length - 1 ? "\"}" : "\"");
        }

        _text.Append(' ').Append(double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        return this;
    }

    public override string ToString() => _text.ToString();

    private void Escape(string value)
    {
        foreach (var character in value)
        {
            _ = character switch
            {
                '\\' => _text.Append("\\\\"),
                '"' => _text.Append("\\\""),
                '\n' => _text.Append("\\n"),
                _ => _text.Append(character),
            };
        }
    }
}
