using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>A question that is to be sent now.</summary>
internal readonly record struct DueQuestion(AnswerTarget Target, int Port);

/// <summary>A question that is out.</summary>
internal sealed record SentQuestion(AnswerTarget Target, Moment At);

/// <summary>
/// Which shared address is asked when, which questions are out, and what came of them. Pure: time and nonces are given. Owned by one loop.
/// </summary>
internal sealed class AnswerBoard
{
    /// <summary>From one question to the next, for as many addresses as <see cref="MostPerSecond"/>; of more, each is asked less often.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>The same while something changes.</summary>
    public static readonly TimeSpan ClosePeriod = TimeSpan.FromMilliseconds(100);

    /// <summary>Questions a second while nothing changes. A node answers a thousand.</summary>
    public const int MostPerSecond = 500;

    /// <summary>So many addresses at once are asked closely.</summary>
    public const int MostClose = 40;

    /// <summary>An answer that takes longer is none.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<IPNetwork, AskedAddress> _addresses = [];

    // A place that is not its address's own any more is passed over: it was given up for an earlier one, or the address is gone.
    private readonly PriorityQueue<AskedAddress, TimeSpan> _queue = new();
    private int _close;
    private readonly Dictionary<Nonce, SentQuestion> _out = [];
    private readonly Queue<(Nonce Nonce, TimeSpan Until)> _expiry = [];

    /// <summary>When the next question is due; null: nothing is asked.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            while (_queue.TryPeek(out var address, out var due))
            {
                if (!address.Gone && address.Due == due)
                {
                    return due;
                }

                _queue.Dequeue();
            }

            return null;
        }
    }

    /// <summary>Questions that wait for an answer.</summary>
    public int Out => _out.Count;

    /// <summary>Takes over what is asked from now on.</summary>
    public void SetTargets(ImmutableArray<AnswerTarget> targets, TimeSpan now)
    {
        var wanted = targets.ToDictionary(t => t.Prefix);
        foreach (var gone in _addresses.Keys.Where(prefix => !wanted.ContainsKey(prefix)).ToList())
        {
            _addresses[gone].Gone = true;
            _addresses.Remove(gone);
        }

        foreach (var target in targets)
        {
            if (!_addresses.TryGetValue(target.Prefix, out var known))
            {
                // Spread over the period, so that they are not asked all at once.
                var added = new AskedAddress(target);
                Plan(added, now + (PeriodOf(targets.Length) * (_addresses.Count % 16 / 16.0)));
                _addresses.Add(target.Prefix, added);
                continue;
            }

            known.Follow(target, now);
            if (known.IsClose(now) && known.Due > now + ClosePeriod)
            {
                Plan(known, now + ClosePeriod);
            }
        }
    }

    /// <summary>What is to be asked now, longest overdue first.</summary>
    public ImmutableArray<DueQuestion> TakeDue(TimeSpan now)
    {
        Expire(now);
        var due = ImmutableArray.CreateBuilder<DueQuestion>();
        while (NextDue is { } planned && planned <= now)
        {
            var address = _queue.Dequeue();
            var period = _close <= MostClose && address.IsClose(now) ? ClosePeriod : PeriodNow;

            // Whole periods that were missed are left out, not caught up with in a burst.
            Plan(address, planned + (period * (Math.Floor((now - planned) / period) + 1)));
            due.Add(new DueQuestion(address.Target, address.Target.Ports[address.Asked++ % address.Target.Ports.Length]));
        }

        return due.ToImmutable();
    }

    /// <summary>A question has left.</summary>
    public void Sent(Nonce nonce, AnswerTarget target, Moment at)
    {
        _out[nonce] = new SentQuestion(target, at);
        _expiry.Enqueue((nonce, at.Uptime + Patience));
    }

    /// <summary>The question with this nonce; null: none that is out.</summary>
    public SentQuestion? Find(Nonce nonce) => _out.GetValueOrDefault(nonce);

    /// <summary>It is answered: nobody else answers it.</summary>
    public void TakeOut(Nonce nonce) => _out.Remove(nonce);

    /// <summary>A node has proved that it answers.</summary>
    public AnswerFinding? Answered(SentQuestion question, string node, int? ttl) =>
        _addresses.GetValueOrDefault(question.Target.Prefix) is { } address ? Hurried(address, question.At.Uptime, a => a.Answered(node, question.At, ttl)) : null;

    /// <summary>Somebody answers whose proof is wrong.</summary>
    public void Lied(SentQuestion question, string label)
    {
        if (_addresses.GetValueOrDefault(question.Target.Prefix) is { } address)
        {
            Hurried(address, question.At.Uptime, a =>
            {
                a.Lied(label, question.At);
                return null;
            });
        }
    }

    /// <summary>What has become wrong, or right again. Looks at every address, so it is not asked at each answer.</summary>
    public ImmutableArray<AnswerFinding> Judge(Moment now)
    {
        _close = _addresses.Values.Count(a => a.IsClose(now.Uptime));
        return [.. _addresses.Values.SelectMany(address => address.Judge(now))];
    }

    /// <summary>Who answers where, as far as is known at that moment.</summary>
    public ImmutableDictionary<IPNetwork, PrefixAnswer> CurrentAt(Moment now) =>
        _addresses.Values.Select(a => a.CurrentAt(now)).OfType<PrefixAnswer>().ToImmutableDictionary(a => a.Prefix);

    private TimeSpan PeriodNow => PeriodOf(_addresses.Count);

    private static TimeSpan PeriodOf(int addresses) => Period * Math.Max(1, addresses / (double)MostPerSecond);

    // What changes need not wait for the rest of its second.
    private AnswerFinding? Hurried(AskedAddress address, TimeSpan now, Func<AskedAddress, AnswerFinding?> record)
    {
        var before = address.IsClose(now);
        var finding = record(address);
        if (!before && address.IsClose(now))
        {
            Plan(address, now + ClosePeriod);
        }

        return finding;
    }

    private void Plan(AskedAddress address, TimeSpan due)
    {
        address.Due = due;
        _queue.Enqueue(address, due);
    }

    private void Expire(TimeSpan now)
    {
        while (_expiry.TryPeek(out var oldest) && oldest.Until < now)
        {
            _out.Remove(oldest.Nonce);
            _expiry.Dequeue();
        }
    }
}
