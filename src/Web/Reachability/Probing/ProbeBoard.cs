using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>
/// What the prober knows and does next, pure: targets and results in, what is due and what changed out. Owned by one loop. `now` is time
/// since that loop began, monotonic; wall-clock times are only passed through.
/// </summary>
internal sealed class ProbeBoard(ProbePace pace, Random random)
{
    private readonly SortedDictionary<string, ProbedAddress> _entries = new(StringComparer.Ordinal);
    private readonly PriorityQueue<ProbedAddress, TimeSpan> _queue = new();
    private readonly HubConnectivity _hub = new();
    private readonly PriorityQueue<(ProbedAddress Entry, TimeSpan SentAt), TimeSpan> _expected = new();
    private readonly List<Undecided> _undecided = [];
    private readonly List<(ProbeTarget Target, ProbeSample Sample)> _counted = [];
    private TimeSpan _decidesNext = TimeSpan.MaxValue;
    private int _hubSeen;
    private int _close;
    private int _bursting;

    /// <summary>An address is probed a hundred times a second: a loop that looks seldom would be late each time.</summary>
    public bool IsBursting => _bursting > 0;

    /// <summary>When the next probe is due; null: nothing is to be probed.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            while (_queue.TryPeek(out ProbedAddress? entry, out TimeSpan due))
            {
                if (!entry.Gone)
                {
                    return due;
                }

                _queue.Dequeue();
            }

