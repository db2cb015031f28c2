namespace FailoverHub.Bench.Lab;

/// <summary>The only place where the bench waits for nothing but time: between measurements, and for as long as one takes.</summary>
internal static class Pause
{
    public static async Task ForAsync(TimeSpan time, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync(cancellation);
    }
}
