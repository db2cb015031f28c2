using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Node.Intents;

/// <summary>The role that an intent gives one prefix.</summary>
internal sealed record PrefixIntent(IPNetwork Prefix, Role Role)
{
    /// <summary>Null: the configuration decides.</summary>
    public FailbackPolicy? FailbackPolicy { get; init; }

    /// <summary>Of <see cref="FailbackPolicy.AfterStable"/>: 1 to <see cref="FailbackOptions.LongestStable"/>; null: the configuration decides.</summary>
    public TimeSpan? StableFor { get; init; }

    /// <summary>Announce it as primary now, whatever the failback policy holds. Holds for the moment at which the intent is accepted.</summary>
    public bool AtOnce { get; init; }
}

/// <summary>The whole wanted state of this node. A newer revision supersedes an older one; there are no steps to lose.</summary>
internal sealed record NodeIntent
{
    /// <summary>1 and up.</summary>
    public required ulong Revision { get; init; }

    /// <summary>Announce nothing; sessions stay up.</summary>
    public required bool Drained { get; init; }

    /// <summary>At most one per prefix. Prefixes that are not here follow the configuration.</summary>
    public required ImmutableArray<PrefixIntent> Prefixes { get; init; }

    /// <summary>The hub's operation that caused it, empty: none.</summary>
    public string OperationId { get; init; } = "";

    /// <summary>The operator's words, empty: none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Ends a drain that was ordered on the node itself.</summary>
    public bool LiftLocalDrain { get; init; }

    /// <summary>Wants the same of the node; why and by whom may differ.</summary>
    public bool WantsTheSameAs(NodeIntent other) =>
        Drained == other.Drained && LiftLocalDrain == other.LiftLocalDrain && Prefixes.Length == other.Prefixes.Length && Prefixes.ToHashSet().SetEquals(other.Prefixes);

    /// <summary>For sentences: <c>intent 7 ("maintenance")</c>.</summary>
    public string Describe() => Reason.Length == 0 ? $"intent {Revision}" : $"intent {Revision} (\"{Reason}\")";
}

/// <summary>The answer to an intent.</summary>
internal abstract record IntentOutcome
{
    private IntentOutcome()
    {
    }

    /// <summary>The UPDATEs are written on the sockets of this many established sessions. Not: a router chose it.</summary>
    internal sealed record Applied(int Sessions) : IntentOutcome;

    /// <summary>Kept and obeyed, but no neighbor has been told.</summary>
    internal sealed record AcceptedNotAnnounced(string Reason) : IntentOutcome;

    /// <summary>Not kept; everything is as it was.</summary>
    internal sealed record Rejected(string Reason) : IntentOutcome;
}

/// <summary>An answer on its way to whoever sent the intent.</summary>
internal sealed record IntentAnswer(ulong Revision, IntentOutcome Outcome);
