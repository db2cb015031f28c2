using System.Globalization;

namespace FailoverHub.Agent.Configuration;

/// <summary>Everything that is wrong with a command line, each in a sentence that names its flag and says what to do.</summary>
internal sealed class FlagErrors
{
    private readonly List<string> _sentences = [];

    public IReadOnlyList<string> Sentences => _sentences;

    public void Add(string sentence) => _sentences.Add(sentence);

    /// <summary>A whole number; what is no such is an error, and counts as absent.</summary>
    /// <param name="flag">Whose.</param>
    /// <param name="text">As it was typed; null: not given.</param>
    /// <param name="absent">Value of a flag that was not given.</param>
    /// <param name="smallest">Allowed.</param>
    /// <param name="largest">Allowed.</param>
    /// <param name="what">What it should be, for the sentence.</param>
    public long Number(string flag, string? text, long absent, long smallest, long largest, string what)
    {
        if (text is null)
        {
            return absent;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= smallest && value <= largest)
        {
            return value;
        }

        Add($"{flag}: '{text}' is not {what}; give a number from {smallest} to {largest}.");
        return absent;
    }
}
