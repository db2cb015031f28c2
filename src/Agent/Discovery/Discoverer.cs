using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Discovery;

/// <summary>
/// Asks the metadata service until it answers, and then from time to time: an address may be shared later, and a machine moves to another host. A
/// machine that boots before its network has it without an answer for a while, so there is no end to asking.
/// </summary>
/// <param name="ask">Asks once, within a bound of its own.</param>
/// <param name="file">Where the last good answer is kept.</param>
/// <param name="time">For the pauses.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class Discoverer(
    Func<CancellationToken, Task<(InstanceAnswer? Answer, string? Problem)>> ask,
    string file,
    TimeProvider time,
    ILogger<Discoverer> logger)
{
    /// <summary>After the first failure while something waits for the answer; twice as long after each further one.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two questions while something waits for the answer.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>At least, while nothing waits for an answer: an idle agent is to be idle.</summary>
    public static readonly TimeSpan UnhurriedPause = TimeSpan.FromSeconds(5);

    /// <summary>After an answer, and while nothing waits for one.</summary>
    public static readonly TimeSpan RestingPause = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan _reminder = TimeSpan.FromMinutes(10);

    private string? _saidProblem;
    private long _saidAt;
    private string? _saidOdd;

    /// <summary>The answer of an earlier start; null: there is none.</summary>
    public InstanceFacts? Kept { get; private set; } = InstanceStore.Load(file);

    /// <summary>Asks until it is cancelled.</summary>
    /// <param name="pause">Before the first question.</param>
    /// <param name="lacking">What cannot be done without an answer, for the log; null: nothing waits for one.</param>
    /// <param name="learned">Told each answer: one that says the same as before says it of now.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(TimeSpan pause, Func<string?> lacking, Func<InstanceFacts, CancellationToken, ValueTask> learned, CancellationToken cancellationToken)
    {
        var retry = ShortestPause;
        try
        {
            while (true)
            {
                await Task.Delay(pause, time, cancellationToken);
                var (answer, problem) = await ask(cancellationToken);
                if (answer is not null)
                {
                    Take(answer);
                    (pause, retry) = (RestingPause, ShortestPause);
                    await learned(answer.Facts, cancellationToken);
                }
                else if (lacking() is { } what)
                {
                    Complain(problem!, what);
                    pause = retry;
                    retry = Longer(retry, LongestPause);
                }
                else
                {
                    // On a machine that is none of the platform's this goes on for ever, rarely and without a word.
                    Silent(logger, problem!);
                    pause = retry > UnhurriedPause ? retry : UnhurriedPause;
                    retry = Longer(pause, RestingPause);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    private void Take(InstanceAnswer answer)
    {
        _saidProblem = null;
        var odd = string.Join("; ", answer.Oddities);
        if (odd.Length > 0 && odd != _saidOdd)
        {
            Odd(logger, odd);
        }

        _saidOdd = odd;
        if (Kept is null || !answer.Facts.SaysTheSameAs(Kept))
        {
            var facts = DiscoveredOptions.Describe(answer.Facts);
            Said(logger, facts);
        }

        Kept = answer.Facts;
        if (InstanceStore.Save(file, answer.Facts) is { } problem)
        {
            NotKept(logger, problem);
        }
    }

    // The same is said again only after a while: it goes on for as long as the network is not there.
    private void Complain(string problem, string lacking)
    {
        if (problem == _saidProblem && time.GetElapsedTime(_saidAt) < _reminder)
        {
            return;
        }

        (_saidProblem, _saidAt) = (problem, time.GetTimestamp());
        Waiting(logger, lacking, problem, LongestPause.TotalSeconds);
    }

    private static TimeSpan Longer(TimeSpan pause, TimeSpan longest) => 2 * pause < longest ? 2 * pause : longest;

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The metadata service does not answer, and {Lacking} before it does: {Problem}. It is asked again, at least every {Seconds:0} s; with --dcid the agent needs no answer")]
    private static partial void Waiting(ILogger logger, string lacking, string problem, double seconds);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "The metadata service does not answer; nothing depends on it now: {Problem}")]
    private static partial void Silent(ILogger logger, string problem);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "The metadata service says: {Facts}")]
    private static partial void Said(ILogger logger, string facts);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "Of what the metadata service says this is left out: {Oddities}")]
    private static partial void Odd(ILogger logger, string oddities);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "What the metadata service says cannot be kept, the next start has to wait for it: {Problem}")]
    private static partial void NotKept(ILogger logger, string problem);
}
