using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability;

/// <summary>Why a node that asks for the hub is of no use as a vantage point.</summary>
public enum VantageTrouble
{
    /// <summary>Its stream has ended: nothing is heard of it.</summary>
    LinkDown,

    /// <summary>It is connected, and does not offer itself any more: its probing was turned off, or an agent that cannot probe runs there now.</summary>
    NotOffered,

    /// <summary>Its stream is open, and what it tells is old, or it tells nothing.</summary>
    Behind,

    /// <summary>It says that it cannot ask any of its targets.</summary>
    CannotAsk,
}

/// <summary>How one node stands as a vantage point. Whoever never asked anything has none.</summary>
public sealed record VantageStanding
{
    /// <summary>Id of the node.</summary>
    public required string Id { get; init; }

    /// <summary>What it is called now.</summary>
    public required string Name { get; init; }

    /// <summary>Ids of the targets that it asks; of one that is lost: that it asked when it was.</summary>
    public required ImmutableArray<string> Targets { get; init; }

    /// <summary>How many of those nobody but the hub asks now.</summary>
    public required int OnlyTheHub { get; init; }

    /// <summary>When it last told of a probe, UTC; null: it has not yet.</summary>
    public required DateTimeOffset? LastToldAt { get; init; }

    /// <summary>Why it is of no use; null: it is.</summary>
    public required VantageTrouble? Trouble { get; init; }

    /// <summary>Since when that is so, UTC; null: nothing is wrong.</summary>
    public required DateTimeOffset? Since { get; init; }

    /// <summary>What it says itself of the reason, or null.</summary>
    public string? Problem { get; init; }

    /// <summary>Why it is lost, as the part of a sentence: "its link to the hub is down". Empty: it is not.</summary>
    public string Why => Trouble switch
    {
        VantageTrouble.LinkDown => "its link to the hub is down",
        VantageTrouble.NotOffered => "it is connected, but does not offer itself any more (its probing is off)",
        VantageTrouble.Behind => "it has fallen behind: what it tells of its probes is old, or does not come",
        VantageTrouble.CannotAsk => $"it cannot ask any of its targets{(Problem is { } problem ? $": {problem.TrimEnd('.')}" : "")}",
        _ => "",
    };

    /// <summary>"node-c is lost as a vantage point: … It asked 3 targets for the hub; …": what is lost by it, whole sentences. What its targets do is not known from there.</summary>
    public string LostSentence => $"{Name} is lost as a vantage point: {Why}. It asked {Count(Targets.Length)} for the hub; {Alone}";

    private string Alone => OnlyTheHub switch
    {
        0 => "others ask what it asked.",
        _ when OnlyTheHub == Targets.Length => $"only the hub asks {(Targets.Length == 1 ? "it" : "them")} now.",
        1 => "only the hub asks 1 of them now.",
        _ => FormattableString.Invariant($"only the hub asks {OnlyTheHub} of them now."),
    };

    private static string Count(int targets) => targets == 1 ? "1 target" : FormattableString.Invariant($"{targets} targets");
}