            return null;
        }
    }

    /// <summary>Why the hub believes that it is cut off itself, so that nothing is known of any address; null: it does not.</summary>
    public HubCutOff? HubProblem => _hub.Problem;

    /// <summary>Something speaks against a way out of the hub's machine: its gateways should be read anew soon.</summary>
    public bool HubIsInDoubt => _hub.IsInDoubt;

    /// <summary>Takes over what the hub's machine reaches without a gateway: whoever answers from there says nothing of the way out.</summary>
    public void SetLinks(ImmutableArray<IPNetwork> links) => _hub.SetLinks(links);

    /// <summary>Takes over what is to be probed from now on; what stays keeps its history. True: something changed.</summary>
    /// <param name="targets">Every address.</param>
    /// <param name="gateways">What the hub is connected by; asked too, so that it notices when it is itself cut off.</param>
    /// <param name="now">The time.</param>
    public bool SetTargets(ImmutableArray<ProbeTarget> targets, ImmutableArray<IPAddress> gateways, TimeSpan now)
    {
        bool changed = false;
        var wanted = targets.ToDictionary(t => t.Id, StringComparer.Ordinal);
        foreach (string gone in _entries.Keys.Where(k => !wanted.ContainsKey(k)).ToArray())
        {
            Forget(_entries[gone]);
            changed |= _entries.Remove(gone);
        }

        foreach ((string key, ProbeTarget target) in wanted)
        {
            if (_entries.TryGetValue(key, out ProbedAddress? known))
            {
                changed |= !known.Target.Equals(target);
                if (target.MoveId is { } move && move != known.Target.MoveId)
                {
                    known.Stir(anew: true, pace, now);
                }

                known.Target = target;
                if (known.Due > now + (target.Interval * (1 + pace.Jitter)))
                {
                    // It is to be probed more often than before.
                    known.Due = now + Phase(target);
                    _queue.Enqueue(known, known.Due);
                }

                Hurry(known, now);
            }
            else
            {
                var entry = new ProbedAddress(target) { Due = now + Phase(target) };
                _entries.Add(key, entry);
                _queue.Enqueue(entry, entry.Due);
                changed = true;
            }
        }

        _hub.SetTargets(targets);
        foreach (ProbedAddress gateway in _hub.SetGateways(gateways, now))
        {
            _queue.Enqueue(gateway, gateway.Due);
        }

        return changed;
    }

    /// <summary>
    /// What is to be sent now, longest overdue first, and how late each is. Whoever gets one has to answer with <see cref="Record"/> or
    /// <see cref="CannotProbe"/>; an address with as many probes out as a timeout has room for is left out.
    /// </summary>
    public ImmutableArray<(ProbeTarget Target, TimeSpan Lateness)> TakeDue(TimeSpan now, int most)
    {
        LookForOverdue(now);
        var due = ImmutableArray.CreateBuilder<(ProbeTarget, TimeSpan)>();
        while (due.Count < most && _queue.TryPeek(out ProbedAddress? entry, out TimeSpan planned) && planned <= now)
        {
            _queue.Dequeue();

            // Not the place that is in force: it was given up for an earlier one.
            if (entry.Gone || planned != entry.Due)
            {
                continue;
            }

            Judge(entry, now);
            TimeSpan period = PeriodOf(entry);
            TimeSpan lateness = now - planned;

            // Whole periods that were missed are left out, not caught up with one after the other.
            TimeSpan next = planned + (period * (Math.Floor(lateness / period) + 1 + (pace.Jitter * ((2 * random.NextDouble()) - 1))));
            entry.Due = next > now + (period / 2) ? next : now + (period / 2);
            _queue.Enqueue(entry, entry.Due);
            if (entry.Out < (entry.Close ? pace.MostOut : 1))
            {
                entry.Out++;
                if (pace.MostBursting > 0 && entry.Target.IsShared && !_hub.Owns(entry))
                {
                    _expected.Enqueue((entry, now), now + entry.UsualRoundTrip + pace.OverdueAfter);
                }

                due.Add((entry.Target, lateness));
            }
        }

        return due.ToImmutable();
    }

    /// <summary>The hub itself could not ask: nothing is learned about the address. True: that is news.</summary>
    public bool CannotProbe(ProbeTarget target, string problem)
    {
        if (Find(target) is not { } entry)
        {
            return false;
        }

        entry.Out = Math.Max(0, entry.Out - 1);
        bool news = entry.Problem != problem;
        entry.Problem = problem;
        return news;
    }

    /// <summary>The hub may have lost the answer itself: nothing is learned, and the next probe tells.</summary>
    public void Miss(ProbeTarget target)
    {
        if (Find(target) is { } entry)
        {
            entry.Out = Math.Max(0, entry.Out - 1);
        }
    }

    /// <summary>The hub's own machine did not let the probe out. Of an address nothing is learned by that; of a gateway, that there is no way to it. True: that is news.</summary>
    public bool CouldNotAsk(ProbeTarget target, ProbeSample sample, TimeSpan sentAt, string problem)
    {
        if (Find(target) is { } entry && _hub.Owns(entry))
        {
            Record(target, sample, sentAt);
            return false;
        }

        bool news = CannotProbe(target, problem);
        HurryGateways(sentAt);
        return news;
    }

    /// <summary>A result. Returns what changed by it, or null.</summary>
    public ReachabilityChange? Record(ProbeTarget target, ProbeSample sample, TimeSpan sentAt)
    {
        if (Find(target) is not { } entry)
        {
            return null;
        }

        entry.Out = Math.Max(0, entry.Out - 1);
        ReachabilityChange? change = entry.Record(sample, sentAt, entry.Target.Interval > HubConnectivity.SlowerThan
            ? _ => _hub.ProblemOf(target.Address) is null && _hub.DoubtOf(target.Address) is null
            : at => _hub.WasConnectedAround(target.Address, at));
        if (_hub.Owns(entry))
        {
            _hub.Record(entry, sample.Answered, sentAt);
            return null;
        }

        if (sample.Answered)
        {
            _counted.Add((target, sample));
            _hub.Heard(target.Address, sentAt);
        }
        else if (new Undecided(entry, sample, sentAt) is var silent && !IsDecided(silent, sentAt))
        {
            _undecided.Add(silent);
        }

        if (entry.Failures > 1 && entry.LastAnsweredSentAt is { } answered && sentAt - answered < pace.BurstFor)
        {
            entry.Stir(anew: false, pace, sentAt);
        }

        Hurry(entry, sentAt);
        if (entry.Failures > 0)
        {
            HurryGateways(sentAt);
        }

        return change;
    }

    /// <summary>
    /// Samples that say something about their address, each once: answered ones at once, the others when it is known that the hub was connected just before and just
    /// after. Where that does not turn out within some seconds the sample is none, here as in what is shown.
    /// </summary>
    public ImmutableArray<(ProbeTarget Target, ProbeSample Sample)> TakeCounted(TimeSpan now)
    {
        // Thousands may wait while everything is silent: looked at when something has answered, or it is time.
        if (_undecided.Count > 0 && (_hubSeen != _hub.Version || now >= _decidesNext))
        {
            _hubSeen = _hub.Version;
            _decidesNext = TimeSpan.MaxValue;
            _undecided.RemoveAll(one => IsDecided(one, now));
        }

        if (_counted.Count == 0)
        {
            return [];
        }

        ImmutableArray<(ProbeTarget, ProbeSample)> counted = [.. _counted];
        _counted.Clear();
        return counted;
    }

    /// <summary>Everything as it stands, to be shown with its age.</summary>
    public ImmutableArray<KnownTarget> Snapshot() =>
        [.. _entries.Values.Select(e => new KnownTarget(e.Target, e.Recent, e.NewestSentAt, (e.Failures > 0 || e.Problem is not null ? _hub.ProblemOf(e.Target.Address) : null) ?? e.Problem ?? (e.Failures > 0 ? _hub.DoubtOf(e.Target.Address) : null))
        {
            Close = e.Close,
            HasAnswered = e.LastAnsweredSentAt is not null,
            IsNewestDoubted = e.IsNewestDoubted,
        })];

    /// <summary>Something has answered that the hub does not reach by itself: it was connected in this run.</summary>
    public bool HubHasHeard => _hub.HasHeard;

    private ProbedAddress? Find(ProbeTarget target) => _entries.GetValueOrDefault(target.Id) ?? _hub.Find(target.Address);

    private bool IsDecided(Undecided one, TimeSpan now)
    {
        if (one.Entry.Gone)
        {
            return true;
        }

        if (_hub.WasConnectedAround(one.Entry.Target.Address, one.SentAt))
        {
            _counted.Add((one.Entry.Target, one.Sample));
            return true;
        }

        TimeSpan until = one.SentAt + HubConnectivity.KnownWithin;
        if (now >= until)
        {
            one.Entry.Doubt(one.SentAt);
            return true;
        }

        _decidesNext = until < _decidesNext ? until : _decidesNext;
        return false;
    }

    // Whether it is the address or the hub itself should be known soon.
    private void HurryGateways(TimeSpan now)
    {
        foreach (ProbedAddress gateway in _hub.Gateways)
        {
            gateway.NewsAt = now;
            Hurry(gateway, now);
        }
    }

    private void Forget(ProbedAddress entry)
    {
        entry.Gone = true;
        _close -= entry.Close ? 1 : 0;
        _bursting -= entry.Bursting ? 1 : 0;
    }

    private TimeSpan PeriodOf(ProbedAddress entry) => entry.Bursting ? pace.BurstPeriod : entry.Close ? pace.ClosePeriod : entry.Target.Interval;

    /// <summary>What has not answered for some time is probed in a burst from now on, long before its timeout says that it will not.</summary>
    private void LookForOverdue(TimeSpan now)
    {
        while (_expected.TryPeek(out (ProbedAddress Entry, TimeSpan SentAt) probe, out TimeSpan until) && until <= now)
        {
            _expected.Dequeue();
            if (probe.Entry.IsOverdue(probe.SentAt, pace))
            {
                probe.Entry.Stir(anew: false, pace, now);
                Hurry(probe.Entry, now);
            }
        }
    }

    private void Judge(ProbedAddress entry, TimeSpan now)
    {
        if (entry.Target.MoveId is not null)
        {
            entry.Stir(anew: false, pace, now);
        }

        bool burst = entry.DeservesABurst(pace, now) && (entry.Bursting || _bursting < pace.MostBursting);
        _bursting += burst == entry.Bursting ? 0 : burst ? 1 : -1;
        entry.Bursting = burst;
        bool wanted = burst || (entry.DeservesACloseLook(pace, now) && (entry.Close || _close < pace.MostClose));
        _close += wanted == entry.Close ? 0 : wanted ? 1 : -1;
        entry.Close = wanted;
    }

    /// <summary>An address that is looked at closely from now on need not wait for the rest of its second, and one that is probed in a burst for nothing.</summary>
    private void Hurry(ProbedAddress entry, TimeSpan now)
    {
        TimeSpan before = PeriodOf(entry);
        Judge(entry, now);
        TimeSpan soon = entry.Bursting ? now : now + pace.ClosePeriod;
        if (PeriodOf(entry) < before && entry.Due > soon)
        {
            entry.Due = soon;
            _queue.Enqueue(entry, entry.Due);
        }
    }

    /// <summary>A probe without an answer, of which it is not known yet whether that says anything.</summary>
    private readonly record struct Undecided(ProbedAddress Entry, ProbeSample Sample, TimeSpan SentAt);

    /// <summary>Targets are spread over their period by their id, the same after every restart (FNV-1a).</summary>
    private static TimeSpan Phase(ProbeTarget target)
    {
        uint hash = 2166136261;
        foreach (char c in target.Id)
        {
            hash = (hash ^ c) * 16777619;
        }

        return target.Interval * (hash / (double)uint.MaxValue);
    }
}
