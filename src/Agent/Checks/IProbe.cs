namespace FailoverHub.Agent.Checks;

/// <summary>What one run found.</summary>
/// <param name="Good">Or bad.</param>
/// <param name="Text">In words, harmless to show: <c>connected</c>, <c>connection refused</c>, <c>exit code 2: no such table</c>.</param>
/// <param name="Took">How long it ran.</param>
internal readonly record struct ProbeResult(bool Good, string Text, TimeSpan Took = default)
{
    public static ProbeResult Fine(string text) => new(true, text);

    public static ProbeResult Bad(string text) => new(false, text);
}

/// <summary>Finds out how something stands. It knows nothing of verdicts; its runs are never at the same time.</summary>
internal interface IProbe : IDisposable
{
    /// <summary>One run. What it finds is its result, whatever that is; nothing of it goes on behind its end.</summary>
    /// <param name="timeout">Ends the run.</param>
    /// <exception cref="OperationCanceledException">It was ended, and there is nothing more to say about it than that.</exception>
    Task<ProbeResult> RunAsync(CancellationToken timeout);
}
