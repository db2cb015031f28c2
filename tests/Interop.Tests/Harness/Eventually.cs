using System.Diagnostics;
using System.Text.Json;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>
/// The one place where a test waits for something that no signal tells: a daemon's state is only to be had by asking. Each wait has a name,
/// a bound, and says at its end what it saw last.
/// </summary>
internal static class Eventually
{
    /// <summary>Far longer than anything here takes, so that it only ends a test that is broken.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Asks until the answer is the wanted one.</summary>
    /// <param name="what">Ends the sentence "never saw …".</param>
    /// <param name="ask">May fail while the other side is not ready: then it is asked again.</param>
    /// <param name="isIt">Is this the wanted answer?</param>
    /// <param name="cancellation">Of the test.</param>
    /// <param name="bound">For what takes long on a busy machine; default: <see cref="Bound"/>.</param>
    /// <returns>The wanted answer.</returns>
    public static async Task<T> SeeAsync<T>(string what, Func<CancellationToken, Task<T>> ask, Func<T, bool> isIt, CancellationToken cancellation, TimeSpan? bound = null)
    {
        var limit = bound ?? Bound;
        var since = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Period);
        string last;
        do
        {
            var asked = Stopwatch.StartNew();
            try
            {
                var answer = await ask(cancellation);
                if (isIt(answer))
                {
                    return answer;
                }

                last = Show(answer);
            }
            catch (Exception e) when (e is InvalidOperationException or JsonException or IOException or FormatException)
            {
                last = e.Message;
            }

            // An answer that takes long takes a daemon's time as well: it has as much for itself before the next question.
            timer.Period = asked.Elapsed > Period ? asked.Elapsed : Period;
        }
        while (since.Elapsed < limit && await timer.WaitForNextTickAsync(cancellation));

        Assert.Fail($"Never saw {what} within {limit.TotalSeconds} s. Last seen: {last}");
        return default!;
    }

    /// <summary>Asks again and again for the whole of a time, and fails at the first answer that is not the wanted one.</summary>
    /// <param name="what">Ends the sentence "did not stay so: …".</param>
    /// <param name="span">How long it has to stay so.</param>
    /// <param name="ask">Must not fail.</param>
    /// <param name="isIt">Is this the wanted answer?</param>
    /// <param name="cancellation">Of the test.</param>
    public static async Task StaysAsync<T>(string what, TimeSpan span, Func<CancellationToken, Task<T>> ask, Func<T, bool> isIt, CancellationToken cancellation)
    {
        var since = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Period);
        do
        {
            var answer = await ask(cancellation);
            Assert.True(isIt(answer), $"After {since.ElapsedMilliseconds} ms it did not stay so: {what}. Seen: {Show(answer)}");
        }
        while (since.Elapsed < span && await timer.WaitForNextTickAsync(cancellation));
    }

    private static string Show<T>(T answer) => answer as string ?? JsonSerializer.Serialize(answer, Readable);
}
