using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using FailoverHub.Bench.Lab;

namespace FailoverHub.Bench.Load;

/// <summary>Changes that are recognised where they arrive: each is the last error of a session, with a number.</summary>
internal sealed class Marks
{
    private readonly ConcurrentDictionary<string, long> _written = new();
    private readonly ConcurrentBag<double> _took = [];
    private int _last;

    /// <summary>Written and not seen so far.</summary>
    public int Missing => _written.Count;

    public Quantiles Took => Quantiles.Of(_took);

    /// <summary>A change of another node each time, at that pace, for so long; ends two seconds after the last.</summary>
    /// <param name="choose">Whose turn it is.</param>
    /// <param name="every">From one to the next.</param>
    /// <param name="length">For how long.</param>
    /// <param name="stop">Gives up.</param>
    public async Task WriteAsync(Func<SimulatedAgent> choose, TimeSpan every, TimeSpan length, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(every);
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < length)
        {
            await timer.WaitForNextTickAsync(stop);
            var mark = string.Create(CultureInfo.InvariantCulture, $"mark {Interlocked.Increment(ref _last)};");
            _written[mark] = Stopwatch.GetTimestamp();
            if (await choose().MarkAsync(mark) is null)
            {
                _written.TryRemove(mark, out _);
            }
        }

        await Pause.ForAsync(TimeSpan.FromSeconds(2), stop);
    }

    /// <summary>That one has arrived.</summary>
    public void Seen(string? mark, long at)
    {
        if (mark is not null && _written.TryRemove(mark, out var written))
        {
            _took.Add(Stopwatch.GetElapsedTime(written, at).TotalMilliseconds);
        }
    }
}

/// <summary>Of milliseconds; nothing was measured when there are no samples.</summary>
internal sealed record Quantiles(int Samples, double Median, double Late, double Longest)
{
    public static Quantiles Of(IReadOnlyCollection<double> samples)
    {
        if (samples.Count == 0)
        {
            return new Quantiles(0, double.NaN, double.NaN, double.NaN);
        }

        double[] sorted = [.. samples.Order()];
        double At(double q) => sorted[Math.Min(sorted.Length - 1, (int)(q * sorted.Length))];
        return new Quantiles(sorted.Length, At(0.5), At(0.99), sorted[^1]);
    }

    public override string ToString() => Samples == 0 ? "no samples" : string.Create(CultureInfo.InvariantCulture, $"median {Median:0} ms, p99 {Late:0} ms, longest {Longest:0} ms ({Samples})");
}
