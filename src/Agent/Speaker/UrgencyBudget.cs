namespace FailoverHub.Agent.Speaker;

/// <summary>
/// How long the thread of the sessions may run before others without a pause. A neighbor that floods, or a defect of ours, would else take a
/// processor from everything on this node; a keepalive needs a few microseconds of it. Time in, decisions out.
/// </summary>
internal sealed class UrgencyBudget
{
    /// <summary>Without a pause in it: more than ten thousand prefixes take.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);

    /// <summary>A wait of this length is a pause, and not only a look at the sockets.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    /// <summary>For so long it is an ordinary thread afterwards, and then until the next pause.</summary>
    public static readonly TimeSpan Ordinary = TimeSpan.FromSeconds(1);

    private TimeSpan _pausedAt;
    private TimeSpan? _spentAt;

    internal enum Verdict
    {
        AsBefore,
        Spent,
        Renewed,
    }

    /// <summary>The thread waited for its sockets.</summary>
    public Verdict Waited(TimeSpan from, TimeSpan to)
    {
        if (to - from >= Pause)
        {
            _pausedAt = to;
        }

        if (_spentAt is not { } spentAt)
        {
            if (to - _pausedAt <= Longest)
            {
                return Verdict.AsBefore;
            }

            _spentAt = to;
            return Verdict.Spent;
        }

        if (_pausedAt != to || to - spentAt < Ordinary)
        {
            return Verdict.AsBefore;
        }

        _spentAt = null;
        return Verdict.Renewed;
    }
}
