namespace FailoverHub.Agent.Vantage;

/// <summary>Asks what a plan names. Called by one caller; what it is asked ends at any time.</summary>
internal interface ITargetAsking
{
    /// <summary>Asks once.</summary>
    /// <param name="task">What, how, and how long.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    Task<ProbeOutcome> AskAsync(VantageTask task, CancellationToken cancellationToken);

    /// <summary>Closes what it has open. When nothing is out any more; the next question opens it anew.</summary>
    Task ReleaseAsync();
}

/// <summary>What came of asking once: answered, not answered, or not asked at all.</summary>
/// <param name="RoundTrip">Null: no answer.</param>
/// <param name="Error">Why there is none; empty: nothing came.</param>
/// <param name="Problem">Why it was not asked, which says nothing about the address; null: it was.</param>
internal sealed record ProbeOutcome(TimeSpan? RoundTrip, string Error, string? Problem)
{
    public static ProbeOutcome Answered(TimeSpan roundTrip) => new(roundTrip, "", null);

    /// <param name="why">In words; empty: nothing came.</param>
    public static ProbeOutcome Lost(string why) => new(null, why, null);

    /// <param name="why">One sentence.</param>
    public static ProbeOutcome NotAsked(string why) => new(null, "", why);
}
