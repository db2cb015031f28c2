namespace FailoverHub.Web.Reachability.Outages;

/// <summary>
/// Where the time of one move of a pair ends and that of the next begins: each is measured from some time before it until some time after, and what is lost in between is to count once.
/// Remembers the newest moves of each pair; pure.
/// </summary>
internal sealed class MoveBorders
{
    private const int MostOfPair = 8;

    private readonly Dictionary<string, List<Span>> _byPair = [];

    /// <summary>An operation is moving addresses of the pair; seen again and again until it has ended.</summary>
    public void Moving(string pairId, string operation, DateTimeOffset now)
    {
        Span span = OfPair(pairId).Find(s => s.Operation == operation) ?? new Span(operation, now - OutageWatch.BeforePlanned, now, now);
        Keep(pairId, span with { SettledAt = now + OutageWatch.Settling });
    }

    /// <summary>What is known of a move now; it takes the place of what was known of it before.</summary>
    public void Add(Move move)
    {
        // Of an operation that was only seen to go on the steps are known now.
        OfPair(move.PairId).RemoveAll(s => s.Operation is not null && s.Operation == move.OperationId);
        foreach (Move part in move.Parts)
        {
            Keep(move.PairId, SpanOf(part));
        }
    }

    /// <summary>The pair is gone.</summary>
    public void Forget(string pairId) => _byPair.Remove(pairId);

    /// <summary>The move with its borders as they are known now.</summary>
    public Move Set(Move move) => SetPart(move) with { TakenBack = [.. move.TakenBack.Select(SetPart)] };

    /// <summary>Those probes that say something of the move: from the last answer before the earlier border to the first answer behind the later one. So a silence that goes on over a border counts for both moves, and whole.</summary>
    /// <param name="samples">Oldest first.</param>
    /// <param name="move">The move.</param>
    public static IReadOnlyList<ProbeSample> Within(IReadOnlyList<ProbeSample> samples, Move move)
    {
        List<ProbeSample> all = [.. samples];
        int first = move.BorderBefore is { } before ? Math.Max(0, all.FindLastIndex(s => s.Answered && s.At < before)) : 0;
        int last = move.BorderAfter is { } after ? all.FindIndex(s => s.Answered && s.At >= after) : -1;
        return all[first..(last < first ? all.Count : last + 1)];
    }

    private Move SetPart(Move move)
    {
        List<Span> others = OfPair(move.PairId).FindAll(s => move.OperationId is null ? s.At != move.At : s.Operation != move.OperationId);
        Span own = SpanOf(move);
        return move with
        {
            BorderBefore = others.Where(s => s.At < move.At).MaxBy(s => s.At) is { } earlier ? BorderOf(earlier, own) : null,
            BorderAfter = others.Where(s => s.At > move.At).MinBy(s => s.At) is { } later ? BorderOf(own, later) : null,
        };
    }

    private static Span SpanOf(Move move) => new(move.OperationId, move.Since, move.At, move.OperationId is null ? move.SettledAt + OutageWatch.Settling : move.SettledAt);

    /// <summary>Where the earlier one had settled, as far as the later one's time reaches.</summary>
    private static DateTimeOffset BorderOf(Span earlier, Span later)
    {
        DateTimeOffset settled = earlier.SettledAt < later.At ? earlier.SettledAt : later.At;
        return settled > later.Since ? settled : later.Since;
    }

    private List<Span> OfPair(string pairId) => _byPair.GetValueOrDefault(pairId) ?? [];

    private void Keep(string pairId, Span span)
    {
        List<Span> spans = OfPair(pairId);
        spans.RemoveAll(s => s.Operation == span.Operation && s.At == span.At);
        spans.Add(span);
        if (spans.Count > MostOfPair)
        {
            spans.RemoveAt(0);
        }

        _byPair[pairId] = spans;
    }

    private sealed record Span(string? Operation, DateTimeOffset Since, DateTimeOffset At, DateTimeOffset SettledAt);
}
