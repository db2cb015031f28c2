using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// How many transitions of one pair, or of a node without one, are told: so many at once, then one in a while. A node that reports now this and now that, fifty times a second, would fill the
/// disk with them. What is skipped is counted, and the last of it is told with that number as soon as one may be told again, so that the newest thing told is how it is. Pure but for that memory; owner: the fleet's loop.
/// </summary>
internal sealed class TransitionPace
{
    /// <summary>Of one pair at once, after a silence: a switchover and a failure make a dozen.</summary>
    public const int Burst = 120;

    /// <summary>Then one in so long.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Told> _told = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Those of the new ones that are told now, and what has waited long enough.</summary>
    public List<EventDraft> Take(IEnumerable<EventDraft> news, Moment now)
    {
        var taken = new List<EventDraft>();
        foreach (var happened in news)
        {
            var key = happened.Pair is { } pair ? $"pair {pair}" : $"node {happened.Node} {happened.Prefix}";
            var told = _told.TryGetValue(key, out var known) ? known : _told[key] = new Told();
            told.Offer(happened, now, taken);
        }

        // A pair of which everything is told and nothing happens is one that was never seen.
        foreach (var (key, told) in _told.Where(t => t.Value.IsWaiting || t.Value.IsFull(now)).ToList())
        {
            told.TellWaiting(now, taken);
            if (told.IsFull(now))
            {
                _told.Remove(key);
            }
        }

        return taken;
    }

    private sealed class Told
    {
        // As GCRA has it: when the next one would be on time if they came evenly.
        private TimeSpan _next = TimeSpan.MinValue;
        private EventDraft? _waiting;
        private int _skipped;

        public bool IsWaiting => _waiting is not null;

        public bool IsFull(Moment now) => !IsWaiting && _next <= now.Uptime;

        public void Offer(EventDraft happened, Moment now, List<EventDraft> taken)
        {
            if (_waiting is null && TryTake(now))
            {
                taken.Add(happened);
                return;
            }

            _waiting = happened;
            _skipped++;
        }

        public void TellWaiting(Moment now, List<EventDraft> taken)
        {
            if (_waiting is { } last && TryTake(now))
            {
                taken.Add(_skipped == 1 ? last : last with { Text = $"{last.Text} ({_skipped - 1} changes before it are not told: they came too fast.)" });
                (_waiting, _skipped) = (null, 0);
            }
        }

        private bool TryTake(Moment now)
        {
            var due = _next > now.Uptime ? _next : now.Uptime;
            if (due - now.Uptime > Every * (Burst - 1))
            {
                return false;
            }

            _next = due + Every;
            return true;
        }
    }
}
