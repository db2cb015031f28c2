namespace FailoverHub.Agent.Configuration;

/// <summary>
/// What becomes of an assigned primary that returns: after a start of the agent, when its health or its address is back, after a drain, or
/// when all sessions were lost and one is up again.
/// </summary>
internal enum FailbackPolicy
{
    /// <summary>It is announced as primary at once.</summary>
    Immediate,

    /// <summary>It is announced as secondary until it has been healthy and connected for a while without a break.</summary>
    AfterStable,

    /// <summary>It is announced as secondary until an operator fails back.</summary>
    Manual,

    /// <summary>Nothing is held: both nodes are meant to have the same role, so that the one that has the traffic keeps it.</summary>
    Sticky,
}

internal static class FailbackPolicyWords
{
    public static string Word(this FailbackPolicy policy) => policy switch
    {
        FailbackPolicy.Immediate => "immediate",
        FailbackPolicy.AfterStable => "after-stable",
        FailbackPolicy.Manual => "manual",
        FailbackPolicy.Sticky => "sticky",
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "Not a policy."),
    };

    public static bool TryParse(string? text, out FailbackPolicy policy)
    {
        (var known, policy) = text switch
        {
            "immediate" => (true, FailbackPolicy.Immediate),
            "after-stable" => (true, FailbackPolicy.AfterStable),
            "manual" => (true, FailbackPolicy.Manual),
            "sticky" => (true, FailbackPolicy.Sticky),
            _ => (false, default),
        };
        return known;
    }
}

/// <summary>A failback policy and its time.</summary>
internal sealed record FailbackOptions
{
    public FailbackPolicy Policy { get; init; } = FailbackPolicy.Immediate;

    /// <summary>Of <see cref="FailbackPolicy.AfterStable"/>: more than zero, at most <see cref="LongestStable"/>.</summary>
    public TimeSpan StableFor { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whoever wants to wait for longer wants <see cref="FailbackPolicy.Manual"/>.</summary>
    public static TimeSpan LongestStable { get; } = TimeSpan.FromDays(1);
}
