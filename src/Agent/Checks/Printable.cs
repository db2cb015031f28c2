using System.Globalization;
using System.Text;

namespace FailoverHub.Agent.Checks;

/// <summary>Makes what others wrote fit to be shown: on one line, without anything that a terminal or a page would obey.</summary>
internal static class Printable
{
    /// <summary>Characters of an answer's or a command's own words in a result.</summary>
    public const int Longest = 1024;

    /// <summary>Runs of white space become one blank, everything that is not to be seen becomes a question mark; the end of a long text is kept.</summary>
    public static string Of(string text, int longest = Longest)
    {
        var harmless = new StringBuilder(Math.Min(text.Length, longest));
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune))
            {
                if (harmless.Length > 0 && harmless[^1] != ' ')
                {
                    harmless.Append(' ');
                }

                continue;
            }

            var hidden = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
            harmless.Append(hidden || rune == Rune.ReplacementChar ? "?" : rune.ToString());
        }

        var all = harmless.ToString().TrimEnd();
        return all.Length <= longest ? all : "..." + all[SafeStart(all, all.Length - longest + 3)..];
    }

    /// <summary>The beginning of a text, for where there is little room.</summary>
    public static string Shortened(string text, int longest)
    {
        if (text.Length <= longest)
        {
            return text;
        }

        var end = longest - 3;
        return text[..(char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)] + "...";
    }

    private static int SafeStart(string text, int start) => char.IsLowSurrogate(text[start]) ? start + 1 : start;
}
