using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;

namespace FailoverHub.Web.Tests.Reachability.Storage;

public sealed class PackedBytesTests
{
    private const long Minute = 29_630_160;
    private static readonly DateTimeOffset MinuteAt = DateTimeOffset.FromUnixTimeMilliseconds(Minute * 60_000);
    private static readonly TimeSpan Hole = TimeSpan.FromSeconds(3);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 200)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Probes_PackedAndUnpacked_AreTheSame(int seed)
    {
        var random = new Random(seed);
        List<ProbeSample> samples = [.. RandomProbes.Stream(random, random.Next(1, 90), MinuteAt).Where(s => s.At < MinuteAt.AddMinutes(1))];

        Assert.Equal(samples, SampleBytes.TryRead(Minute, SampleBytes.Write(Minute, samples)));
    }

    [Fact]
    public void Probes_LayoutOfVersion1_IsAsItIsDrawn() =>
        Assert.Equal(
            [
                1, 3, 1, // the version, three probes, one error
                2, (byte)'n', (byte)'o',
                0xd0, 0x0f, // (fold 500 = 1000) × 2, answered: 2000
                0xf4, 0x03, // fold 250 µs = 500
                0xd4, 0x0f, // the step 1001, 501 more than before: fold 501 = 1002, × 2 = 2004, answered
                0x13, // ten µs less: fold -10 = 19
                0x03, // the step 1000, one less: fold -1 = 1, × 2 + 1, not answered
                1, // the first error
            ],
            SampleBytes.Write(Minute,
            [
                new ProbeSample(MinuteAt.AddMilliseconds(500), TimeSpan.FromMicroseconds(250), null),
                new ProbeSample(MinuteAt.AddMilliseconds(1_501), TimeSpan.FromMicroseconds(240), null),
                new ProbeSample(MinuteAt.AddMilliseconds(2_501), null, "no"),
            ]));

    [Fact]
    public void Errors_ThatAreManyOrLong_LoseTheirWordsButNoProbe()
    {
        List<ProbeSample> samples = [.. Enumerable.Range(0, 50).Select(i => new ProbeSample(MinuteAt.AddSeconds(i), null, $"{i}: {new string('ä', 300)}"))];

        List<ProbeSample> read = SampleBytes.TryRead(Minute, SampleBytes.Write(Minute, samples))!;

        Assert.Equal(50, read.Count(s => !s.Answered));
        Assert.Equal(16, read.Count(s => s.Error is not null));
        Assert.All(read.Where(s => s.Error is not null), s => Assert.Contains("ää", s.Error, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void RowOfRollups_PackedAndUnpacked_IsTheSame_WhicheverSlotComesLast(int seed)
    {
        var random = new Random(seed);
        long hour = Minute / 60;
        long rowMs = hour * 3_600_000;
        var wanted = new SortedDictionary<int, ProbeRollup>();
        byte[] row = [];
        for (int i = random.Next(1, 80); i > 0; i--)
        {
            int slot = random.Next(60);
            DateTimeOffset begin = DateTimeOffset.FromUnixTimeMilliseconds(rowMs + (slot * 60_000L));
            wanted[slot] = ProbeRollup.Of([.. RandomProbes.Stream(random, random.Next(1, 70), begin).Where(s => s.At < begin.AddMinutes(1))], Hole)!;
            row = RollupBytes.With(RollupScale.MinutesOfAnHour, rowMs, row, slot, wanted[slot]);
        }

        Assert.Equal(wanted, RollupBytes.TryRead(RollupScale.MinutesOfAnHour, rowMs, row)!);
        Assert.Equal(row, RollupBytes.Write(RollupScale.MinutesOfAnHour, rowMs, wanted));
    }

    /// <summary>What is read from a damaged disk is refused or read, and never throws, hangs or takes memory that the bytes do not pay for.</summary>
    [Fact]
    public void Parsers_OfRandomAndOfDamagedBytes_RefuseOrRead()
    {
        var random = new Random(7);
        List<ProbeSample> minute = [.. RandomProbes.Stream(random, 50, MinuteAt).Where(s => s.At < MinuteAt.AddMinutes(1))];
        byte[] packed = SampleBytes.Write(Minute, minute);
        byte[] row = RollupBytes.With(RollupScale.MinutesOfAnHour, Minute / 60 * 3_600_000, [], (int)(Minute % 60), ProbeRollup.Of(minute, Hole)!);
        byte[] journal = ProbeJournal.Write(Minute, [(7, minute)]);
        int refused = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 60_000; i++)
        {
            byte[] bytes = Damage(random, (i % 4) switch { 0 => packed, 1 => row, 2 => journal, _ => [1, .. RandomBytes(random)] });
            List<ProbeSample>? samples = SampleBytes.TryRead(Minute, bytes);
            SortedDictionary<int, ProbeRollup>? rollups = RollupBytes.TryRead(RollupScale.MinutesOfAnHour, Minute / 60 * 3_600_000, bytes);
            RollupBytes.TryRead(RollupScale.HoursOfADay, 0, bytes);
            ProbeJournal.Read(Minute, bytes);
            refused += samples is null && rollups is null ? 1 : 0;

            // What was read can be packed again, and is then the same: nothing that is no minute of probes got through.
            if (samples is not null)
            {
                Assert.Equal(samples, SampleBytes.TryRead(Minute, SampleBytes.Write(Minute, samples)));
            }

            if (rollups is not null)
            {
                Assert.Equal(rollups, RollupBytes.TryRead(RollupScale.MinutesOfAnHour, Minute / 60 * 3_600_000, RollupBytes.Write(RollupScale.MinutesOfAnHour, Minute / 60 * 3_600_000, rollups)));
            }
        }

        Assert.InRange(refused, 1, 59_999);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 60_000L * 60_000);
    }

    [Fact]
    public void UnknownVersion_IsRefused()
    {
        byte[] packed = SampleBytes.Write(Minute, [new ProbeSample(MinuteAt, TimeSpan.FromMilliseconds(1), null)]);
        packed[0] = 2;

        Assert.Null(SampleBytes.TryRead(Minute, packed));
        Assert.Null(SampleBytes.TryRead(Minute, []));
        Assert.Null(RollupBytes.TryRead(RollupScale.HoursOfADay, 0, [2]));
    }

    private static byte[] RandomBytes(Random random)
    {
        byte[] bytes = new byte[random.Next(120)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Damage(Random random, byte[] whole)
    {
        byte[] bytes = [.. whole];
        for (int i = random.Next(4); i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)0xff : (byte)random.Next(256);
        }

        return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : random.Next(8) == 0 ? [.. bytes, (byte)random.Next(256)] : bytes;
    }
}
