using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using FailoverHub.Agent.Configuration.Layers;

namespace FailoverHub.Agent.Configuration.CommandLine;

/// <summary>
/// Everything that is wrong with the settings, each in a sentence that names its flag and says what to do. A flag that was given as a variable or
/// in the file is called by that name instead.
/// </summary>
/// <param name="keys">What they are called.</param>
internal sealed class FlagErrors(SettingKeys keys)
{
    private readonly List<string> _sentences = [];
    private (string Flag, int Index)? _element;

    public IReadOnlyList<string> Sentences => _sentences;

    /// <param name="sentence">With flags as they are typed, two dashes each; it begins with the one that it is about.</param>
    public void Add(string sentence)
    {
        var named = new StringBuilder();
        string? place = null;
        var from = 0;
        for (var at = NextFlag(sentence, 0); at < sentence.Length; at = NextFlag(sentence, from))
        {
            var end = EndOfFlag(sentence, at);
            var flag = sentence[at..end];
            if (named.Length == 0 && from == 0 && keys.IsBroken(flag))
            {
                // It only follows from an error that is said already.
                return;
            }

            var key = keys.Find(flag, _element is { } element && element.Flag == flag ? element.Index : null);
            named.Append(sentence, from, at - from).Append(key?.Name ?? flag);
            place ??= key?.Place;
            from = end;
        }

        named.Append(sentence, from, sentence.Length - from);
        _sentences.Add(place is null ? named.ToString() : $"{place}: {named}");
    }

    /// <summary>The values of a flag, one after the other; what is added in between is about the one at hand.</summary>
    public IEnumerable<string> Each(string flag, ImmutableArray<string> values)
    {
        for (var index = 0; index < values.Length; index++)
        {
            _element = (flag, index);
            yield return values[index];
        }

        _element = null;
    }

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

    // Where the next flag begins; the length of the sentence: there is none.
    private static int NextFlag(string sentence, int from)
    {
        for (var at = from; (at = sentence.IndexOf("--", at, StringComparison.Ordinal)) >= 0; at += 2)
        {
            if (at + 2 < sentence.Length && char.IsAsciiLetterLower(sentence[at + 2]) && (at == 0 || sentence[at - 1] is ' ' or '('))
            {
                return at;
            }
        }

        return sentence.Length;
    }

    private static int EndOfFlag(string sentence, int at)
    {
        var end = at + 2;
        while (end < sentence.Length && (char.IsAsciiLetterLower(sentence[end]) || char.IsAsciiDigit(sentence[end]) || sentence[end] == '-'))
        {
            end++;
        }

        return end;
    }
}
