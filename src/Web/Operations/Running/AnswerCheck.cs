using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Operations.Running;

/// <summary>What the probes after a move say about the addresses that answered before it.</summary>
/// <param name="Silent">An address that was asked again and again after the move and did not answer; null: there is none.</param>
/// <param name="Detail">In words, for the step; empty when nothing was asked.</param>
internal sealed record AnswersAfterwards(IPNetwork? Silent, string Detail);

/// <summary>
/// Whether addresses that answered before a move answer after it. Only an address that answered before can tell by its silence that
/// something went wrong, and only by probes that were sent after the move and not answered: a prober that is silent itself says nothing,
/// and one probe may be lost on its way. For a moment the network still leads to the node that had the address, and it answers: what answers
/// counts only when the network has had time, and only when nothing else is heard.
/// </summary>
internal sealed class AnswerCheck
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);
    private const int EnoughSilence = 2;
    private const int EnoughAnswers = 3;

    /// <summary>Until then the network may still lead where it led before. A route server passes a change on within tens of milliseconds; forwarding follows later.</summary>
    private static readonly TimeSpan LeadsElsewhereFor = TimeSpan.FromSeconds(1);

    /// <summary>In a burst three probes are three hundredths of a second: so much is looked at.</summary>
    private static readonly TimeSpan LookedAt = TimeSpan.FromMilliseconds(500);

    private readonly IReachability? _reachability;
    private readonly TimeProvider _time;
    private readonly ImmutableArray<IPNetwork> _answered;
    private ImmutableDictionary<IPNetwork, ProbeSample?> _before = ImmutableDictionary<IPNetwork, ProbeSample?>.Empty;
    private DateTimeOffset _movedAt;

    private AnswerCheck(IReachability? reachability, TimeProvider time, ImmutableArray<IPNetwork> answered) => (_reachability, _time, _answered) = (reachability, time, answered);

    /// <summary>Notes which addresses of the plan answer now, before anything is done.</summary>
    public static AnswerCheck Begin(OperationPlan plan, IReachability? reachability, TimeProvider time) =>
        new(reachability, time, plan.MovesTraffic && !plan.OutagePossible && reachability is not null ? [.. plan.Prefixes.Where(p => reachability.Find(p)?.State == ReachabilityState.Reachable)] : []);

    /// <summary>The move is done: only newer probes count from here on. By the samples themselves, for a wall clock that is set must not turn old silence into new.</summary>
    public void Moved()
    {
        _movedAt = _time.GetUtcNow();
        _before = _answered.ToImmutableDictionary(p => p, p => _reachability?.Find(p)?.Recent.LastOrDefault());
    }

    /// <summary>Waits until each of them has answered, for 10 s at most.</summary>
    /// <exception cref="OperationCanceledException">The hub is stopping.</exception>
    public async Task<AnswersAfterwards> AfterwardsAsync(CancellationToken until, CancellationToken stopping)
    {
        var waiting = await StillWaitingAsync(until, stopping);
        var silent = waiting.Where(p => UnansweredSince(p) >= EnoughSilence).ToList();
        if (silent.Count > 0)
        {
            return new AnswersAfterwards(silent[0], $"{silent[0]} answered before and does not now.");
        }

        var answers = _answered.Except(waiting).ToList();
        var said = answers.Count > 0 ? $" {string.Join(", ", answers)} answers." : "";
        var unknown = waiting.Count > 0 ? $" Whether {string.Join(", ", waiting)} answers now is not known: there are too few new probes, or only some of them are answered. See Reachability." : "";
        return new AnswersAfterwards(null, said + unknown);
    }

    private async Task<HashSet<IPNetwork>> StillWaitingAsync(CancellationToken until, CancellationToken stopping)
    {
        var waiting = _answered.ToHashSet();
        if (waiting.Count == 0 || _reachability is null)
        {
            return waiting;
        }

        using var late = new CancellationTokenSource(AnswerWithin, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, until);
        try
        {
            await foreach (var targets in _reachability.WatchAsync(either.Token))
            {
                waiting.RemoveWhere(p => targets.Any(t => t.Prefix.Equals(p) && Answers(t, _before[p])));
                if (waiting.Count == 0)
                {
                    return waiting;
                }
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Too late: what still waits is judged by its samples.
        }

        stopping.ThrowIfCancellationRequested();
        return waiting;
    }

    /// <summary>The newest probes, three at least and all of the last half second, were sent when the network had had time, and each was answered.</summary>
    private bool Answers(TargetReachability target, ProbeSample? newest)
    {
        ProbeSample[] settled = [.. Since(target, newest).TakeWhile(s => s.At - _movedAt >= LeadsElsewhereFor)];
        return settled.Length >= EnoughAnswers && settled.TakeWhile((s, i) => i < EnoughAnswers || settled[0].At - s.At <= LookedAt).All(s => s.Answered);
    }

    /// <summary>The newer samples; all of them when the one that was newest then has been given up meanwhile.</summary>
    private static IEnumerable<ProbeSample> Since(TargetReachability target, ProbeSample? newest) => target.Recent.Reverse().TakeWhile(s => s != newest);

    private int UnansweredSince(IPNetwork prefix) =>
        _reachability?.Find(prefix) is { State: not ReachabilityState.Unknown } target ? Since(target, _before[prefix]).TakeWhile(s => !s.Answered).Count() : 0;
}
