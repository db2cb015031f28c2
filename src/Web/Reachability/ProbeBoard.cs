using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Reachability;

/// <summary>
/// What the prober knows and does next, pure: targets and results in, what is due and what changed out. Owned by one loop. `now` is time
/// since that loop began, monotonic; wall-clock times are only passed through.
/// </summary>
internal sealed class ProbeBoard(TimeSpan period)
{
    /// <summary>Two in a row: one lost packet is no outage.</summary>
    private const int FailuresThatMeanLost = 2;

    private readonly SortedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<IPNetwork, Entry> _byPrefix = [];

    // Those with no probe out, soonest first: a turn must not look at each of them.
    private readonly SortedSet<Entry> _waiting = new(Comparer<Entry>.Create((a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : string.CompareOrdinal(a.Key, b.Key)));

    /// <summary>When the next probe is due; null: nothing is to be probed.</summary>
    public TimeSpan? NextDue => _waiting.Min?.Due;

    /// <summary>Takes over what is to be probed from now on; what stays keeps its history. True: something changed.</summary>
    public bool SetTargets(ImmutableArray<ProbeTarget> targets, TimeSpan now)
    {
        bool changed = false;
        var wanted = targets.ToDictionary(t => t.Prefix.ToString(), StringComparer.Ordinal);
        foreach (string gone in _entries.Keys.Where(k => !wanted.ContainsKey(k)).ToArray())
        {
            _waiting.Remove(_entries[gone]);
            _byPrefix.Remove(_entries[gone].Target.Prefix);
            changed |= _entries.Remove(gone);
        }

        foreach ((string key, ProbeTarget target) in wanted)
        {
            if (_entries.TryGetValue(key, out Entry? known))
            {
                known.Target = target;
            }
            else
            {
                var entry = new Entry(key, target) { Due = now + Phase(key) };
                _entries.Add(key, entry);
                _byPrefix.Add(target.Prefix, entry);
                _waiting.Add(entry);
                changed = true;
            }
        }

        return changed;
    }

    /// <summary>
    /// What is to be sent now, longest overdue first, and how late each is. A target whose last probe is still out waits for it. Whoever
    /// gets one has to answer with <see cref="Record"/> or <see cref="CannotProbe"/>.
    /// </summary>
    public ImmutableArray<(ProbeTarget Target, TimeSpan Lateness)> TakeDue(TimeSpan now, int most)
    {
        var due = ImmutableArray.CreateBuilder<(ProbeTarget, TimeSpan)>();
        while (due.Count < most && _waiting.Min is { } entry && entry.Due <= now)
        {
            _waiting.Remove(entry);
            TimeSpan lateness = now - entry.Due;
            due.Add((entry.Target, lateness));
            // Whole periods that were missed are left out, not caught up with in a burst.
            entry.Due += period * (Math.Floor(lateness / period) + 1);
        }

        return due.ToImmutable();
    }

    /// <summary>The hub itself could not ask: nothing is learned about the address. True: that is news.</summary>
    public bool CannotProbe(ProbeTarget target, string problem)
    {
        if (!_byPrefix.TryGetValue(target.Prefix, out Entry? entry))
        {
            return false;
        }

        _waiting.Add(entry);
        bool news = entry.Problem != problem;
        entry.Problem = problem;
        return news;
    }

    /// <summary>A result. Returns what changed by it, or null.</summary>
    public ReachabilityChange? Record(ProbeTarget target, ProbeSample sample, TimeSpan sentAt)
    {
        if (!_byPrefix.TryGetValue(target.Prefix, out Entry? entry))
        {
            return null;
        }

        _waiting.Add(entry);
        entry.Problem = null;
        entry.NewestSentAt = sentAt;
        entry.Add(sample);

        if (sample.Answered)
        {
            // How long it really was silent is not known if it never answered before.
            TimeSpan? silence = entry.LastAnsweredAt is { } last ? sentAt - last : null;
            bool restored = entry.Lost;
            entry.Failures = 0;
            entry.Lost = false;
            entry.LastAnsweredAt = sentAt;
            return restored ? new ReachabilityChange(entry.Target, Lost: false, sample.At, silence, null) : null;
        }

        entry.Failures++;
        if (entry.Failures != FailuresThatMeanLost || entry.Lost)
        {
            return null;
        }

        entry.Lost = true;
        return new ReachabilityChange(entry.Target, Lost: true, sample.At, null, sample.Error);
    }

    /// <summary>Everything as it stands, to be shown with its age.</summary>
    public ImmutableArray<KnownTarget> Snapshot() =>
        [.. _entries.Values.Select(e => new KnownTarget(e.Target, e.Recent, e.NewestSentAt, e.Problem))];

    /// <summary>Targets are spread over the period by their name, the same after every restart (FNV-1a).</summary>
    private TimeSpan Phase(string key)
    {
        uint hash = 2166136261;
        foreach (char c in key)
        {
            hash = (hash ^ c) * 16777619;
        }

        return period * (hash / (double)uint.MaxValue);
    }

    private sealed class Entry(string key, ProbeTarget target)
    {
        public string Key => key;

        public ProbeTarget Target { get; set; } = target;

        /// <summary>Changed only while it does not wait.</summary>
        public TimeSpan Due { get; set; }

        public ImmutableArray<ProbeSample> Recent { get; private set; } = [];

        public TimeSpan? NewestSentAt { get; set; }

        public TimeSpan? LastAnsweredAt { get; set; }

        public int Failures { get; set; }

        public bool Lost { get; set; }

        public string? Problem { get; set; }

        public void Add(ProbeSample sample) => Recent = [.. Recent.AsSpan()[Math.Max(0, Recent.Length + 1 - KnownTarget.MostRecent)..], sample];
    }
}

/// <summary>An address stopped answering, or answers again.</summary>
/// <param name="Target">Which.</param>
/// <param name="Lost">It stopped; else it is back.</param>
/// <param name="At">When the probe that showed it was sent.</param>
/// <param name="Silence">From the last answered probe to the first answered one again; null when that is not known.</param>
/// <param name="Error">Why the last probe had no answer.</param>
internal sealed record ReachabilityChange(ProbeTarget Target, bool Lost, DateTimeOffset At, TimeSpan? Silence, string? Error);

/// <summary>One target's history, without a verdict: that depends on when it is asked for.</summary>
/// <param name="Target">Which.</param>
/// <param name="Recent">Newest samples, oldest first.</param>
/// <param name="NewestSentAt">When the newest was sent, on the prober's own clock.</param>
/// <param name="Problem">Why it cannot be probed.</param>
internal sealed record KnownTarget(ProbeTarget Target, ImmutableArray<ProbeSample> Recent, TimeSpan? NewestSentAt, string? Problem)
{
    /// <summary>Two minutes at one a second.</summary>
    public const int MostRecent = 120;

    /// <summary>Older than that, a sample says nothing about now.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(3);

    /// <summary>Whether it answers, as far as is known at that moment.</summary>
    public ReachabilityState StateAt(TimeSpan now)
    {
        if (Problem is not null || NewestSentAt is not { } sent || now - sent > FreshFor)
        {
            return ReachabilityState.Unknown;
        }

        return Recent[^1].Answered ? ReachabilityState.Reachable : ReachabilityState.Unreachable;
    }
}
