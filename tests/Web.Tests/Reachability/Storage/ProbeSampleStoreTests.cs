using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Reachability.Storage;

[Trait("Kind", "Long")]
public sealed class ProbeSampleStoreTests : IAsyncLifetime
{
    private static readonly ProbeSeries Series = new("203.0.113.10/32", ProbeSeries.Hub);
    private readonly StoreRig _rig = new(Make.At);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _rig.StartAsync();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task Samples_HandedOver_AreReadBackInOrderWithinTheirTime()
    {
        _rig.Add(Series, new ProbeSample(Make.At.AddSeconds(2), null, "no answer"));
        _rig.Add(Series, new ProbeSample(Make.At, TimeSpan.FromMicroseconds(123), null));
        _rig.Add(Series, new ProbeSample(Make.At.AddSeconds(1), TimeSpan.FromMicroseconds(456), null));
        await _rig.PassAsync(TimeSpan.FromMinutes(2));

        IReadOnlyList<ProbeSample> all = await _rig.ReadAsync(Series, Make.At, Make.At.AddSeconds(3));
        IReadOnlyList<ProbeSample> before = await _rig.ReadAsync(Series, Make.At, Make.At.AddSeconds(2));
        IReadOnlyList<ProbeSample> one = await _rig.Store.ReadAsync(Series, Make.At, Make.At.AddSeconds(3), 1, Stop);

        Assert.Equal(
            [
                new ProbeSample(Make.At, TimeSpan.FromMicroseconds(123), null),
                new ProbeSample(Make.At.AddSeconds(1), TimeSpan.FromMicroseconds(456), null),
                new ProbeSample(Make.At.AddSeconds(2), null, "no answer"),
            ],
            all);
        Assert.Equal(2, before.Count);
        Assert.Equal(Make.At, Assert.Single(one).At);
    }

