using System.Collections.Immutable;

namespace FailoverHub.Agent.Vantage;

/// <summary>
/// Which task is asked when. Pure: time and chance are given. The tasks of a plan begin at random places within their interval, and each interval is a little longer or shorter
/// than the one before, so that the nodes of a fleet do not ask in step. Belongs to one caller.
/// </summary>
/// <param name="random">0 to 1.</param>
internal sealed class ProbeSchedule(Func<double> random)
{
    /// <summary>Probes that are out at one time, of all tasks; who waits longest goes first.</summary>
    public const int MostOut = 64;

    /// <summary>So much of an interval is chance: half of it longer, half of it shorter.</summary>
    public const double Chance = 0.1;

    /// <summary>A task is asked for the first time within this, however long its interval is.</summary>
    public static readonly TimeSpan LongestPhase = TimeSpan.FromSeconds(1);

    private readonly List<Entry> _entries = [];
    private readonly List<Entry> _due = [];

    /// <summary>Probes that have not ended.</summary>
    public int Out { get; private set; }

    /// <summary>When a task is to be asked next; null: none, or not before a probe has ended.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            TimeSpan? next = null;
            foreach (var entry in _entries)
            {
                if (Out < MostOut && entry.Out < entry.Task.MostOut && !(next <= entry.Due))
                {
                    next = entry.Due;
                }
            }

            return next;
        }
    }

    /// <summary>These are the tasks from now on. What is asked as before goes on at its pace; what is asked more often begins with that at once.</summary>
    /// <returns>Those that are asked as before.</returns>
    public List<VantageTask> Replace(ImmutableArray<VantageTask> tasks, TimeSpan now)
    {
        List<VantageTask> kept = [];
        List<Entry> before = [.. _entries];
        _entries.Clear();
        foreach (var task in tasks)
        {
            var entry = before.Find(old => old.Task.Id == task.Id && old.Task.Way.Equals(task.Way));
            if (entry is not null)
            {
                before.Remove(entry);
                kept.Add(task);
                var soon = now + Phase(task);
                entry.Due = entry.Task.Interval == task.Interval || entry.Due < soon ? entry.Due : soon;
                entry.Task = task;
            }
            else
            {
                entry = new Entry { Task = task, Due = now + Phase(task) };
            }

            _entries.Add(entry);
        }

        foreach (var gone in before)
        {
            gone.IsGone = true;
        }

        return kept;
    }

    /// <summary>What is to be asked now; each of these is out until <see cref="Ended"/> says otherwise.</summary>
    public List<ProbeTurn> TakeDue(TimeSpan now)
    {
        _due.Clear();
        foreach (var entry in _entries)
        {
            if (entry.Due <= now && entry.Out < entry.Task.MostOut)
            {
                _due.Add(entry);
            }
        }

        _due.Sort(static (one, other) => one.Due.CompareTo(other.Due));
        List<ProbeTurn> turns = [];
        foreach (var entry in _due)
        {
            if (Out == MostOut)
            {
                break;
            }

            // A turn that came late is not made up for: the next one keeps half an interval from it at least.
            var step = entry.Task.Interval * (1 + (Chance * (random() - 0.5)));
            var (due, planned, earliest) = (entry.Due, entry.Due + step, now + (step / 2));
            entry.Due = planned > earliest ? planned : earliest;
            entry.Out++;
            Out++;
            turns.Add(new ProbeTurn(entry, due));
        }

        return turns;
    }

    /// <summary>A probe is not out any more.</summary>
    public void Ended(ProbeTurn turn)
    {
        turn.Entry.Out--;
        Out--;
    }

    private TimeSpan Phase(VantageTask task) => (task.Interval < LongestPhase ? task.Interval : LongestPhase) * random();

    /// <summary>How one task stands.</summary>
    internal sealed class Entry
    {
        public required VantageTask Task { get; set; }

        public required TimeSpan Due { get; set; }

        public int Out { get; set; }

        public bool IsGone { get; set; }
    }
}

/// <summary>One probe of a task.</summary>
internal sealed class ProbeTurn(ProbeSchedule.Entry entry, TimeSpan due)
{
    /// <summary>When it was to begin, of the monotonic clock.</summary>
    public TimeSpan Due => due;

    /// <summary>Known to the schedule alone.</summary>
    internal ProbeSchedule.Entry Entry => entry;

    /// <summary>As it is now.</summary>
    public VantageTask Task => entry.Task;

    /// <summary>The plan still has the task; else nobody wants to know what came of it.</summary>
    public bool IsWanted => !entry.IsGone;
}
