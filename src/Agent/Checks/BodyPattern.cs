using System.Text.RegularExpressions;

namespace FailoverHub.Agent.Checks;

/// <summary>What the body of an answer must have in it: a text as it stands, or a regular expression.</summary>
internal sealed record BodyPattern
{
    /// <summary>Characters.</summary>
    public const int LongestPattern = 1000;

    // An expression can be slow on the body that breaks it, and a probe has its own timeout anyway.
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(250);

    private readonly Regex? _expression;

    private BodyPattern(string text, Regex? expression)
    {
        Text = text;
        _expression = expression;
    }

    public string Text { get; }

    public bool IsExpression => _expression is not null;

    /// <summary>The body has this text in it, letter for letter.</summary>
    public static BodyPattern Containing(string text) => new(text, null);

    /// <summary>False: it is no regular expression, and the problem says why.</summary>
    public static bool TryMatching(string expression, out BodyPattern? pattern, out string problem)
    {
        pattern = null;
        if (expression.Length > LongestPattern)
        {
            problem = $"a regular expression of {expression.Length} characters is longer than {LongestPattern}.";
            return false;
        }

        try
        {
            pattern = new BodyPattern(expression, new BoundedRegex(expression));
            problem = "";
            return true;
        }
        catch (ArgumentException exception)
        {
            problem = $"'{expression}' is no regular expression: {exception.Message}";
            return false;
        }
    }

    /// <summary>Null: it has; else why not, in words.</summary>
    public string? Miss(string body)
    {
        if (_expression is null)
        {
            return body.Contains(Text, StringComparison.Ordinal) ? null : $"the body has no '{Text}' in it";
        }

        try
        {
            return _expression.IsMatch(body) ? null : $"the body does not match '{Text}'";
        }
        catch (RegexMatchTimeoutException)
        {
            return $"matching the body against '{Text}' took more than {_patience.TotalMilliseconds:0} ms; use a simpler expression";
        }
    }

    public bool Equals(BodyPattern? other) => other is not null && Text == other.Text && IsExpression == other.IsExpression;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    // Regex's constructor that takes a patience takes options too, and with them the whole engine of RegexOptions.NonBacktracking into the file (docs/adr/0013).
    // The one that takes neither leaves it out; the patience is a field for those who derive. Cultures do not differ here: the agent is culture-invariant.
    private sealed class BoundedRegex : Regex
    {
        public BoundedRegex(string expression)
            : base(expression) => internalMatchTimeout = _patience;
    }
}
