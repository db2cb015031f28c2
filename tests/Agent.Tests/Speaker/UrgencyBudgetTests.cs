using FailoverHub.Agent.Speaker;
using static FailoverHub.Agent.Speaker.UrgencyBudget;

namespace FailoverHub.Agent.Tests.Speaker;

public sealed class UrgencyBudgetTests
{
    private readonly UrgencyBudget _budget = new();
    private TimeSpan _now;

    [Fact]
    public void PausesInBetween_NothingIsEverSpent()
    {
        for (var second = 0; second < 10_000; second++)
        {
            Work(Longest - Pause);
            Assert.Equal(Verdict.AsBefore, Wait(Pause));
        }
    }

    [Fact]
    public void BusyWithoutAPause_IsSpentOnce()
    {
        List<Verdict> verdicts = [];
        for (var turn = 0; turn < 10_000; turn++)
        {
            Work(TimeSpan.FromMilliseconds(1));
            verdicts.Add(Wait(Pause / 2));
        }

        Assert.Single(verdicts, Verdict.Spent);
        Assert.DoesNotContain(Verdict.Renewed, verdicts);
    }

    [Fact]
    public void FloodIsOver_RenewedAtTheFirstPauseAfterASecond()
    {
        Work(Longest);
        Assert.Equal(Verdict.Spent, Wait(Pause / 2));

        Assert.Equal(Verdict.AsBefore, Wait(Ordinary / 2));
        Work(Ordinary);
        Assert.Equal(Verdict.AsBefore, Wait(Pause / 2));
        Assert.Equal(Verdict.Renewed, Wait(Pause));
        Assert.Equal(Verdict.AsBefore, Wait(Pause));

        Work(Longest);
        Assert.Equal(Verdict.Spent, Wait(Pause / 2));
    }

    private void Work(TimeSpan time) => _now += time;

    private Verdict Wait(TimeSpan time)
    {
        var from = _now;
        _now += time;
        return _budget.Waited(from, _now);
    }
}
