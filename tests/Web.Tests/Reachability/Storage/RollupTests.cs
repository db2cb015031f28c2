using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;

namespace FailoverHub.Web.Tests.Reachability.Storage;

/// <summary>What has to hold of every stream of probes, tried with some thousand of them; a failure names its seed.</summary>
public sealed class RollupTests
{
    private static readonly TimeSpan Hole = TimeSpan.FromSeconds(3);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 300)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AnyCutIntoConsecutiveParts_MakesTheSameRollup_InWhicheverOrderTheyArePutTogether(int seed)
    {
        var random = new Random(seed);
        List<ProbeSample> samples = RandomProbes.Stream(random, random.Next(1, 200));
        ProbeRollup whole = ProbeRollup.Of(samples, Hole)!;
        var parts = new List<ProbeRollup>();
        for (int at = 0; at < samples.Count;)
        {
            int length = random.Next(1, Math.Min(12, samples.Count - at) + 1);
            parts.Add(ProbeRollup.Of(samples.GetRange(at, length), Hole)!);
            at += length;
        }

        // Neighbours are put together in any order until one is left.
        while (parts.Count > 1)
        {
            int place = random.Next(parts.Count - 1);
            ProbeRollup both = random.Next(2) == 0 ? parts[place].With(parts[place + 1], Hole) : parts[place + 1].With(parts[place], Hole);
            parts.RemoveAt(place + 1);
            parts[place] = both;
        }

        Assert.Equal(whole, parts[0]);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AnySplit_HoweverTheProbesAreDealtOut_CountsTheSame(int seed)
    {
        var random = new Random(seed);
        List<ProbeSample> samples = RandomProbes.Stream(random, random.Next(2, 200));
        ProbeRollup whole = ProbeRollup.Of(samples, Hole)!;

        ProbeRollup dealt = ProbeRollup.Of(samples.GroupBy(_ => random.Next(5)).OrderBy(_ => random.Next()).Select(g => ProbeRollup.Of([.. g], Hole)!), Hole)!;

        Assert.Equal(
            (whole.Sent, whole.Lost, whole.FirstMs, whole.LastMs, whole.MinUs, whole.MaxUs, whole.SumUs, whole.RoundTrips),
            (dealt.Sent, dealt.Lost, dealt.FirstMs, dealt.LastMs, dealt.MinUs, dealt.MaxUs, dealt.SumUs, dealt.RoundTrips));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void LongestSilence_IsThatOfTheMeasuredOutage(int seed)
    {
        List<ProbeSample> samples = RandomProbes.Stream(new Random(seed), 150);

        MeasuredOutage measured = MeasuredOutage.Of(System.Net.IPNetwork.Parse("203.0.113.10/32"), samples);

        Assert.Equal(measured.Longest ?? TimeSpan.Zero, TimeSpan.FromMilliseconds(ProbeRollup.Of(samples, MeasuredOutage.HoleAfter)!.LongestMs));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Percentile_OfSketchesPutTogether_IsWithinTwoPercentOfTheExactOne(int seed)
    {
        var random = new Random(seed);
        long[] roundTrips = [.. Enumerable.Range(0, random.Next(1, 3_000)).Select(_ => RandomProbes.RoundTrip(random))];

        RoundTripSketch sketch = roundTrips.GroupBy(_ => random.Next(7)).Select(g => RoundTripSketch.Of(g)).Aggregate((a, b) => random.Next(2) == 0 ? a.With(b) : b.With(a));

        Array.Sort(roundTrips);
        Assert.Equal(roundTrips.Length, sketch.Count);
        foreach (double part in (double[])[0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1])
        {
            long exact = roundTrips[(int)Math.Ceiling(part * roundTrips.Length) - 1];
            Assert.True(Math.Abs(sketch.Percentile(part)!.Value - exact) <= (RoundTripSketch.RelativeError * exact) + 1e-6, $"{part}: {sketch.Percentile(part)} and not {exact}");
        }
    }

    [Fact]
    public void Sketches_PutTogether_AreTheSameInWhicheverOrderAndGrouping()
    {
        var random = new Random(1);
        RoundTripSketch[] s = [.. Enumerable.Range(0, 3).Select(_ => RoundTripSketch.Of(Enumerable.Range(0, 100).Select(_ => RandomProbes.RoundTrip(random))))];

        Assert.Equal(s[0].With(s[1]).With(s[2]), s[0].With(s[1].With(s[2])));
        Assert.Equal(s[0].With(s[1]), s[1].With(s[0]));
        Assert.Equal(s[0], s[0].With(RoundTripSketch.Empty));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(60_000_000)]
    [InlineData(600_000_000)]
    public void Buckets_HoldWhateverCanBeMeasured(long microseconds) => Assert.InRange(RoundTripSketch.BucketOf(microseconds), 0, RoundTripSketch.Buckets - 1);

    [Fact]
    public void BucketsBoundary_AMinute_IsStillWithinTheError() =>
        Assert.InRange(RoundTripSketch.Of([60_000_000]).Percentile(0.5)!.Value, 60_000_000 * 0.98, 60_000_000 * 1.02);
}
