using System.Net;
using FailoverHub.Agent.Configuration;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node.Holding;

/// <summary>Where a prefix stands with its failback.</summary>
internal enum FailbackPhase
{
    /// <summary>It could not be primary yet, and nothing on the disk says that it ever was on this node.</summary>
    Fresh,

    /// <summary>It was primary here and cannot be just now. When it can be again, it returns.</summary>
    Away,

    /// <summary>It could be primary, and is announced as secondary.</summary>
    Held,

    /// <summary>Nothing is held back.</summary>
    Settled,
}

/// <summary>Where one prefix stands with its failback. Immutable.</summary>
/// <param name="Phase">Where.</param>
/// <param name="Returned">Of <see cref="FailbackPhase.Held"/>: what it returned from, in words.</param>
/// <param name="StableSince">Of <see cref="FailbackPhase.Held"/>: monotonic; since when it is healthy and connected without a break, null: it is not.</param>
internal sealed record FailbackStatus(FailbackPhase Phase, string Returned = "", TimeSpan? StableSince = null)
{
    public static FailbackStatus Fresh { get; } = new(FailbackPhase.Fresh);

    public static FailbackStatus Away { get; } = new(FailbackPhase.Away);

    public static FailbackStatus Settled { get; } = new(FailbackPhase.Settled);

    public bool IsHeld => Phase == FailbackPhase.Held;

    /// <summary>Monotonic; null: it is not held, waits for an operator, or is not counting now.</summary>
    public TimeSpan? ReleaseAt(FailbackOptions policy) => IsHeld && policy.Policy == FailbackPolicy.AfterStable ? StableSince + policy.StableFor : null;
}

/// <summary>Everything that a failback depends on.</summary>
/// <param name="Policy">In force for the prefix.</param>
/// <param name="Ready">Nothing but the policy keeps it from being announced as primary.</param>
/// <param name="Connected">At least one session is established.</param>
/// <param name="Cause">Why this is asked now, in words.</param>
/// <param name="Now">Monotonic.</param>
internal readonly record struct FailbackFacts(FailbackOptions Policy, bool Ready, bool Connected, string Cause, TimeSpan Now)
{
    /// <summary>The last session was lost just now.</summary>
    public bool Disconnected { get; init; }

    /// <summary>An operator says that it is to be primary now.</summary>
    public bool Released { get; init; }

    /// <summary>It is announced with graceful shutdown: nothing is withdrawn yet, so nothing can return.</summary>
    public bool Leaving { get; init; }
}

/// <summary>What of the failback is not on the disk.</summary>
/// <param name="Problem">Why.</param>
/// <param name="RetryAt">Monotonic; when it is tried again, null: it is being tried.</param>
internal sealed record UnsavedFailback(string Problem, TimeSpan? RetryAt);

/// <summary>
/// What becomes of an assigned primary that returns. The platform routes to a primary as soon as there is one, so a node that has just come
/// back takes the traffic at once, and again after its next fall. A hold lets it come back as secondary: it is there if the other node falls,
/// and moves nothing. A hold only ever turns primary into secondary; it withdraws nothing.
/// </summary>
/// <remarks>The countdown is monotonic and ends with the process: a start of the agent is itself a return.</remarks>
internal static class Failback
{
    private static readonly TimeSpan _saveAgainAfter = TimeSpan.FromSeconds(30);

    /// <summary>Where the prefix stands now.</summary>
    public static FailbackStatus Next(FailbackStatus before, in FailbackFacts facts)
    {
        if (facts.Leaving && !facts.Released)
        {
            return before.StableSince is null ? before : before with { StableSince = null };
        }

        if (!facts.Ready)
        {
            return before.Phase == FailbackPhase.Fresh ? before : FailbackStatus.Away;
        }

        if (facts.Released || !MayHold(facts.Policy))
        {
            return FailbackStatus.Settled;
        }

        var held = before.Phase switch
        {
            FailbackPhase.Held => before,
            FailbackPhase.Away => new FailbackStatus(FailbackPhase.Held, facts.Cause),

            // Whoever sets a node up by hand has put its primary there.
            FailbackPhase.Fresh when facts.Policy.Policy == FailbackPolicy.Manual => FailbackStatus.Settled,
            FailbackPhase.Fresh => new FailbackStatus(FailbackPhase.Held, facts.Cause),
            FailbackPhase.Settled when facts.Disconnected => new FailbackStatus(FailbackPhase.Held, facts.Cause),
            FailbackPhase.Settled => before,
            _ => throw new ArgumentOutOfRangeException(nameof(before), before, "Not a phase."),
        };
        return held.IsHeld ? Count(held, facts) : held;
    }

    /// <summary>The policy may hold something back.</summary>
    public static bool MayHold(FailbackOptions policy) => policy.Policy is FailbackPolicy.AfterStable or FailbackPolicy.Manual;

    /// <summary>For how long the policy holds back what returns; zero: not at all, the greatest: until an operator lets it go.</summary>
    public static TimeSpan LongestHold(FailbackOptions policy) => policy.Policy switch
    {
        FailbackPolicy.AfterStable => policy.StableFor,
        FailbackPolicy.Manual => TimeSpan.MaxValue,
        _ => TimeSpan.Zero,
    };

