using System.Net;
using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Reachability.Targets;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Reachability.Storage;

/// <summary>
/// A day of a thousand targets as the hub lives it, on a clock that only the test moves: the prober's own board says when each is asked, what comes back is taken in by it,
/// handed over, journalled, packed and rolled up minute by minute, and is found again afterwards. Most targets are asked seldom, as slow ones are; what a thousand of one
/// second come to is in <see cref="DayOfManyTargetsTests"/>.
/// </summary>
[Trait("Kind", "Long")]
public sealed class ProbedDayTests
{
    private const int EachSecond = 8;
    private const int EachMinute = 32;
    private const int EachHalfHour = 960;
    private static readonly DateTimeOffset Begin = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AThousandTargets_OneDay_EveryProbeIsFoundAgainInMinutesAndHours_WithTheRightPercentiles_AndNothingElseIsLeft()
    {
        await using var rig = new StoreRig(Begin);
        await rig.StartAsync();
        var board = new ProbeBoard(ProbePace.Default, new Random(7));
        Asked[] all = [.. Enumerable.Range(0, EachSecond + EachMinute + EachHalfHour).Select(i => new Asked(i, TargetOf(i)))];
        var known = all.ToDictionary(a => a.Target.Id);
        board.SetTargets([.. all.Select(a => a.Target)], [], TimeSpan.Zero);

        await LiveThroughAsync(rig, board, known);

        foreach (Asked asked in all)
        {
            int planned = (int)(Day / asked.Target.Interval);
            // Each interval is a little longer or shorter at random; and what is shared is looked at closely around its outage.
            double most = asked.Target.IsShared ? planned * 2 : (planned * 1.01) + 3;
            Assert.True(asked.Answered.Count + asked.Lost >= (planned * 0.99) - 3 && asked.Answered.Count + asked.Lost <= most, $"{asked.Target.Id}: {asked.Answered.Count} answered and {asked.Lost} lost of {planned}");
        }

        foreach (Asked asked in all.Where((_, i) => i < EachSecond + EachMinute || i % 40 == 0))
        {
            // By the minutes of each hour, and by the hours of the day.
            ReachabilityChart[] hours = await Task.WhenAll(Enumerable.Range(0, 24).Select(h => rig.History.ReadAsync(asked.Target.Id, ProbeSeries.Hub, Begin.AddHours(h), Begin.AddHours(h + 1), TimeSpan.FromMinutes(1), Stop)));
            ReachabilityChart day = await rig.History.ReadAsync(asked.Target.Id, ProbeSeries.Hub, Begin, Begin + Day, TimeSpan.FromHours(1), Stop);

            Assert.Equal((asked.Answered.Count + asked.Lost, asked.Lost), (hours.Sum(h => h.Whole?.Sent ?? 0), hours.Sum(h => h.Whole?.Lost ?? 0)));
            Assert.Equal((asked.Answered.Count + asked.Lost, asked.Lost), (day.Whole!.Sent, day.Whole.Lost));
            asked.Answered.Sort();
            RoundTripFigures figures = day.Whole.RoundTrips!;
            Assert.InRange(figures.Median.TotalMicroseconds, asked.Exact(0.5) * 0.98, asked.Exact(0.5) * 1.02);
            Assert.InRange(figures.P95.TotalMicroseconds, asked.Exact(0.95) * 0.98, asked.Exact(0.95) * 1.02);
            Assert.InRange(figures.P99.TotalMicroseconds, asked.Exact(0.99) * 0.98, asked.Exact(0.99) * 1.02);
            Assert.Equal((asked.Answered[0], asked.Answered[^1]), (figures.Minimum.TotalMicroseconds, figures.Maximum.TotalMicroseconds));
        }

        await AssertBoundedAsync(rig, all);
    }

    private static async Task AssertBoundedAsync(StoreRig rig, Asked[] all)
    {
        await using HubDbContext db = await rig.Database.CreateDbContextAsync(Stop);
        long probes = all.Sum(a => (long)a.Answered.Count + a.Lost);
        int[] quick = await db.ProbeSeries.Where(s => s.IntervalMs == 1_000).Select(s => s.Id).ToArrayAsync(Stop);
        long ofQuick = all.Where(a => a.Target.IsShared).Sum(a => (long)a.Answered.Count + a.Lost);
        long raw = await db.RawProbes.Where(r => quick.Contains(r.SeriesId)).SumAsync(r => (long)r.Data.Length, Stop);
        int minutes = await db.MinuteRollups.CountAsync(Stop);
        int hours = await db.HourRollups.CountAsync(Stop);
        int journal = await db.ProbeJournal.CountAsync(Stop);
        string found = $"{probes} probes; of each second {raw / (double)ofQuick:0.00} octets a probe; {minutes} rows of minutes, {hours} of hours, {journal} of the journal; {rig.Store.Lost} lost";
        TestContext.Current.TestOutputHelper?.WriteLine(found);
        Assert.Equal(EachSecond, quick.Length);
        Assert.True(raw < 3.6 * ofQuick, found);

        // A row of an hour or of a day for each target, and one more where the day after has begun.
        Assert.True(minutes <= all.Length * 25 && hours <= all.Length * 2, found);
        Assert.Equal((0, 0), (journal, rig.Store.Lost));
    }

