using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Tests.Reachability.Storage;

/// <summary>Streams of probes as a bad day has them: jitter, bursts at ten a second, losses in runs, times without probes.</summary>
internal static class RandomProbes
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    public static List<ProbeSample> Stream(Random random, int count, DateTimeOffset? from = null)
    {
        var samples = new List<ProbeSample>(count);
        DateTimeOffset at = (from ?? Start).AddMilliseconds(random.Next(1_000));
        bool lost = random.Next(4) == 0;
        for (int i = 0; i < count; i++)
        {
            lost = random.Next(5) == 0 ? !lost : lost;
            samples.Add(lost
                ? new ProbeSample(at, null, random.Next(3) switch { 0 => "no answer within 900 ms", 1 => "the hub has no route to it – nirgends", _ => null })
                : new ProbeSample(at, TimeSpan.FromMicroseconds(RoundTrip(random)), null));
            at = at.AddMilliseconds(random.Next(12) switch { 0 => random.Next(1, 3), 1 => random.Next(3_000, 9_000), 2 or 3 => 100 + random.Next(9), _ => 1_000 + random.Next(-40, 40) });
        }

        return samples;
    }

    /// <summary>Microseconds, from one to a minute, most of them some hundreds.</summary>
    public static long RoundTrip(Random random) => random.Next(10) == 0 ? (long)Math.Exp(random.NextDouble() * Math.Log(60_000_000)) : 300 + random.Next(400);
}
