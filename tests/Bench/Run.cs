using System.Diagnostics;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench;

/// <summary>What all rows need of a run.</summary>
internal sealed class Run(BenchOptions options, Results results, CancellationToken cancellation)
{
    // Far longer than the slowest daemon takes: only a broken run reaches it.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _settle = TimeSpan.FromMilliseconds(150);

    private readonly long _began = Stopwatch.GetTimestamp();

    public BenchOptions Options => options;

    public Results Results => results;

    public CancellationToken Cancellation => cancellation;

    public static double Milliseconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;

    /// <summary>Lets what the last measurement set going come to rest.</summary>
    public Task SettleAsync() => Pause.ForAsync(_settle, cancellation);

    public void Progress(string text) => Console.Error.WriteLine($"[{Stopwatch.GetElapsedTime(_began):mm\\:ss}] {text}");

    /// <summary>Waits for what the peers are to see of a subject.</summary>
    /// <exception cref="InvalidOperationException">It did not come, with the last words of the subject.</exception>
    public async Task<long> WithinAsync(Subject subject, Task<long> seen)
    {
        try
        {
            return await seen.WaitAsync(_patience, cancellation);
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"{subject.Name}: after {_patience.TotalSeconds} s the peers have not seen what they were to see. Its log ends with:\n{subject.LastWords()}");
        }
    }
}
