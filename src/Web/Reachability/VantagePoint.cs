using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability;

/// <summary>What one vantage point sees of one target.</summary>
public sealed record VantagePoint
{
    /// <summary>Id of the hub's own.</summary>
    public const string HubId = "hub";

    /// <summary>So many probes in a row without an answer are silence; one is a lost packet.</summary>
    private const int Silent = 2;

    /// <summary>"hub", or the id of the node that asks.</summary>
    public required string Id { get; init; }

    /// <summary>What it is called now: "hub", or the name of the node.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the target answers it, as of its newest probe and that one's age.</summary>
    public required ReachabilityState State { get; init; }

    /// <summary>Its newest probes, oldest first: those of the last two minutes, at least ten, at most 600.</summary>
    public required ImmutableArray<ProbeSample> Recent { get; init; }

    /// <summary>Why it cannot ask at all, null when it can.</summary>
    public required string? Problem { get; init; }

    /// <summary>It is the hub itself.</summary>
    public bool IsHub => Id == HubId;

    /// <summary>When its newest probe was sent; null: none yet.</summary>
    public DateTimeOffset? LastProbeAt => Recent.IsDefaultOrEmpty ? null : Recent[^1].At;

    /// <summary>It asks, and its newest probes, two at least, were not answered.</summary>
    public bool IsSilent => State == ReachabilityState.Unreachable && Recent.Length >= Silent && Recent.AsSpan()[^Silent..] is [{ Answered: false }, { Answered: false }];

    /// <summary>When the first of the newest unanswered probes was sent; null: the newest was answered, or there is none.</summary>
    private DateTimeOffset? SilentSince
    {
        get
        {
            int first = Recent.Length;
            while (first > 0 && !Recent[first - 1].Answered)
            {
                first--;
            }

            return first < Recent.Length ? Recent[first].At : null;
        }
    }

    /// <summary>What the hub itself sees.</summary>
    /// <param name="state">Whether it answers.</param>
    /// <param name="recent">Newest probes, oldest first.</param>
    /// <param name="problem">Why it cannot ask; null: it can.</param>
    public static VantagePoint OfTheHub(ReachabilityState state, ImmutableArray<ProbeSample> recent, string? problem) => new() { Id = HubId, Name = HubId, State = state, Recent = recent, Problem = problem };

    /// <summary>In what the vantage points differ, one English sentence; null: in nothing that is known. What one was answered before the other heard nothing is no difference. The hub's own view stays what decides whether an address is lost.</summary>
    /// <param name="hub">The hub.</param>
    /// <param name="further">The nodes that ask.</param>
    public static string? DifferenceOf(VantagePoint hub, ImmutableArray<VantagePoint> further)
    {
        // Nodes tell a second later than the hub knows: their last answer may be of before.
        string[] answered = [.. further.Where(v => v.State == ReachabilityState.Reachable && (hub.SilentSince is not { } since || v.LastProbeAt >= since)).Select(v => v.Name)];
        string[] silent = [.. further.Where(v => v.IsSilent && hub.LastProbeAt >= v.SilentSince).Select(v => v.Name)];
        return hub switch
        {
            { IsSilent: true } when answered.Length > 0 => $"Answers {And(answered)}, not the hub.",
            { State: ReachabilityState.Unknown, Problem: not null } when answered.Length > 0 => $"Answers {And(answered)}, while the hub itself cannot tell.",
            { State: ReachabilityState.Reachable } when silent.Length > 0 => $"Answers the hub, not {And(silent)}.",
            _ => null,
        };
    }

    /// <summary>"a", "a and b", "a, b and c".</summary>
    internal static string And(string[] names) => names.Length < 2 ? string.Concat(names) : $"{string.Join(", ", names[..^1])} and {names[^1]}";
}

/// <summary>From where something was ever probed.</summary>
/// <param name="Id">"hub", or the id of the node.</param>
/// <param name="Name">What it is called now.</param>
public readonly record struct VantageName(string Id, string Name);