    /// <summary>Nodes and targets come and go for years: of what nothing is kept any more, its number is not kept either, and what comes back gets another.</summary>
    [Fact]
    public async Task SeriesOfWhichNothingIsKept_IsForgotten_AndOneThatIsProbedIsNot()
    {
        var other = new ProbeSeries("target:other", ProbeSeries.Hub);
        _rig.Add(Series, Answered(0));
        _rig.Add(other, Answered(0));
        await _rig.PassAsync(TimeSpan.FromMinutes(2));
        int[] before = await SeriesAsync();

        await _rig.JumpAsync(TimeSpan.FromDays(399));
        Assert.Equal(before, await SeriesAsync());
        DateTimeOffset later = Make.At.AddDays(402);
        await _rig.JumpAsync(later - _rig.Clock.GetUtcNow());
        _rig.Add(other, new ProbeSample(later, TimeSpan.FromMilliseconds(1), null));
        await _rig.JumpAsync(TimeSpan.FromHours(2));

        int kept = Assert.Single(await SeriesAsync());
        Assert.Single(await _rig.ReadAsync(other, later, later.AddSeconds(1)));
        _rig.Add(Series, new ProbeSample(_rig.Clock.GetUtcNow(), TimeSpan.FromMilliseconds(1), null));
        DateTimeOffset again = _rig.Clock.GetUtcNow();
        await _rig.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2, (await SeriesAsync()).Length);
        Assert.Contains(kept, await SeriesAsync());
        Assert.Single(await _rig.ReadAsync(Series, again, again.AddSeconds(1)));
    }

    private async Task<int[]> SeriesAsync()
    {
        await using HubDbContext db = await _rig.Database.CreateDbContextAsync(Stop);
        return await db.ProbeSeries.OrderBy(s => s.Id).Select(s => s.Id).ToArrayAsync(Stop);
    }

    /// <summary>What is lost at the end of a minute is known when the next has begun, and handed over together with the minute: one transaction writes it to the journal and takes the minute out of it.</summary>
    [Fact]
    public async Task ProbeThatComesWithThePackingOfItsMinute_LeavesNothingInTheJournal_WhichWouldBePackedAloneAfterADay()
    {
        _rig.Add(Series, Answered(0));
        await _rig.PassAsync(TimeSpan.FromSeconds(60));
        _rig.Add(Series, new ProbeSample(Make.At.AddSeconds(59.5), null, "no answer"));
        await _rig.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(await JournalAsync());

        await _rig.JumpAsync(TimeSpan.FromHours(26));
        await _rig.RestartAsync(killed: true);
        await _rig.PassAsync(TimeSpan.FromMinutes(2));
        ReachabilityChart chart = await _rig.History.ReadAsync(Series.Target, Series.Vantage, Make.At, Make.At.AddHours(1), TimeSpan.FromMinutes(1), Stop);
        Assert.Equal((2, 1), (chart.Whole!.Sent, chart.Whole.Lost));
    }

    /// <summary>A hub of before this one left some there.</summary>
    [Fact]
    public async Task JournalOfMinutesThatArePackedLongAgo_IsTakenAwayAtTheStart_AndNothingIsCalledLost()
    {
        _rig.Add(Series, Answered(0));
        await _rig.PassAsync(TimeSpan.FromMinutes(30));
        int id = Assert.Single(await SeriesAsync());
        long now = OpenMinutes.MinuteOf(_rig.Clock.GetUtcNow());
        await using (HubDbContext db = await _rig.Database.CreateDbContextAsync(Stop))
        {
            db.ProbeJournal.AddRange(Enumerable.Range(0, 30).Select(i => now - 29 + i).Select(minute => new ProbeJournalEntity
            {
                Minute = minute,
                Data = ProbeJournal.Write(minute, [(id, [new ProbeSample(DateTimeOffset.FromUnixTimeMilliseconds(minute * 60_000), null, "no answer")])]),
            }));
            await db.SaveChangesAsync(Stop);
        }

        await _rig.RestartAsync(killed: true);

        Assert.Equal(Enumerable.Range(0, OpenMinutes.MostWaiting + 1).Select(i => now - OpenMinutes.MostWaiting + i), await JournalAsync());
        Assert.Equal(0, _rig.Store.Lost);
    }

    private async Task<long[]> JournalAsync()
    {
        await using HubDbContext db = await _rig.Database.CreateDbContextAsync(Stop);
        return await db.ProbeJournal.OrderBy(j => j.Minute).Select(j => j.Minute).ToArrayAsync(Stop);
    }

    [Fact]
    public async Task Samples_OfTheOpenMinute_AreReadAtOnce()
    {
        _rig.Add(Series, new ProbeSample(Make.At, TimeSpan.FromMilliseconds(1), null));

        Assert.Single(await _rig.ReadAsync(Series, Make.At, Make.At.AddSeconds(3)));
    }

    [Fact]
    public async Task HubThatIsKilled_HasLostSecondsAtMost_AndCountsNothingTwice()
    {
        for (int i = 0; i < 150; i++)
        {
            _rig.Add(Series, Answered(i));
            await _rig.PassAsync(TimeSpan.FromSeconds(1));
        }

        // What was in memory only is gone; nothing is written at the end.
        await _rig.RestartAsync(killed: true);
        IReadOnlyList<ProbeSample> afterwards = await _rig.ReadAsync(Series, Make.At, Make.At.AddHours(1));
        for (int i = 152; i < 300; i++)
        {
            _rig.Add(Series, Answered(i));
            await _rig.PassAsync(TimeSpan.FromSeconds(1));
        }

        IReadOnlyList<ProbeSample> all = await _rig.ReadAsync(Series, Make.At, Make.At.AddHours(1));
        ReachabilityChart chart = await _rig.History.ReadAsync(Series.Target, Series.Vantage, Make.At, Make.At.AddHours(1), TimeSpan.FromMinutes(1), Stop);

        Assert.InRange(afterwards.Count, 144, 150);
        Assert.Equal(afterwards.Count + 148, all.Count);
        Assert.Equal(all.Count, all.DistinctBy(s => s.At).Count());
        Assert.Equal(all.Count, chart.Points.Sum(p => p.Sent));
        Assert.Equal(all.Count, chart.Whole!.Sent);
    }

    [Fact]
    public async Task HubThatIsKilledBetweenTheStepsOfAMinute_PacksItAgainToTheSame()
    {
        ProbeSeries[] many = [.. Enumerable.Range(0, PackMinute.Step + 20).Select(i => new ProbeSeries($"10.0.{i / 250}.{i % 250}/32", ProbeSeries.Hub))];
        for (int i = 0; i < 60; i++)
        {
            foreach (ProbeSeries series in many)
            {
                _rig.Add(series, Answered(i));
            }
        }

        await _rig.PassAsync(TimeSpan.FromSeconds(60));

        // The first step is on the disk, the journal still has everything.
        await _rig.DieAfterACommitAsync();
        await _rig.PassAsync(TimeSpan.FromSeconds(30));

        foreach (ProbeSeries series in new[] { many[0], many[^1] })
        {
            ReachabilityChart chart = await _rig.History.ReadAsync(series.Target, series.Vantage, Make.At, Make.At.AddHours(1), TimeSpan.FromMinutes(1), Stop);
            Assert.Equal(60, Assert.Single(chart.Points).Sent);
            Assert.Equal(60, (await _rig.ReadAsync(series, Make.At, Make.At.AddHours(1))).Count);
        }

        Assert.Equal((many.Length, 0), await _rig.CountAsync(db => db.RawProbes, db => db.ProbeJournal));
    }

    [Fact]
    public async Task HubThatStops_WritesTheOpenMinute()
    {
        _rig.Add(Series, Answered(0));

        await _rig.RestartAsync(killed: false);

        Assert.Single(await _rig.ReadAsync(Series, Make.At, Make.At.AddMinutes(1)));
    }

    [Fact]
    public async Task SampleThatComesLate_IsPutIntoItsMinuteAndItsHour()
    {
        _rig.Add(Series, Answered(0));
        for (int minute = 0; minute < 120; minute++)
        {
            await _rig.MinuteAsync();
        }

        _rig.Add(Series, Answered(1));
        ReachabilityChart whileOpen = await ChartAsync(TimeSpan.FromHours(1));
        await _rig.PassAsync(TimeSpan.FromSeconds(10));
        ReachabilityChart packed = await ChartAsync(TimeSpan.FromHours(1));
        await _rig.PassAsync(TimeSpan.FromMinutes(2));
        ReachabilityChart rolled = await ChartAsync(TimeSpan.FromHours(1));

        Assert.Equal([2, 2, 2], [whileOpen.Whole!.Sent, packed.Whole!.Sent, rolled.Whole!.Sent]);
        Assert.Equal(2, (await _rig.ReadAsync(Series, Make.At, Make.At.AddHours(3))).Count);
    }

    [Fact]
    public async Task Vantages_AreKeptApart()
    {
        var node = new ProbeSeries(Series.Target, "node-a");
        _rig.Add(Series, Answered(0));
        _rig.Add(node, new ProbeSample(Make.At, null, "no answer"));
        await _rig.PassAsync(TimeSpan.FromMinutes(2));

        Assert.True(Assert.Single(await _rig.ReadAsync(Series, Make.At, Make.At.AddMinutes(1))).Answered);
        Assert.False(Assert.Single(await _rig.ReadAsync(node, Make.At, Make.At.AddMinutes(1))).Answered);
        Assert.Equal(["hub", "node-a"], (await _rig.History.VantagesAsync(Series.Target, Stop)).Select(v => v.Id));
    }

    [Fact]
    public async Task WhatIsOlderThanItIsKept_IsRemovedStepByStep_AndWhatItCameToStays()
    {
        for (int i = 0; i < 600; i++)
        {
            _rig.Add(Series, Answered(i));
        }

        for (int minute = 0; minute < 90; minute++)
        {
            await _rig.MinuteAsync();
        }

        int rawAtFirst = (await _rig.CountAsync(db => db.RawProbes, db => db.MinuteRollups)).First;
        await _rig.JumpAsync(TimeSpan.FromHours(24));
        (int raw, int minutes) = await _rig.CountAsync(db => db.RawProbes, db => db.MinuteRollups);
        ReachabilityChart after = await ChartAsync(TimeSpan.FromMinutes(5));
        await _rig.JumpAsync(TimeSpan.FromDays(30));
        (int minutesLater, int hours) = await _rig.CountAsync(db => db.MinuteRollups, db => db.HourRollups);
        ReachabilityChart later = await ChartAsync(TimeSpan.FromHours(1));
        await _rig.JumpAsync(TimeSpan.FromDays(400));

        Assert.Equal((10, 0, 1), (rawAtFirst, raw, minutes));
        Assert.Equal((0, 1), (minutesLater, hours));
        Assert.Equal([600, 600], [after.Whole!.Sent, later.Whole!.Sent]);
        Assert.Equal((0, 0), await _rig.CountAsync(db => db.RawProbes, db => db.HourRollups));
    }

    [Fact]
    public async Task DatabaseThatCannotBeWritten_CostsTheOldestMinutes_AndNoMemoryWithoutEnd()
    {
        for (int minute = 0; minute < 30; minute++)
        {
            for (int i = 0; i < 10; i++)
            {
                _rig.Add(Series, Answered((minute * 60) + i));
            }
        }

        Assert.Equal(10 * (30 - OpenMinutes.MostWaiting - 1), _rig.Store.Lost);
        Assert.Equal(10 * (OpenMinutes.MostWaiting + 1), (await _rig.ReadAsync(Series, Make.At, Make.At.AddHours(1))).Count);
    }

    private static ProbeSample Answered(int second) => new(Make.At.AddSeconds(second), TimeSpan.FromMicroseconds(1_000 + second), null);

    private Task<ReachabilityChart> ChartAsync(TimeSpan step) => _rig.History.ReadAsync(Series.Target, Series.Vantage, Make.At, Make.At.AddHours(3), step, Stop);
}
