namespace FailoverHub.Agent.Doctor;

/// <summary>How one precondition stands.</summary>
internal enum FindingState
{
    Passed,

    /// <summary>Something does not work, or will not, until it is changed.</summary>
    Failed,

    /// <summary>It cannot be told from here. Counts as no failure.</summary>
    Unknown,

    /// <summary>It does not matter as the node is configured.</summary>
    NotApplicable,
}

/// <summary>One precondition of announcing a shared address, how it stands and what to do.</summary>
/// <param name="Check">Stable name, for scripts.</param>
/// <param name="State">How it stands.</param>
/// <param name="Text">What was found, in a sentence.</param>
/// <param name="Advice">What to do, null: nothing.</param>
internal sealed record Finding(string Check, FindingState State, string Text, string? Advice = null)
{
    public static Finding Passed(string check, string text) => new(check, FindingState.Passed, text);

    public static Finding Failed(string check, string text, string advice) => new(check, FindingState.Failed, text, advice);

    public static Finding Unknown(string check, string text, string? advice = null) => new(check, FindingState.Unknown, text, advice);

    public static Finding NotApplicable(string check, string text) => new(check, FindingState.NotApplicable, text);
}

internal static class FindingStateWords
{
    public static string Word(this FindingState state) => state switch
    {
        FindingState.Passed => "passed",
        FindingState.Failed => "failed",
        FindingState.Unknown => "unknown",
        FindingState.NotApplicable => "not-applicable",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a state."),
    };
}
