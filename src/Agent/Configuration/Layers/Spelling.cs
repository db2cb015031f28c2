namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>What somebody may have meant.</summary>
internal static class Spelling
{
    /// <summary>The most like it, when it is like it at all: two slips of the pen, one for a short word, whatever the case.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        // Whoever writes novels into a key is not helped by arithmetic on them.
        if (word.Length > 64)
        {
            return null;
        }

        var bound = word.Length <= 4 ? 1 : 2;
        return known
            .Select(candidate => (Candidate: candidate, Distance: Distance(Plain(word), Plain(candidate))))
            .Where(item => item.Distance <= bound)
            .OrderBy(item => item.Distance)
            .Select(item => item.Candidate)
            .FirstOrDefault();
    }

    // hold_time, hold-time and holdtime are one slip less than they look.
    private static string Plain(string word) => string.Concat(word.Where(char.IsLetterOrDigit)).ToUpperInvariant();

    // Levenshtein's, one row at a time.
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (from[i - 1] == to[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