    // As the prober does it: what is due is sent, what is silent is known when its time is over, and each minute the store has its turn.
    private static async Task LiveThroughAsync(StoreRig rig, ProbeBoard board, Dictionary<string, Asked> known)
    {
        var silent = new PriorityQueue<(ProbeTarget Target, ProbeSample Sample, TimeSpan SentAt), TimeSpan>();
        var (now, minute, end) = (TimeSpan.Zero, TimeSpan.FromMinutes(1), Day + TimeSpan.FromMinutes(3));
        while (now < end)
        {
            TimeSpan next = silent.TryPeek(out _, out TimeSpan over) && over < minute ? over : minute;
            next = now < Day && board.NextDue is { } due && due < next ? due : next;
            next = next > now ? next : now + TimeSpan.FromMilliseconds(1);
            rig.Clock.Advance(next - now);
            now = next;
            while (silent.TryPeek(out var answer, out over) && over <= now)
            {
                silent.Dequeue();
                board.Record(answer.Target, answer.Sample, answer.SentAt);
            }

            if (now < Day)
            {
                foreach ((ProbeTarget target, _) in board.TakeDue(now, int.MaxValue))
                {
                    Asked asked = known[target.Id];
                    var sample = new ProbeSample(rig.Clock.GetUtcNow(), asked.RoundTrip(now), null);
                    if (sample.Answered)
                    {
                        board.Record(target, sample, now);
                    }
                    else
                    {
                        silent.Enqueue((target, sample with { Error = "no answer within 900 ms" }, now), now + target.Timeout);
                    }
                }
            }

            foreach ((ProbeTarget target, ProbeSample sample) in board.TakeCounted(now))
            {
                known[target.Id].Count(sample);
                rig.Store.Add(new ProbeSeries(target.Id, ProbeSeries.Hub), target.Interval, sample);
            }

            if (now >= minute)
            {
                minute += TimeSpan.FromMinutes(1);
                await rig.EndMinuteAsync();
            }
        }
    }

    private static ProbeTarget TargetOf(int i)
    {
        if (i < EachSecond)
        {
            var prefix = IPNetwork.Parse($"203.0.113.{i + 1}/32");
            return new ProbeTarget(prefix, prefix.BaseAddress, $"pair-{i}");
        }

        var address = IPAddress.Parse($"198.18.{i / 250}.{(i % 250) + 1}");
        var draft = new NamedTargetDraft { Name = $"target-{i}", Address = address.ToString(), Interval = i < EachSecond + EachMinute ? TimeSpan.FromMinutes(1) : TimeSpan.FromMinutes(30) };
        NamedTarget named = NamedTarget.TryCreate(draft, out _)!;
        return new ProbeTarget(ProbeTarget.Alone(address), address, "") { Id = named.Id, Named = named };
    }

    /// <summary>A target with a distance of its own from 0.2 to 40 ms, jitter, a tail, now and then a loss, and an outage of nine seconds some time of the day; and what it was asked.</summary>
    private sealed class Asked(int number, ProbeTarget target)
    {
        private readonly Random _random = new(number);
        private readonly double _base = 200 * Math.Pow(200, number % 100 / 99.0);
        private readonly TimeSpan _outage = TimeSpan.FromMinutes(((number * 97) % 1_380) + 30);

        public ProbeTarget Target => target;

        /// <summary>Round trips in microseconds.</summary>
        public List<long> Answered { get; } = [];

        public int Lost { get; private set; }

        public TimeSpan? RoundTrip(TimeSpan now)
        {
            double jitter = _random.NextDouble();
            double roundTrip = _base * (1 + (0.15 * jitter * jitter)) + (_random.Next(50) == 0 ? _base * _random.NextDouble() * 3 : 0);
            return _random.Next(2_000) == 0 || (now >= _outage && now < _outage + TimeSpan.FromSeconds(9)) ? null : TimeSpan.FromMicroseconds(Math.Round(roundTrip));
        }

        public void Count(ProbeSample sample)
        {
            if (sample.RoundTrip is { } roundTrip)
            {
                Answered.Add(ProbeRollup.MicrosecondsOf(roundTrip));
            }
            else
            {
                Lost++;
            }
        }

        public double Exact(double part) => Answered[(int)Math.Ceiling(part * Answered.Count) - 1];
    }
}
