using System.Net;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Agents;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Vantages;

/// <summary>What nodes tell of their probes is a claim: only what was asked is taken, and nothing of it can hurt.</summary>
public sealed class VantageIntakeTests
{
    private static readonly TimeSpan Uptime = TimeSpan.FromHours(1);

    private readonly VantageIntake _intake = new();
    private readonly VantagePlan _plan = new(1, [Task(1, "203.0.113.10/32"), Task(2, "target:shop")]);

    [Fact]
    public void Result_OfATask_IsAtTheHubsTimeLessItsAge()
    {
        TakenBatch taken = Take(new ProbeResult { Task = 1, AgeUs = 1_500_000, Answered = true, RoundTripUs = 800 });

        TakenProbe probe = Assert.Single(taken.Probes);
        Assert.Equal(("203.0.113.10/32", Make.At.AddSeconds(-1.5), TimeSpan.FromMicroseconds(800), Uptime - TimeSpan.FromSeconds(1.5)), (probe.Target, probe.Sample.At, probe.Sample.RoundTrip, probe.SentAt));
        Assert.Null(probe.Sample.Error);
        Assert.All(taken.Refused, r => Assert.Equal(0, r));
    }

    [Theory]
    [InlineData(7u, 0ul, false, 0ul, nameof(VantageRefusal.Task))]
    [InlineData(0u, 0ul, false, 0ul, nameof(VantageRefusal.Task))]
    [InlineData(1u, 60_000_001ul, false, 0ul, nameof(VantageRefusal.Age))]
    [InlineData(1u, ulong.MaxValue, false, 0ul, nameof(VantageRefusal.Age))]
    [InlineData(1u, 30_000_000ul, true, 10_000_001ul, nameof(VantageRefusal.Nonsense))]
    [InlineData(1u, 30_000_000ul, true, ulong.MaxValue, nameof(VantageRefusal.Nonsense))]
    [InlineData(1u, 5_000ul, true, 6_001ul, nameof(VantageRefusal.Nonsense))]
    public void Result_ThatCannotBe_IsCountedByItsReasonAndLeftOut(uint task, ulong age, bool answered, ulong roundTrip, string why)
    {
        TakenBatch taken = Take(new ProbeResult { Task = task, AgeUs = age, Answered = answered, RoundTripUs = (uint)Math.Min(roundTrip, uint.MaxValue) }, new ProbeResult { Task = 2, AgeUs = 10, Answered = true, RoundTripUs = 5 });

        Assert.Equal("target:shop", Assert.Single(taken.Probes).Target);
        Assert.Equal(1, taken.RefusedFor(Enum.Parse<VantageRefusal>(why)));
        Assert.Equal(1, taken.Refused.Sum());
    }

    [Theory]
    [InlineData(60_000_000ul, true, 10_000_000ul)]
    [InlineData(5_000ul, true, 6_000ul)]
    [InlineData(0ul, true, 0ul)]
    [InlineData(0ul, false, 0ul)]
    [InlineData(0ul, false, ulong.MaxValue)]
    public void Result_AtTheEdge_IsTaken(ulong age, bool answered, ulong roundTrip)
    {
        TakenProbe taken = Assert.Single(Take(new ProbeResult { Task = 1, AgeUs = age, Answered = answered, RoundTripUs = (uint)Math.Min(roundTrip, uint.MaxValue) }).Probes);

        Assert.Equal(answered, taken.Sample.Answered);
        Assert.True(taken.Sample.RoundTrip is not { } time || time > TimeSpan.Zero);
    }

    [Fact]
    public void Texts_AreOneLinePrintableAndShort()
    {
        var batch = new ProbeBatch { Results = { new ProbeResult { Task = 1, Error = "\u001b[2J\u202Eevil\r\n" + new string('x', 10_000) } }, Problems = { new ProbeProblem { Task = 2, Text = "\0" + new string('y', 10_000) }, new ProbeProblem { Task = 9, Text = "of no task" } } };

        TakenBatch taken = Take(batch, Uptime);

        string error = Assert.Single(taken.Probes).Sample.Error!;
        Assert.InRange(error.Length, 1, 200);
        Assert.DoesNotContain(error, char.IsControl);
        (string target, string problem) = Assert.Single(taken.Problems);
        Assert.Equal("target:shop", target);
        Assert.InRange(problem.Length, 1, 300);
        Assert.DoesNotContain(problem, char.IsControl);
    }

    [Fact]
    public void Result_WithoutAWord_SaysThatNoAnswerCame() => Assert.Equal("no answer", Assert.Single(Take(new ProbeResult { Task = 1, Error = "\t " }).Probes).Sample.Error);

