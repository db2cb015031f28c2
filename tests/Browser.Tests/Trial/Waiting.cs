using System.Diagnostics;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>Asks other processes until they say what is wanted. The limit is for what is broken; nothing here asserts a time.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <exception cref="TimeoutException">It never was so; with the last answer.</exception>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> wanted, string what, CancellationToken cancelled)
    {
        var began = Stopwatch.GetTimestamp();
        using var period = new PeriodicTimer(Period);
        while (true)
        {
            var answer = await ask();
            if (wanted(answer))
            {
                return answer;
            }

            if (Stopwatch.GetElapsedTime(began) > Limit)
            {
                throw new TimeoutException($"Not seen in {Limit}: {what}. Last answer: {answer}");
            }

            await period.WaitForNextTickAsync(cancelled);
        }
    }
}
