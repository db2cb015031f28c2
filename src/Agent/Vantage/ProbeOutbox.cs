using System.Collections.Immutable;

namespace FailoverHub.Agent.Vantage;

/// <summary>
/// What the hub is still to be told, and when. Filled by the vantage point, emptied by the stream; when that takes nothing, what is oldest is given up and counted. From any thread.
/// </summary>
internal sealed class ProbeOutbox
{
    /// <summary>Findings that wait, and the most of one batch.</summary>
    public const int Most = 2000;

    /// <summary>From one batch to the next.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    /// <summary>When an address has just stopped answering, or what cannot be asked is something else now.</summary>
    public static readonly TimeSpan FastPace = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly Queue<VantageFinding> _findings = [];
    private List<Standing> _standings = [];
    private ImmutableArray<VantageProblem> _refused = [];
    private ulong _revision;
    private bool _isOpen;
    private TimeSpan _takenAt;
    private bool _isUrgent;
    private int _dropped;
    private long _droppedInAll;

    /// <summary>When the next batch is to be taken; null: there is nothing to say.</summary>
    public TimeSpan? DueAt
    {
        get
        {
            lock (_gate)
            {
                return Due;
            }
        }
    }

    private TimeSpan? Due => !_isOpen || (_findings.Count == 0 && !_isUrgent) ? null : _takenAt + (_isUrgent ? FastPace : Pace);

    /// <summary>This plan is in force: what was found for tasks that it does not have is of no use any more.</summary>
    /// <param name="plan">Whole.</param>
    /// <param name="kept">Its tasks that the one before had as well.</param>
    /// <param name="now">Monotonic.</param>
    public void Begin(VantagePlan plan, List<VantageTask> kept, TimeSpan now)
    {
        lock (_gate)
        {
            if (!_isOpen)
            {
                _takenAt = now;
            }

            for (var left = _findings.Count; left > 0; left--)
            {
                if (_findings.Dequeue() is var finding && kept.Exists(task => task.Id == finding.Task))
                {
                    _findings.Enqueue(finding);
                }
            }

            var before = _standings;
            _isUrgent |= before.Exists(old => old.Problem is not null && !kept.Exists(task => task.Id == old.Task)) || !_refused.SequenceEqual(plan.Problems);
            _standings = [.. plan.Tasks.Select(task => (kept.Contains(task) ? before.Find(old => old.Task == task.Id) : null) ?? new Standing(task.Id))];
            (_refused, _revision, _isOpen) = (plan.Problems, plan.Revision, true);
        }
    }

    /// <summary>A probe has ended.</summary>
    public void Add(VantageFinding finding)
    {
        lock (_gate)
        {
            if (Of(finding.Task) is not { } standing)
            {
                return;
            }

            if (_findings.Count == Most)
            {
                _findings.Dequeue();
                _dropped++;
                _droppedInAll++;
            }

            _findings.Enqueue(finding);
            _isUrgent |= standing.Problem is not null || (standing.Answers && finding.RoundTrip is null);
            (standing.Problem, standing.Answers) = (null, finding.RoundTrip is not null);
        }
    }

    /// <summary>A task could not be asked; until it can.</summary>
    public void Add(VantageProblem problem)
    {
        lock (_gate)
        {
            if (Of(problem.Task) is { } standing)
            {
                _isUrgent |= standing.Problem != problem.Text;
                standing.Problem = problem.Text;
            }
        }
    }

    /// <summary>What is to be told now; null: it is not time, or there is nothing.</summary>
    /// <param name="now">Monotonic.</param>
    public VantageBatch? Take(TimeSpan now)
    {
        lock (_gate)
        {
            if (!(Due <= now))
            {
                return null;
            }

            var findings = _findings.ToArray();
            Array.Sort(findings, static (one, other) => one.SentAt.CompareTo(other.SentAt));
            var batch = new VantageBatch(_revision, now, [.. findings], Problems(), _dropped);
            _findings.Clear();
            (_takenAt, _isUrgent, _dropped) = (now, false, 0);
            return batch;
        }
    }

    /// <summary>Nobody is told any more.</summary>
    public void End()
    {
        lock (_gate)
        {
            _findings.Clear();
            (_standings, _refused, _isOpen, _isUrgent, _dropped) = ([], [], false, false, 0);
        }
    }

    /// <summary>The plan in force with what of it cannot be asked; and how many findings were given up since the agent started.</summary>
    public (ulong Revision, int Targets, ImmutableArray<VantageProblem> Problems, long Dropped) Read()
    {
        lock (_gate)
        {
            return (_isOpen ? _revision : 0, _standings.Count, Problems(), _droppedInAll);
        }
    }

    // What of the plan is not understood, and then what cannot be asked just now.
    private ImmutableArray<VantageProblem> Problems() =>
    [
        .. _refused.Concat(_standings.Where(standing => standing.Problem is not null).Select(standing => new VantageProblem(standing.Task, standing.Problem!))).Take(PlanReading.MostProblems),
    ];

    private Standing? Of(uint task) => _standings.Find(standing => standing.Task == task);

    /// <summary>What was found of a task last.</summary>
    private sealed class Standing(uint task)
    {
        public uint Task => task;

        public bool Answers { get; set; }

        public string? Problem { get; set; }
    }
}
