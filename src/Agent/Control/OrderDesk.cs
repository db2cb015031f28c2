using System.Collections.Concurrent;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Control;

/// <summary>Takes the commands that change something to the node, and its answers back to whoever waits for them.</summary>
/// <param name="tryPost">To the node; false: it takes none.</param>
/// <param name="now">On the node's monotonic clock.</param>
internal sealed class OrderDesk(Func<NodeEvent, bool> tryPost, Func<TimeSpan> now)
{
    /// <summary>
    /// What the node has not begun with by then is not done: whoever ordered it would be sent away after <see cref="ControlServer.AnswerPatience"/>, and the two
    /// seconds between are what the node may wait for the sockets.
    /// </summary>
    public static readonly TimeSpan Patience = ControlServer.AnswerPatience - TimeSpan.FromSeconds(2);

    private const string SlowDisk = "the disk is slow: as soon as it is kept it is obeyed, and if it cannot be kept it is refused; 'failoverhub-agent status' and the log say which";

    private readonly ConcurrentDictionary<long, Waiting> _waiting = new();
    private long _last;

    /// <summary>Is one of those that change something.</summary>
    public static bool Knows(string? command) => command is "drain" or "undrain" or "role" or "failback";

    /// <summary>The node has taken it, and goes through with it whether or not somebody still waits. On the loop of the node.</summary>
    public void Begin(long id)
    {
        if (_waiting.TryGetValue(id, out var waiting))
        {
            waiting.HasBegun = true;
        }
    }

    /// <summary>On the loop of the node.</summary>
    public void Take(LocalAnswer answer)
    {
        if (_waiting.TryRemove(answer.Id, out var waiting))
        {
            waiting.Answer.TrySetResult(answer);
        }
    }

    /// <summary>
    /// The node answers when the UPDATEs are on the sockets, and after its patience with them at the latest. But a disk may hold it up for as long as it likes, and what it
    /// has begun with is done in the end: then that is the answer, because whoever is told that no agent answers does something else.
    /// </summary>
    public async Task<ControlAnswer> AnswerAsync(ControlRequest request, ControlCaller caller, CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref _last);
        var (command, problem) = Parse(request, id, caller);
        if (command is null)
        {
            return new ControlAnswer { Error = problem };
        }

        var waiting = new Waiting();
        _waiting[id] = waiting;
        try
        {
            if (!tryPost(new NodeEvent.CommandReceived(command with { Until = now() + Patience })))
            {
                return new ControlAnswer { Error = "the agent takes no commands now: it is ending, or its loop hangs" };
            }

            return new ControlAnswer { Command = Document(await waiting.Answer.Task.WaitAsync(cancellationToken)) };
        }
        catch (OperationCanceledException) when (waiting.HasBegun)
        {
            return new ControlAnswer { Command = new CommandDocument("begun", "the order is being kept on the node's disk", true, 0, 0, SlowDisk) };
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    private static (LocalCommand? Command, string? Problem) Parse(ControlRequest request, long id, ControlCaller caller)
    {
        var reason = request.Reason ?? "";
        if (reason.Length > LocalCommand.LongestReason || reason.Any(char.IsControl))
        {
            return (null, $"the reason has more than {LocalCommand.LongestReason} characters, or control characters; give a shorter one in one line");
        }

        System.Net.IPNetwork? prefix = null;
        if (request.Prefix is not null)
        {
            if (!SharedPrefix.TryParse(request.Prefix, out var parsed, out var problem))
            {
                return (null, problem.TrimEnd('.'));
            }

            prefix = parsed;
        }

        var actor = caller.Actor();
        switch (request.Command)
        {
            case "drain":
                return (new LocalCommand.DrainNode(id, actor, reason), null);
            case "undrain":
                return (new LocalCommand.UndrainNode(id, actor, reason), null);
            case "failback":
                return (new LocalCommand.FailBack(id, actor, reason, prefix), null);
            case "role" when request.Role == "default":
                return (new LocalCommand.SetRole(id, actor, reason, prefix, null), null);
            case "role" when RoleWords.TryParse(request.Role, out var role):
                return (new LocalCommand.SetRole(id, actor, reason, prefix, role), null);
            case "role":
                return (null, "the role is none of primary, secondary and default");
            default:
                throw new ArgumentOutOfRangeException(nameof(request), request.Command, "Not a command that changes something.");
        }
    }

    private sealed class Waiting
    {
        private volatile bool _hasBegun;

        public TaskCompletionSource<LocalAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool HasBegun
        {
            get => _hasBegun;
            set => _hasBegun = value;
        }
    }

    private static CommandDocument Document(LocalAnswer answer) => answer.Outcome switch
    {
        IntentOutcome.Applied(var sessions) => new CommandDocument("applied", answer.Text, answer.Changed, sessions, answer.Established, null),
        IntentOutcome.AcceptedNotAnnounced(var reason) => new CommandDocument("accepted-not-announced", answer.Text, answer.Changed, 0, answer.Established, reason),
        IntentOutcome.Rejected(var reason) => new CommandDocument("refused", answer.Text, answer.Changed, 0, answer.Established, reason),
        _ => throw new InvalidOperationException($"No word for {answer.Outcome.GetType().Name}."),
    };
}