    /// <summary>A session came or went. With the last one the node is cut off, and returns with the next.</summary>
    public static void FollowSessions(NodeStep step, NodeState before)
    {
        var isConnected = step.State.EstablishedSessions > 0;
        if (isConnected == before.EstablishedSessions > 0 || step.State.Stopping)
        {
            return;
        }

        // Most nodes hold nothing: they need not decide ten thousand prefixes anew.
        if (step.State.Prefixes.Any(prefix => isConnected ? prefix.Failback.IsHeld : MayHold(prefix.FailbackPolicy)))
        {
            step.Replan(isConnected ? new Cause("a session is established") : new Cause("all sessions were lost") { Disconnected = true });
        }
    }

    /// <summary>What was stable for long enough is primary now.</summary>
    public static void EndWhenDue(NodeStep step)
    {
        if (step.State.FailbackEnd <= step.Now.Monotonic)
        {
            step.Replan(new Cause("it was healthy and connected for long enough without a break"));
        }
    }

    /// <summary>Where a prefix stands that the node did not know yet.</summary>
    public static FailbackStatus Remembered(NodeState state, IPNetwork prefix) =>
        state.FailbackMemory.Knows(prefix) ? FailbackStatus.Away : FailbackStatus.Fresh;

    /// <summary>What is to be known after a restart is written down as soon as it is true.</summary>
    public static void Remember(NodeStep step)
    {
        var memory = step.State.FailbackMemory;
        var news = step.State.Prefixes
            .Where(prefix => prefix.Failback.Phase != FailbackPhase.Fresh && MayHold(prefix.FailbackPolicy) && !memory.Prefixes.Contains(prefix.Prefix))
            .Select(prefix => prefix.Prefix)
            .ToList();
        if (news.Count > 0 || (!memory.IsKept && step.State.Prefixes.Any(prefix => MayHold(prefix.FailbackPolicy))))
        {
            step.State = step.State with { FailbackMemory = memory.With(news, step.State.Prefixes) };
            step.Do(new NodeEffect.PersistFailback(step.State.FailbackMemory));
        }
    }

    /// <summary>A disk that was full has room again some day: what could not be written is written then, and said once for each reason.</summary>
    public static void TakePersisted(NodeStep step, string? problem)
    {
        var before = step.State.UnsavedFailback;
        if (problem is null)
        {
            if (before is not null)
            {
                step.State = step.State with { UnsavedFailback = null };
                step.Do(new NodeEffect.Log(LogLevel.Information, "which prefixes were primary here is kept again"));
            }

            return;
        }

        step.State = step.State with { UnsavedFailback = new UnsavedFailback(problem, step.Now.Monotonic + _saveAgainAfter) };
        if (before?.Problem != problem)
        {
            step.Do(new NodeEffect.Log(
                LogLevel.Warning,
                $"which prefixes were primary here cannot be kept for certain, after a restart they may not be held back as returned ones; it is tried again every {_saveAgainAfter.TotalSeconds:0} s: {problem}"));
        }
    }

    /// <summary>What could not be kept is tried again.</summary>
    public static void SaveAgainWhenDue(NodeStep step)
    {
        if (step.State.UnsavedFailback is { } unsaved && unsaved.RetryAt <= step.Now.Monotonic)
        {
            step.State = step.State with { UnsavedFailback = unsaved with { RetryAt = null } };
            step.Do(new NodeEffect.PersistFailback(step.State.FailbackMemory));
        }
    }

    /// <summary>That a hold began.</summary>
    public static void RecordBegin(NodeStep step, PrefixState? old, PrefixState now)
    {
        if (!now.Failback.IsHeld || old is { Failback.IsHeld: true })
        {
            return;
        }

        step.Record(TransitionKind.FailbackHeld, $"{now.Prefix} returned and is held back as secondary {Until(now.FailbackPolicy)}: {now.Failback.Returned}", now.Prefix.ToString());
    }

    /// <summary>That a hold ended and the prefix is primary. A hold that ends because the prefix is lost again leaves the entry of that.</summary>
    public static void RecordEnd(NodeStep step, PrefixState? old, PrefixState now, Cause cause)
    {
        if (old is { Failback.IsHeld: true } && now.Failback.Phase == FailbackPhase.Settled)
        {
            step.Record(TransitionKind.FailbackReleased, $"{now.Prefix} no longer held back as secondary: {cause.Text}", now.Prefix.ToString(), operationId: cause.OperationId);
        }
    }

    /// <summary>Of a prefix that is held: one sentence, without a full stop.</summary>
    public static string Describe(PrefixState prefix) =>
        $"it returned ({prefix.Failback.Returned}) and waits {Until(prefix.FailbackPolicy)}{(prefix.FailbackPolicy.Policy == FailbackPolicy.AfterStable && prefix.Failback.StableSince is null ? "; not counting now, because no session is established" : "")}";

    /// <summary>For sentences: what a hold waits for.</summary>
    public static string Until(FailbackOptions policy) => policy.Policy == FailbackPolicy.AfterStable
        ? $"until it has been healthy and connected for {Words.Lasted(policy.StableFor)} without a break"
        : "until an operator fails back";

    private static FailbackStatus Count(FailbackStatus held, in FailbackFacts facts)
    {
        var since = facts.Connected ? held.StableSince ?? facts.Now : (TimeSpan?)null;
        var counting = held.StableSince == since ? held : held with { StableSince = since };
        return counting.ReleaseAt(facts.Policy) <= facts.Now ? FailbackStatus.Settled : counting;
    }
}
