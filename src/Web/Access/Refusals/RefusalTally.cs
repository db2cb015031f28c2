using System.Collections.Immutable;

namespace FailoverHub.Web.Access.Refusals;

/// <summary>How one refusal gets into the audit.</summary>
internal enum RefusalEntry
{
    /// <summary>By an entry of its own.</summary>
    OneByOne,

    /// <summary>By an entry of its own, which also says that the further ones of this minute are counted.</summary>
    LastOfThisMinute,

    /// <summary>In the number that is told when the minute is over.</summary>
    Counted,
}

/// <summary>Refusals that were counted and not written down one by one.</summary>
/// <param name="Action">What was tried.</param>
/// <param name="Count">How many.</param>
/// <param name="From">When the first of them may have been, UTC.</param>
/// <param name="Until">When the last was, UTC.</param>
/// <param name="Sources">Where they came from and how many from there; "" stands for all that there was no room for.</param>
internal sealed record RefusalSum(string Action, long Count, DateTimeOffset From, DateTimeOffset Until, ImmutableDictionary<string, long> Sources)
{
    /// <summary>Pure. Both as one.</summary>
    public RefusalSum With(RefusalSum other) => new(
        Action,
        Count + other.Count,
        From < other.From ? From : other.From,
        Until > other.Until ? Until : other.Until,
        other.Sources.Aggregate(Sources, (all, one) => RefusalTally.Add(all, one.Key, one.Value)));
}

/// <summary>
/// How many refusals of one kind are written into the audit one by one in a minute. Whoever is refused needs no rights, so without a bound he would fill
/// the disk; the rest are counted with where they came from, and <see cref="RefusalReports"/> tells the number when the minute is over. Its memory is bounded
/// by <see cref="MostMinutes"/> and <see cref="MostSources"/>. Strangers share the minute of a kind; whoever is known has one of his own, so that no flood of strangers, and nobody
/// else's script, keeps what he tries from being written down.
/// </summary>
internal sealed class RefusalTally(TimeProvider time)
{
    /// <summary>Of one kind in a minute.</summary>
    public const int OneByOne = 60;

    /// <summary>That are told apart in one minute; those of more are counted as one.</summary>
    public const int MostSources = 4_096;

    /// <summary>That are open at once, of kinds and of those who are known; beyond it the known share the strangers'.</summary>
    public const int MostMinutes = 1_024;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Action, string Known), Minute> _open = [];
    private readonly Dictionary<string, RefusalSum> _over = new(StringComparer.Ordinal);
    private TaskCompletionSource _counted = New();

    /// <summary>Done while something is counted that nobody has taken.</summary>
    public Task Counted
    {
        get
        {
            lock (_gate)
            {
                return _counted.Task;
            }
        }
    }

    /// <summary>Something was refused.</summary>
    /// <param name="action">What was tried, as the audit calls it.</param>
    /// <param name="from">From where, or by whom.</param>
    /// <param name="isKnown">By whom: the hub knows him, by a session or a token.</param>
    public RefusalEntry Note(string action, string from, bool isKnown = false)
    {
        lock (_gate)
        {
            Minute minute = MinuteOf(action, isKnown ? from : "");
            minute.All++;
            if (minute.All <= OneByOne)
            {
                return minute.All == OneByOne ? RefusalEntry.LastOfThisMinute : RefusalEntry.OneByOne;
            }

            Count(minute, from);
            return RefusalEntry.Counted;
        }
    }

    /// <summary>The same for what gets no entry of its own in any case.</summary>
    public void Count(string action, string from)
    {
        lock (_gate)
        {
            Count(MinuteOf(action, ""), from);
        }
    }

    /// <summary>What was counted in minutes that are over; from then on it is whoever took it that has to tell it.</summary>
    /// <param name="all">Those that are not over as well.</param>
    public ImmutableArray<RefusalSum> Take(bool all = false)
    {
        lock (_gate)
        {
            CloseWhere(minute => all || IsOver(minute));

            ImmutableArray<RefusalSum> taken = [.. _over.Values];
            _over.Clear();
            if (_counted.Task.IsCompleted && _open.Values.All(m => m.Counted == 0))
            {
                _counted = New();
            }

            return taken;
        }
    }

    /// <summary>It could not be told yet.</summary>
    public void PutBack(IEnumerable<RefusalSum> sums)
    {
        lock (_gate)
        {
            foreach (RefusalSum sum in sums)
            {
                Keep(sum);
                _counted.TrySetResult();
            }
        }
    }

    /// <summary>Pure. One more source, as long as there is room.</summary>
    internal static ImmutableDictionary<string, long> Add(ImmutableDictionary<string, long> sources, string from, long count)
    {
        string key = sources.ContainsKey(from) || sources.Count < MostSources ? from : "";
        return sources.SetItem(key, sources.GetValueOrDefault(key) + count);
    }

    private Minute MinuteOf(string action, string known)
    {
        if (_open.TryGetValue((action, known), out Minute? minute) && !IsOver(minute))
        {
            return minute;
        }

        if (_open.Count >= MostMinutes)
        {
            CloseWhere(IsOver);
        }

        if (known.Length > 0 && _open.Count >= MostMinutes)
        {
            return MinuteOf(action, "");
        }

        Close((action, known));
        return _open[(action, known)] = new Minute { Began = time.GetTimestamp(), BeganAt = time.GetUtcNow() };
    }

    private void Count(Minute minute, string from)
    {
        minute.Counted++;
        minute.LastAt = time.GetUtcNow();
        string key = minute.Sources.ContainsKey(from) || minute.Sources.Count < MostSources ? from : "";
        minute.Sources[key] = minute.Sources.GetValueOrDefault(key) + 1;
        _counted.TrySetResult();
    }

    private bool IsOver(Minute minute) => time.GetElapsedTime(minute.Began) >= Window;

    private void CloseWhere(Func<Minute, bool> wanted)
    {
        foreach ((string, string) key in _open.Where(m => wanted(m.Value)).Select(m => m.Key).ToArray())
        {
            Close(key);
        }
    }

    private void Close((string Action, string Known) key)
    {
        if (_open.Remove(key, out Minute? minute) && minute.Counted > 0)
        {
            Keep(new RefusalSum(key.Action, minute.Counted, minute.BeganAt, minute.LastAt, minute.Sources.ToImmutableDictionary(StringComparer.Ordinal)));
        }
    }

    private void Keep(RefusalSum sum) => _over[sum.Action] = _over.TryGetValue(sum.Action, out RefusalSum? before) ? before.With(sum) : sum;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Minute
    {
        public required long Began { get; init; }

        public required DateTimeOffset BeganAt { get; init; }

        public Dictionary<string, long> Sources { get; } = new(StringComparer.Ordinal);

        public DateTimeOffset LastAt { get; set; }

        public long All { get; set; }

        public long Counted { get; set; }
    }
}
