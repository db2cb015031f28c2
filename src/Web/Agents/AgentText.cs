using System.Globalization;

namespace FailoverHub.Web.Agents;

/// <summary>
/// Texts of agents as the hub keeps and shows them: one line, no longer than it may be, and nothing in them that moves a cursor, turns the
/// direction of writing or cannot be encoded.
/// </summary>
internal static class AgentText
{
    /// <summary>The longest sentence.</summary>
    public const int MaxSentence = 1_000;

    /// <summary>The longest name, word or number.</summary>
    public const int MaxWord = 128;

    private const int MaxOutput = 200;

    public static string Sentence(string text) => Clean(text, MaxSentence);

    public static string Word(string text) => Clean(text, MaxWord);

    /// <summary>What a command wrote: several lines become one.</summary>
    public static string Output(string text) => string.Join(' ', Clean(text, MaxOutput).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>A name that agents choose for themselves and that is only compared: nothing in it needs cleaning.</summary>
    public static bool IsPlain(string name) => name.Length is > 0 and <= MaxWord && name.All(c => c is > ' ' and <= '~');

    /// <summary>Pure. Surrogates that stand alone, also where the end was cut off, become U+FFFD: a database that is strict about UTF-8 would refuse them.</summary>
    internal static string Clean(string text, int most)
    {
        ReadOnlySpan<char> cut = text.AsSpan(0, Math.Min(text.Length, most));
        return string.Create(cut.Length, text, static (clean, text) =>
        {
            for (int i = 0; i < clean.Length; i++)
            {
                char c = text[i];
                bool pair = char.IsHighSurrogate(c) ? i + 1 < clean.Length && char.IsLowSurrogate(text[i + 1]) : char.IsLowSurrogate(c) && i > 0 && char.IsHighSurrogate(text[i - 1]);
                clean[i] = char.IsSurrogate(c) ? (pair ? c : '\uFFFD') : IsInvisible(c) ? ' ' : c;
            }
        });
    }

    private static bool IsInvisible(char c) => char.IsControl(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
