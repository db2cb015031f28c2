using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Search;

/// <summary>
/// What an entry can be found by, as terms of plain ASCII without a space: its words, a term for each thing that a page filters by, and the
/// year, month, day, hour and minute when it happened. Every filter is then "all of these terms", which a full-text index answers from its
/// lists, newest first, without looking at the rows. Pure.
/// <code>
/// announc  node-a  203.0.113.10/32     a word; one with other than ASCII letters: "~" and a hash
/// =k3f2a…                              kind, pair, node, operation, actor or action: a letter, and a hash of the name
/// =s1  =s2                             at least a warning; critical
/// @d20261129  @h2026112923             the day, the hour
/// </code>
/// </summary>
internal static class SearchTerms
{
    /// <summary>What connects parts of one name: "session-lost", "203.0.113.10/32", "127.34.0.1:1790".</summary>
    private const string Connectors = "-._:/";

    /// <summary>The tokenizer of a full-text index has to take these as parts of a term.</summary>
    public const string TokenCharacters = Connectors + "=@~";

    private const int LongestTerm = 64;

    public static string Of(EventEntity entry)
    {
        var terms = new SortedSet<string>(StringComparer.Ordinal);
        AddWords(terms, entry.Text);
        AddWords(terms, entry.Kind);
        AddWords(terms, entry.Pair);
        AddWords(terms, entry.Node);
        AddWords(terms, entry.Prefix);
        AddName(terms, Kind, entry.Kind);
        AddName(terms, Pair, entry.Pair);
        AddName(terms, Node, entry.Node);
        AddName(terms, Operation, entry.OperationId);
        for (var severity = EventSeverity.Warning; severity <= entry.Severity; severity++)
        {
            terms.Add(AtLeast(severity));
        }

        terms.UnionWith(TimeTerms.Of(entry.AtMs));
        return string.Join(' ', terms);
    }

    public static string Of(AuditEntity entry)
    {
        var terms = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string? text in new[] { entry.Actor, entry.Action, entry.Target, entry.Reason, entry.Outcome })
        {
            AddWords(terms, text);
        }

        var (node, pair) = AuditTarget.Parse(entry.Target);
        AddName(terms, Kind, entry.Action);
        AddName(terms, Pair, pair);
        AddName(terms, Node, node);
        AddName(terms, Actor, entry.Actor);
        AddName(terms, Operation, entry.CorrelationId);
        terms.UnionWith(TimeTerms.Of(entry.AtMs));
        return string.Join(' ', terms);
    }

    /// <summary>The terms that an entry must all have; an empty one: nothing can match. The time is not among them.</summary>
    public static List<string> Of(HistoryFilter filter)
    {
        var terms = new List<string>();
        AddName(terms, Kind, filter.Kind);
        AddName(terms, Pair, filter.Pair);
        AddName(terms, Node, filter.Node);
        AddName(terms, Actor, filter.Actor);
        AddName(terms, Operation, filter.OperationId);
        if (filter.MinimumSeverity is { } severity and > EventSeverity.Info)
        {
            terms.Add(AtLeast(severity));
        }

        string[] wanted = HistoryFilter.WordsOf(filter.Text);
        List<string> words = [.. wanted.Take(HistoryFilter.MaxWords).SelectMany(WordsOfQuery).Distinct(StringComparer.Ordinal)];
        if (words.Count == 0 && wanted.Length > 0)
        {
            // Nothing but punctuation: no entry has that as a word.
            terms.Add("");
        }

        terms.AddRange(words);
        return terms;
    }

    /// <summary>The word without its grammatical ending, for what operators write: plurals, -ed, -ing.</summary>
    public static string Stem(string word)
    {
        if (word.Length < 4 || !word.All(char.IsAsciiLetter))
        {
            return word;
        }

        string stem = word.EndsWith("sses", StringComparison.Ordinal) ? word[..^2]
            : word.EndsWith("ies", StringComparison.Ordinal) ? word[..^3] + "y"
            : word.EndsWith('s') && !word.EndsWith("ss", StringComparison.Ordinal) ? word[..^1]
            : word;
        string bare = stem.EndsWith("ing", StringComparison.Ordinal) ? stem[..^3] : stem.EndsWith("ed", StringComparison.Ordinal) ? stem[..^2] : stem;
        if (bare.Length >= 3 && bare.Length < stem.Length)
        {
            // "stopped" and "stop", but "installed" and "install".
            stem = bare[^1] == bare[^2] && bare[^1] is not ('l' or 's' or 'z') ? bare[..^1] : bare;
        }

        return stem.Length > 3 && stem[^1] == 'e' ? stem[..^1] : stem;
    }

    private const char Kind = 'k';
    private const char Pair = 'p';
    private const char Node = 'n';
    private const char Actor = 'a';
    private const char Operation = 'o';

    private static string AtLeast(EventSeverity severity) => string.Create(CultureInfo.InvariantCulture, $"=s{(int)severity}");

    private static void AddName(ICollection<string> terms, char what, string? name)
    {
        if (name is not null)
        {
            terms.Add($"={what}{Hash(name)}");
        }
    }

    // "203.0.113.10/32" is found by itself, by 203.0.113.10 and by its parts.
    private static void AddWords(SortedSet<string> terms, string? text)
    {
        foreach (string run in Runs(text))
        {
            terms.Add(Term(run));
            foreach (string piece in run.Split('/').Concat(run.Split('/', ':')).Concat(run.Split(Connectors.ToCharArray())))
            {
                if (piece.Trim(Connectors.ToCharArray()) is { Length: > 0 } word)
                {
                    terms.Add(Term(word));
                }
            }
        }
    }

    private static IEnumerable<string> WordsOfQuery(string word)
    {
        bool beginning = word.EndsWith('*');
        string[] runs = [.. Runs(word)];
        for (int i = 0; i < runs.Length; i++)
        {
            // A beginning has no grammatical form yet.
            yield return beginning && i == runs.Length - 1 && runs[i].All(char.IsAscii) ? Cut(runs[i]) + "*" : Term(runs[i]);
        }
    }

    private static string Term(string run) => run.All(char.IsAscii) ? Cut(Stem(run)) : "~" + Hash(run);

    private static string Cut(string run) => run.Length <= LongestTerm ? run : run[..LongestTerm];

    private static string Hash(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)), 0, 8);

    // Runs of letters, digits and what connects them, in lower case.
    private static IEnumerable<string> Runs(string? text)
    {
        var run = new StringBuilder();
        foreach (char c in text ?? "")
        {
            if (char.IsLetterOrDigit(c) || Connectors.Contains(c, StringComparison.Ordinal))
            {
                run.Append(char.ToLowerInvariant(c));
            }
            else if (run.Length > 0)
            {
                if (Finished(run) is { Length: > 0 } word)
                {
                    yield return word;
                }

                run.Clear();
            }
        }

        if (Finished(run) is { Length: > 0 } last)
        {
            yield return last;
        }
    }

    private static string Finished(StringBuilder run) => run.ToString().Trim(Connectors.ToCharArray());
}
