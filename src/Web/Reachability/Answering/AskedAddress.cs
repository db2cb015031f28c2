using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>What changed in who answers on an address. A closed family.</summary>
internal abstract record AnswerFinding(AnswerTarget Target, string Text)
{
    /// <summary>Something is wrong from now on.</summary>
    public sealed record Began(AnswerTarget Target, AnswerMark Mark) : AnswerFinding(Target, Mark.Text);

    /// <summary>It is no longer so.</summary>
    public sealed record Ended(AnswerTarget Target, AnswerMark Mark, string Text) : AnswerFinding(Target, Text);

    /// <summary>Answers of the same node come over another number of hops.</summary>
    public sealed record OtherWay(AnswerTarget Target, string Node, int Before, int Now)
        : AnswerFinding(Target, $"Answers of {Node} on {Target.Address} come with TTL {Now} instead of {Before}: they take another way.");
}

/// <summary>
/// One shared address and who answered there lately. Pure: each method is given the time. A switchover is one change from a node to another; a split is that it does
/// not stay with that.
/// </summary>
internal sealed class AskedAddress(AnswerTarget target)
{
    /// <summary>How far back it is looked whether two answer in turn, and how long only one has to before they do not.</summary>
    public static readonly TimeSpan SplitWindow = TimeSpan.FromSeconds(6);

    /// <summary>From the first change to the last before it is a split: routes that follow each other settle sooner.</summary>
    public static readonly TimeSpan SplitSpan = TimeSpan.FromSeconds(2);

    /// <summary>Another node answers than the primary for so long before it is said: a route follows an announcement within seconds.</summary>
    public static readonly TimeSpan ElsewhereAfter = TimeSpan.FromSeconds(3);

    /// <summary>The same while an operation moves it.</summary>
    public static readonly TimeSpan ElsewhereWhileMoving = TimeSpan.FromSeconds(10);

    /// <summary>A false answer is held against the address for so long.</summary>
    public static readonly TimeSpan ForgedFor = TimeSpan.FromSeconds(30);

    /// <summary>What changes is asked closely for so long.</summary>
    public static readonly TimeSpan CloseFor = TimeSpan.FromSeconds(10);

    private const int SplitChanges = 3;
    private const int MostKept = 256;
    private const int MostWays = 8;
    private const int SameWay = 3;

    private static readonly TimeSpan TellOfWaysEvery = TimeSpan.FromMinutes(1);

    private readonly List<(TimeSpan SentAt, string Node)> _recent = [];
    private readonly Dictionary<string, Way> _ways = [];
    private (string Node, Moment SentAt, int? Ttl)? _newest;
    private TimeSpan _announcedAt = TimeSpan.MinValue;
    private TimeSpan? _disagreesSince;
    private TimeSpan _closeUntil;
    private TimeSpan? _toldOfWayAt;
    private (Moment At, string Text)? _forged;
    private AnswerMark? _mark;

    public AnswerTarget Target { get; private set; } = target;

    /// <summary>When it is asked next, and at which of its ports.</summary>
    public TimeSpan Due { get; set; }

    /// <summary>It is not asked any more.</summary>
    public bool Gone { get; set; }

    /// <summary>Counts the questions: ports are asked in turn.</summary>
    public int Asked { get; set; }

    /// <summary>It is asked more often.</summary>
    public bool IsClose(TimeSpan now) => Target.Moving || now < _closeUntil;

    /// <summary>The fleet is another.</summary>
    public void Follow(AnswerTarget target, TimeSpan now)
    {
        if (target.Announced != Target.Announced)
        {
            _announcedAt = now;
            _disagreesSince = null;
            _closeUntil = now + CloseFor;
        }

        Target = target;
    }

    /// <summary>A node has proved that it answers.</summary>
    /// <param name="node">Its name; of one that is not in the fleet any more, words for it.</param>
    /// <param name="sentAt">When it was asked.</param>
    /// <param name="ttl">Of its answer.</param>
    public AnswerFinding? Answered(string node, Moment sentAt, int? ttl)
    {
        if (_newest is { } before && before.SentAt.Uptime > sentAt.Uptime)
        {
            // Overtaken by the answer to a later question.
            return null;
        }

        if (_newest is { } other && other.Node != node)
        {
            _closeUntil = sentAt.Uptime + CloseFor;
        }

        _newest = (node, sentAt, ttl);
        _recent.Add((sentAt.Uptime, node));
        _recent.RemoveAll(old => sentAt.Uptime - old.SentAt > SplitWindow);
        if (_recent.Count > MostKept)
        {
            _recent.RemoveAt(0);
        }

        _disagreesSince = Disagrees(node) && sentAt.Uptime > _announcedAt ? _disagreesSince ?? sentAt.Uptime : null;
        return ttl is { } hops ? Follow(node, hops, sentAt.Uptime) : null;
    }

    /// <summary>Somebody answers whose proof is wrong.</summary>
    public void Lied(string label, Moment sentAt)
    {
        _forged = (sentAt, $"Somebody answers on {Target.Address} as {label} and cannot prove it: the digest is not that node's. Another machine has the address, or something on the way answers in its place.");
        _closeUntil = sentAt.Uptime + CloseFor;
    }

