using System.Collections.Immutable;
using System.Text;

namespace FailoverHub.Agent.Checks;

/// <summary>
/// A line as it stands behind <c>script</c> in a <c>vrrp_script</c> of keepalived. Its words, with quotes and backslashes, are the program
/// and its arguments; a line that only a shell understands (older keepalived gave every line to one) is given to <c>/bin/sh -c</c>.
/// </summary>
internal static class CommandWords
{
    private const string ShellsOnly = "|&;<>()$`*?[]{}~#!\n";

    /// <summary>Empty: there is no word in it.</summary>
    public static ImmutableArray<string> Split(string line)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        var word = new StringBuilder();
        var begun = false;
        char? quote = null;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote is not null)
            {
                if (c == quote)
                {
                    quote = null;
                }
                else if (c is '$' or '`' && quote == '"')
                {
                    return Shell(line);
                }
                else
                {
                    word.Append(c == '\\' && quote == '"' && i + 1 < line.Length && line[i + 1] is '"' or '\\' ? line[++i] : c);
                }
            }
            else if (char.IsWhiteSpace(c) && c != '\n')
            {
                if (begun)
                {
                    words.Add(word.ToString());
                    word.Clear();
                    begun = false;
                }

                continue;
            }
            else if (c is '"' or '\'')
            {
                quote = c;
            }
            else if (ShellsOnly.Contains(c, StringComparison.Ordinal) || (c == '=' && words.Count == 0))
            {
                return Shell(line);
            }
            else
            {
                word.Append(c == '\\' && i + 1 < line.Length ? line[++i] : c);
            }

            begun = true;
        }

        if (quote is not null)
        {
            // The shell says what is wrong with it.
            return Shell(line);
        }

        if (begun)
        {
            words.Add(word.ToString());
        }

        return words.ToImmutable();
    }

    private static ImmutableArray<string> Shell(string line) => ["/bin/sh", "-c", line];
}