    [Fact]
    public void NodeThatFloodsOneTask_IsTakenAtTheClosestPaceAndItsOtherTasksAreUnharmed()
    {
        TakenBatch flood = Take([.. Enumerable.Range(0, 1_900).Select(_ => new ProbeResult { Task = 1 })]);
        TakenBatch other = Take(new ProbeResult { Task = 2 });
        TakenBatch second = Take(new ProbeBatch { Results = { Enumerable.Range(0, 100).Select(_ => new ProbeResult { Task = 1 }) } }, Uptime + TimeSpan.FromSeconds(1));

        Assert.Equal((VantageIntake.Burst, 1_900 - VantageIntake.Burst), (flood.Probes.Length, flood.RefusedFor(VantageRefusal.Pace)));
        Assert.Single(other.Probes);
        Assert.Equal((int)VantageIntake.PerSecond, second.Probes.Length);
    }

    [Fact]
    public void NodeThatKeepsToTheClosestPace_LosesNothingInAnHour()
    {
        int taken = 0;
        for (int second = 0; second < 3_600; second++)
        {
            taken += Take(new ProbeBatch { Results = { Enumerable.Range(0, 10).Select(i => new ProbeResult { Task = 1, AgeUs = (ulong)i * 100_000 }) } }, Uptime + TimeSpan.FromSeconds(second)).Probes.Length;
        }

        Assert.Equal(36_000, taken);
    }

    [Fact]
    public void BatchThatIsTooLong_IsCut()
    {
        VantageBatch batch = ProbeMapping.Parse(new ProbeBatch { Results = { Enumerable.Range(0, ProbeMapping.MostResults + 5).Select(_ => new ProbeResult { Task = 9 }) }, Problems = { Enumerable.Range(0, 1_000).Select(_ => new ProbeProblem { Task = 1 }) } });

        Assert.Equal((ProbeMapping.MostResults, 5, VantageAssignment.MostTasks), (batch.Results.Length, batch.Cut, batch.Problems.Length));
        Assert.Equal(5, _intake.Take(_plan, batch, Make.At, Uptime).RefusedFor(VantageRefusal.Pace));
    }

    [Fact]
    public void Plan_ThatHasATaskNoMore_RefusesIt()
    {
        Take(new ProbeResult { Task = 1 });

        TakenBatch taken = _intake.Take(new VantagePlan(2, [Task(2, "target:shop")]), ProbeMapping.Parse(new ProbeBatch { Results = { new ProbeResult { Task = 1 } } }), Make.At, Uptime);

        Assert.Empty(taken.Probes);
        Assert.Equal(1, taken.RefusedFor(VantageRefusal.Task));
    }

    [Fact]
    public void Batch_ThatWaitedOnTheWay_IsOlderThanItSays()
    {
        // Made a second apart, by a clock that began at 10 s; the second one came 20 s late.
        Take(Made(10, new ProbeResult { Task = 1 }), Uptime);
        TakenBatch late = Take(Made(11, new ProbeResult { Task = 1, AgeUs = 500_000 }), Uptime + TimeSpan.FromSeconds(21));
        TakenBatch quick = Take(Made(33, new ProbeResult { Task = 1 }), Uptime + TimeSpan.FromSeconds(23));
        TakenBatch tooLate = Take(Made(34, new ProbeResult { Task = 1 }), Uptime + TimeSpan.FromSeconds(100));

        Assert.InRange(Assert.Single(late.Probes).SentAt - Uptime, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(0.53));
        Assert.InRange(Assert.Single(quick.Probes).SentAt - Uptime, TimeSpan.FromSeconds(22.97), TimeSpan.FromSeconds(23));
        Assert.Equal(1, tooLate.RefusedFor(VantageRefusal.Age));
    }

    [Fact]
    public void Clocks_ThatGoApart_MakeNothingOlderInADay()
    {
        TimeSpan worst = TimeSpan.Zero;
        for (int second = 1; second < 86_400; second += 7)
        {
            // 200 in a million slower than the hub's.
            TimeSpan now = Uptime + TimeSpan.FromSeconds(second);
            TimeSpan late = now - Assert.Single(Take(Made(second * 0.9998, new ProbeResult { Task = 1 }), now).Probes).SentAt;
            worst = late > worst ? late : worst;
        }

        Assert.InRange(worst, TimeSpan.Zero, TimeSpan.FromMilliseconds(5));
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(1ul)]
    [InlineData(ulong.MaxValue)]
    public void Clock_ThatIsAnything_MakesNoProbeYounger(ulong made)
    {
        foreach (ulong then in (ulong[])[5, made, 5, made])
        {
            Assert.All(Take(new ProbeBatch { MadeUs = then, Results = { new ProbeResult { Task = 1 } } }, Uptime).Probes, p => Assert.InRange(p.SentAt, Uptime - VantageIntake.OldestAge, Uptime));
        }
    }

    private static ProbeBatch Made(double seconds, ProbeResult result) => new() { MadeUs = (ulong)(seconds * 1_000_000), Results = { result } };

    private TakenBatch Take(params ProbeResult[] results) => Take(new ProbeBatch { Results = { results } }, Uptime);

    private TakenBatch Take(ProbeBatch batch, TimeSpan uptime) => _intake.Take(_plan, ProbeMapping.Parse(batch), Make.At + (uptime - Uptime), uptime);

    private static VantageTask Task(uint id, string target) => new(id, target, IPAddress.Parse("203.0.113.10"), new VantageWay.Icmp(), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.9));
}
