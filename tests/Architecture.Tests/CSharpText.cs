using System.Text;

namespace FailoverHub.Architecture.Tests;

/// <summary>
/// C# without its comments and texts, so that a rule is not broken by a sentence about it. Knows //, /* */, 'c', "text", @"text", raw texts and
/// their interpolated forms; code inside of an interpolation counts as text.
/// </summary>
internal static class CSharpText
{
    /// <summary>The same text with blanks for comments and texts; line breaks stay, so line numbers do.</summary>
    public static string CodeOnly(string source)
    {
        var code = new StringBuilder(source.Length);
        var at = 0;
        while (at < source.Length)
        {
            var end = EndOfNonCode(source, at);
            if (end == at)
            {
                code.Append(source[at++]);
                continue;
            }

            for (; at < end; at++)
            {
                code.Append(source[at] is '\n' or '\r' ? source[at] : ' ');
            }
        }

        return code.ToString();
    }

    /// <summary>What stands between the quotes of every text, by the line on which it begins, from 1.</summary>
    public static IEnumerable<(int Line, string Text)> TextsOf(string source)
    {
        var (at, line) = (0, 1);
        while (at < source.Length)
        {
            var end = Math.Max(EndOfNonCode(source, at), at + 1);
            var part = source[at..end];
            if (part.Length > 1 && part[0] is '"' or '$' or '@')
            {
                yield return (line, part.TrimStart('$', '@').Trim('"'));
            }

            line += part.Count(c => c == '\n');
            at = end;
        }
    }

    // Where the comment or text that begins here ends; the same place when none begins here.
    private static int EndOfNonCode(string source, int at)
    {
        var rest = source.AsSpan(at);
        if (rest.StartsWith("//"))
        {
            var end = source.IndexOf('\n', at);
            return end < 0 ? source.Length : end;
        }

        if (rest.StartsWith("/*"))
        {
            return After(source, "*/", at + 2);
        }

        if (rest[0] == '\'')
        {
            return EndOfCharacter(source, at);
        }

        var quote = at;
        while (quote < source.Length && source[quote] is '$' or '@')
        {
            quote++;
        }

        if (quote >= source.Length || source[quote] != '"')
        {
            return at;
        }

        var quotes = 0;
        while (quote + quotes < source.Length && source[quote + quotes] == '"')
        {
            quotes++;
        }

        if (quotes >= 3)
        {
            return After(source, new string('"', quotes), quote + quotes);
        }

        return source.AsSpan(at, quote - at).Contains('@') ? EndOfVerbatim(source, quote + 1) : EndOfPlain(source, quote + 1);
    }

    private static int EndOfCharacter(string source, int at)
    {
        // Razor text has apostrophes: only what is a character literal is one.
        var close = at + 1 < source.Length && source[at + 1] == '\\' ? source.IndexOf('\'', Math.Min(at + 3, source.Length)) : at + 2;
        return close > 0 && close < source.Length && close - at <= 12 && source[close] == '\'' ? close + 1 : at;
    }

    private static int EndOfPlain(string source, int at)
    {
        for (; at < source.Length && source[at] != '\n'; at++)
        {
            if (source[at] == '\\')
            {
                at++;
            }
            else if (source[at] == '"')
            {
                return at + 1;
            }
        }

        return Math.Min(at, source.Length);
    }

    private static int EndOfVerbatim(string source, int at)
    {
        for (; at < source.Length; at++)
        {
            if (source[at] != '"')
            {
                continue;
            }

            if (at + 1 >= source.Length || source[at + 1] != '"')
            {
                return at + 1;
            }

            at++;
        }

        return source.Length;
    }

    private static int After(string source, string end, int from)
    {
        var found = source.IndexOf(end, Math.Min(from, source.Length), StringComparison.Ordinal);
        return found < 0 ? source.Length : found + end.Length;
    }
}
