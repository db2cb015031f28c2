using System.Collections.Immutable;
using CsCheck;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Tests.Vantage;

/// <summary>In virtual time.</summary>
public sealed class ProbeScheduleTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public void FirstProbe_IsAtARandomPlaceOfTheInterval_AndWithinASecondOfALongOne()
    {
        var schedule = new ProbeSchedule(() => 0.25);

        schedule.Replace([Plans.Task(1, interval: 0.4), Plans.Task(2, interval: 3600)], 10 * _second);

        Assert.Equal(TimeSpan.FromSeconds(10.1), schedule.NextDue);
        Assert.Equal([1u], Take(schedule, TimeSpan.FromSeconds(10.1)).Select(turn => turn.Task.Id));
        Assert.Equal([2u], Take(schedule, TimeSpan.FromSeconds(10.25)).Select(turn => turn.Task.Id));
    }

    [Fact]
    public void EachSecond_OneIsOut_AndTheNextWaitsForItsEnd()
    {
        var schedule = new ProbeSchedule(() => 0.5);
        schedule.Replace([Plans.Task(1, timeout: 10)], TimeSpan.Zero);

        var first = Assert.Single(Take(schedule, _second));
        Assert.Null(schedule.NextDue);
        Assert.Empty(Take(schedule, 9 * _second));
        schedule.Ended(first);

        Assert.Single(Take(schedule, 9 * _second));
    }

    [Fact]
    public void TenTimesASecond_ThereAreTenOutAtMost()
    {
        var schedule = new ProbeSchedule(() => 0.5);
        schedule.Replace([Plans.Task(1, interval: 0.1, timeout: 10)], TimeSpan.Zero);

        var taken = Enumerable.Range(0, 300).SelectMany(turn => Take(schedule, turn * 0.01 * _second)).ToList();

        Assert.Equal(10, taken.Count);
        schedule.Ended(taken[4]);
        Assert.Single(Take(schedule, 4 * _second));
    }

    [Fact]
    public void TurnsThatComeLate_AreNotMadeUpFor()
    {
        var schedule = new ProbeSchedule(() => 0.5);
        schedule.Replace([Plans.Task(1, interval: 0.1)], TimeSpan.Zero);

        // As after a suspension of the machine.
        Assert.Single(Take(schedule, 3600 * _second));

        Assert.Empty(Take(schedule, TimeSpan.FromSeconds(3600.04)));
        Assert.Single(Take(schedule, TimeSpan.FromSeconds(3600.05)));
        Assert.Empty(Take(schedule, TimeSpan.FromSeconds(3600.09)));
    }

    [Fact]
    public void MoreThanMayBeOut_WhoWaitsLongestGoesFirst_AndEachHasItsTurn()
    {
        var schedule = new ProbeSchedule(new Random(1).NextDouble);
        schedule.Replace([.. Enumerable.Range(1, 200).Select(id => Plans.Task((uint)id, timeout: 10))], TimeSpan.Zero);
        Queue<ProbeTurn> outside = [];
        Dictionary<uint, int> times = [];

        for (var now = TimeSpan.Zero; now < 60 * _second; now += 0.1 * _second)
        {
            foreach (var turn in schedule.TakeDue(now))
            {
                outside.Enqueue(turn);
                times[turn.Task.Id] = times.GetValueOrDefault(turn.Task.Id) + 1;
            }

            Assert.Equal(outside.Count, schedule.Out);
            Assert.True(schedule.Out <= ProbeSchedule.MostOut);

            // Each is out for about a second, so 64 of 200 are asked each second.
            for (var ended = 0; ended < 7 && outside.TryDequeue(out var turn); ended++)
            {
                schedule.Ended(turn);
            }
        }

        Assert.Equal(200, times.Count);
        Assert.True(times.Values.Max() - times.Values.Min() <= 2, $"{times.Values.Min()} to {times.Values.Max()}");
    }

    [Fact]
    public void SameTaskInTheNextPlan_KeepsItsPace_AndWhatIsOutStillCounts()
    {
        var schedule = new ProbeSchedule(() => 0.5);
        schedule.Replace([Plans.Task(1), Plans.Task(2)], TimeSpan.Zero);
        var taken = Take(schedule, _second);

        Assert.Equal([Plans.Task(1)], schedule.Replace([Plans.Task(1), Plans.Task(2, address: "192.0.2.99"), Plans.Task(3)], _second));

        Assert.Equal(2, schedule.Out);
        Assert.True(taken.Single(turn => turn.Task.Id == 1).IsWanted);
        Assert.False(taken.Single(turn => turn.Task.Id == 2).IsWanted);
        Assert.Equal([2u, 3u], Take(schedule, 5 * _second).Select(turn => turn.Task.Id).Order());
        taken.ForEach(schedule.Ended);
        Assert.Equal([1u], Take(schedule, 5 * _second).Select(turn => turn.Task.Id));
    }

    [Fact]
    public void AskedMoreOftenFromNowOn_BeginsWithThatAtOnce_AndSlowerAgainAfterwards()
    {
        var schedule = new ProbeSchedule(() => 0.5);
        schedule.Replace([Plans.Task(1, interval: 60)], TimeSpan.Zero);
        Assert.Single(Take(schedule, _second)).Let(schedule.Ended);

        schedule.Replace([Plans.Task(1, interval: 0.1)], 2 * _second);
        Assert.Equal(TimeSpan.FromSeconds(2.05), schedule.NextDue);
        Assert.Single(Take(schedule, TimeSpan.FromSeconds(2.05))).Let(schedule.Ended);
        schedule.Replace([Plans.Task(1, interval: 60)], TimeSpan.FromSeconds(2.1));
        Assert.Single(Take(schedule, TimeSpan.FromSeconds(2.15))).Let(schedule.Ended);

        Assert.InRange(schedule.NextDue!.Value, TimeSpan.FromSeconds(62.149), TimeSpan.FromSeconds(62.151));
    }

    [Fact]
    public void NodesWithTheSamePlanAtTheSameTime_DoNotAskInStep()
    {
        var begins = Enumerable.Range(0, 100).Select(node =>
        {
            var schedule = new ProbeSchedule(new Random(node).NextDouble);
            schedule.Replace([Plans.Task(1)], TimeSpan.Zero);
            List<TimeSpan> sent = [];
            for (var now = TimeSpan.Zero; now < 600 * _second; now = schedule.NextDue!.Value)
            {
                foreach (var turn in schedule.TakeDue(now))
                {
                    sent.Add(now);
                    schedule.Ended(turn);
                }
            }

            return sent;
        }).ToList();

        // Each tenth of a second has its share of them, at the beginning and after ten minutes.
        Assert.All(begins.GroupBy(sent => (int)(sent[0] / (0.1 * _second))), tenth => Assert.InRange(tenth.Count(), 1, 25));
        Assert.All(begins.GroupBy(sent => (int)(sent[^1].TotalSeconds % 1 * 10)), tenth => Assert.InRange(tenth.Count(), 1, 25));

        // And the pace is what was asked for.
        Assert.All(begins, sent => Assert.InRange(sent.Count, 590, 611));
    }

    /// <summary>Plans that change, answers that take their time, and turns that come late: the bounds hold, and each task keeps its pace.</summary>
    [Fact]
    public void AnyCourseOfThings_KeepsItsBounds() => Gen.Select(Gen.Int, Gen.Int[1, 200], Gen.Int[1, 12]).Sample((seed, count, busy) =>
    {
        var random = new Random(seed);
        var schedule = new ProbeSchedule(random.NextDouble);
        var now = TimeSpan.FromSeconds(random.Next(1000));
        List<(ProbeTurn Turn, TimeSpan Ends)> outside = [];
        Dictionary<VantageTask, TimeSpan> last = [];
        var plan = Plan(random, count);
        schedule.Replace(plan, now);
        for (var turn = 0; turn < 300; turn++)
        {
            now += TimeSpan.FromMilliseconds(random.Next(busy) == 0 ? random.Next(5000) : random.Next(30));
            if (random.Next(40) == 0)
            {
                plan = Plan(random, count);
                schedule.Replace(plan, now);
                last.Clear();
            }

            foreach (var ended in outside.Where(probe => probe.Ends <= now).ToList())
            {
                schedule.Ended(ended.Turn);
                outside.Remove(ended);
            }

            var taken = schedule.TakeDue(now);
            outside.AddRange(taken.Select(begun => (begun, now + (begun.Task.Timeout * random.NextDouble()))));
            foreach (var begun in taken)
            {
                if (!plan.Contains(begun.Task) || (last.TryGetValue(begun.Task, out var before) && now - before < begun.Task.Interval * (0.5 * (1 - (ProbeSchedule.Chance / 2)))))
                {
                    return false;
                }

                last[begun.Task] = now;
            }

            if (schedule.Out != outside.Count || schedule.Out > ProbeSchedule.MostOut
                || outside.Where(probe => probe.Turn.IsWanted).GroupBy(probe => probe.Turn.Task).Any(task => task.Count() > 10)
                || schedule.NextDue <= now)
            {
                return false;
            }
        }

        return true;
    }, iter: 200);

    private static ImmutableArray<VantageTask> Plan(Random random, int count) =>
        [.. Enumerable.Range(1, count).Where(_ => random.Next(4) > 0).Select(id => Plans.Task((uint)id, interval: random.Next(3) switch { 0 => 0.1, 1 => 1, _ => 30 }, timeout: 0.05 + random.NextDouble()))];

    private static List<ProbeTurn> Take(ProbeSchedule schedule, TimeSpan now) => schedule.TakeDue(now);
}

file static class Endings
{
    public static void Let(this ProbeTurn turn, Action<ProbeTurn> end) => end(turn);
}
