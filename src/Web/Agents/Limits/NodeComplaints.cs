namespace FailoverHub.Web.Agents.Limits;

/// <summary>What a node does that no honest agent does.</summary>
internal enum NodeFault
{
    /// <summary>A message that is none, or that makes no sense.</summary>
    Malformed,

    /// <summary>A message larger than any that an agent has.</summary>
    Oversized,

    /// <summary>More messages than an agent has reason to send.</summary>
    Flood,

    /// <summary>It does not read what it is sent.</summary>
    NeverReads,
}

/// <summary>
/// The log of what nodes do wrong: each fault of a node once in a period, however often it happens and however often the node dials for it; what came after the first is a number at
/// the period's end. So a broken or hostile agent costs its own stream, and neither the disk nor the eyes of whoever looks for something else.
/// </summary>
internal sealed partial class NodeComplaints(TimeProvider time, ILogger<NodeComplaints> logger) : IDisposable
{
    /// <summary>One line for each node and fault within so long.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(10);

    /// <summary>Nodes and faults that are told apart at one time. Names are of the hub's table, or of whatever has no certificate on loopback; more than these are not logged one by one.</summary>
    public const int Most = 4_096;

    private const int LongestWhy = 200;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Node, NodeFault Fault), Open> _open = [];
    private bool _ended;

    /// <summary>It has happened: told at once when it is the first of the period, else counted.</summary>
    /// <param name="node">Which node; or from where, when it is none.</param>
    /// <param name="fault">What it is.</param>
    /// <param name="why">In words; cut at 200 characters, because a node may have a part in them.</param>
    public void Note(string node, NodeFault fault, string why)
    {
        why = why.Length > LongestWhy ? why[..LongestWhy] : why;
        lock (_gate)
        {
            if (_open.TryGetValue((node, fault), out Open? known))
            {
                (known.More, known.Why) = (known.More + 1, why);
                return;
            }

            if (_ended || _open.Count >= Most)
            {
                return;
            }

            _open[(node, fault)] = new Open(time.CreateTimer(_ => EndPeriod(node, fault), null, Period, Timeout.InfiniteTimeSpan), why);
        }

        LogFirst(logger, node, fault, why, Period.TotalMinutes);
    }

    /// <summary>Ends every period; what was counted is told.</summary>
    public void Dispose()
    {
        (string, NodeFault)[] open;
        lock (_gate)
        {
            _ended = true;
            open = [.. _open.Keys];
        }

        foreach ((string node, NodeFault fault) in open)
        {
            EndPeriod(node, fault);
        }
    }

    private void EndPeriod(string node, NodeFault fault)
    {
        long more;
        string why;
        lock (_gate)
        {
            if (!_open.TryGetValue((node, fault), out Open? known))
            {
                return;
            }

            (more, why, known.More) = (known.More, known.Why, 0);

            // Whoever goes on has had its line for this period with the number, and gets the next one in the same way.
            if (more > 0 && !_ended)
            {
                known.Timer.Change(Period, Timeout.InfiniteTimeSpan);
            }
            else
            {
                known.Timer.Dispose();
                _open.Remove((node, fault));
            }
        }

        if (more > 0)
        {
            LogMore(logger, node, fault, more, Period.TotalMinutes, why);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Node}: {Fault}. {Why} Told once; what comes of it in the next {Minutes} minutes is counted")]
    private static partial void LogFirst(ILogger logger, string node, NodeFault fault, string why, double minutes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Node}: {Fault}, {Count} times more within {Minutes} minutes. The last one: {Why}")]
    private static partial void LogMore(ILogger logger, string node, NodeFault fault, long count, double minutes, string why);

    private sealed class Open(ITimer timer, string why)
    {
        public ITimer Timer => timer;

        public long More { get; set; }

        public string Why { get; set; } = why;
    }
}