    /// <summary>What is wrong now; to be asked again and again, for some of it ends by time alone.</summary>
    public IEnumerable<AnswerFinding> Judge(Moment now)
    {
        var mark = Mark(now);
        if (mark?.Kind != _mark?.Kind)
        {
            if (_mark is { } over)
            {
                yield return new AnswerFinding.Ended(Target, over, End(over, now));
            }

            _mark = mark;
            if (mark is not null)
            {
                yield return new AnswerFinding.Began(Target, mark);
            }
        }
        else if (mark is not null && mark.Text != _mark!.Text)
        {
            _mark = mark with { Since = _mark.Since };
        }
    }

    /// <summary>Who answers, null when nothing is known of it. What was asked before the announcements changed says nothing about now.</summary>
    public PrefixAnswer? CurrentAt(Moment now) => _newest is { } newest && newest.SentAt.Uptime > _announcedAt && now.Uptime - newest.SentAt.Uptime <= PrefixAnswer.FreshFor
        ? new PrefixAnswer(Target.Prefix, _mark is { Kind: AnswerMarkKind.Split } ? null : newest.Node, newest.SentAt, newest.Ttl, _mark)
        : _mark is { Kind: AnswerMarkKind.Forged } ? new PrefixAnswer(Target.Prefix, null, now, null, _mark) : null;

    private bool Disagrees(string node) => !Target.Members.Contains(node, StringComparer.OrdinalIgnoreCase) || (Target.Primary is { } primary && !Same(primary, node));

    private AnswerMark? Mark(Moment now)
    {
        if (_forged is { } forged && now.Uptime - forged.At.Uptime <= ForgedFor)
        {
            return new AnswerMark(AnswerMarkKind.Forged, forged.Text, forged.At.Wall);
        }

        _forged = null;
        if (_newest is not { } newest || now.Uptime - newest.SentAt.Uptime > PrefixAnswer.FreshFor)
        {
            return null;
        }

        if (IsSplit())
        {
            return new AnswerMark(AnswerMarkKind.Split, $"{Names()} answer on {Target.Address} in turn: some clients reach the one and some the other.", newest.SentAt.Wall);
        }

        var patience = Target.Moving ? ElsewhereWhileMoving : ElsewhereAfter;
        return _disagreesSince is { } since && newest.SentAt.Uptime - since >= patience
            ? new AnswerMark(AnswerMarkKind.Elsewhere, Elsewhere(newest.Node), newest.SentAt.Wall)
            : null;
    }

    private bool IsSplit()
    {
        if (_mark is { Kind: AnswerMarkKind.Split })
        {
            // It lasts until one of them has answered alone for as long as is looked back.
            return _recent.Select(r => r.Node).Distinct().Skip(1).Any();
        }

        var changes = 0;
        var (first, last) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var i = 1; i < _recent.Count; i++)
        {
            if (!Same(_recent[i].Node, _recent[i - 1].Node))
            {
                last = _recent[i].SentAt;
                first = changes++ == 0 ? last : first;
            }
        }

        return changes >= SplitChanges && last - first >= SplitSpan;
    }

    private string Elsewhere(string node) =>
        !Target.Members.Contains(node, StringComparer.OrdinalIgnoreCase) ? $"{node} answers on {Target.Address}, and is no node of {Target.Pair}."
        : $"{node} answers on {Target.Address}, though {Target.Primary} announces it as primary: the route servers do not send it where the nodes think that it goes.";

    private string End(AnswerMark over, Moment now)
    {
        var who = _newest is { } newest && now.Uptime - newest.SentAt.Uptime <= PrefixAnswer.FreshFor ? $"only {newest.Node} answers there now" : "nobody answers there now";
        return over.Kind switch
        {
            AnswerMarkKind.Split => $"Nodes no longer answer on {Target.Address} in turn: {who}.",
            AnswerMarkKind.Forged => $"Nobody has answered on {Target.Address} with a false digest for {ForgedFor.TotalSeconds:0} s: {who}.",
            _ => $"The node that answers on {Target.Address} is again the one that should, or it is not known: {who}.",
        };
    }

    private string Names() => string.Join(" and ", _recent.Select(r => r.Node).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal));

    // Kept of each node apart: that two nodes are at different distances is no news.
    private AnswerFinding.OtherWay? Follow(string node, int ttl, TimeSpan now)
    {
        if (!_ways.TryGetValue(node, out var way))
        {
            if (_ways.Count < MostWays)
            {
                _ways.Add(node, new Way { Ttl = ttl });
            }

            return null;
        }

        if (ttl == way.Ttl)
        {
            way.Seen = 0;
            return null;
        }

        way.Seen = ttl == way.Next ? way.Seen + 1 : 1;
        way.Next = ttl;
        if (way.Seen < SameWay)
        {
            return null;
        }

        var before = way.Ttl;
        (way.Ttl, way.Seen) = (ttl, 0);
        if (_toldOfWayAt is { } told && now - told < TellOfWaysEvery)
        {
            return null;
        }

        _toldOfWayAt = now;
        return new AnswerFinding.OtherWay(Target, node, before, ttl);
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private sealed class Way
    {
        public int Ttl { get; set; }

        public int Next { get; set; }

        public int Seen { get; set; }
    }
}
