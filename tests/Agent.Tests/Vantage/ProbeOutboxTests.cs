using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Tests.Vantage;

/// <summary>In virtual time.</summary>
public sealed class ProbeOutboxTests
{
    private static readonly TimeSpan _start = TimeSpan.FromSeconds(100);

    private readonly ProbeOutbox _outbox = new();

    public ProbeOutboxTests() => Begin([1, 2, 3], []);

    [Fact]
    public void NothingFound_NothingIsSaid()
    {
        Assert.Null(_outbox.DueAt);
        Assert.Null(_outbox.Take(At(3600)));
    }

    [Fact]
    public void Found_IsSaidOnceASecond_OldestFirst()
    {
        _outbox.Add(Answered(1, 0.3));
        _outbox.Add(Answered(2, 0.1));
        Assert.Null(_outbox.Take(At(0.99)));
        Assert.Equal(At(1), _outbox.DueAt);

        var batch = _outbox.Take(At(1))!;

        Assert.Equal((7ul, At(1), 0), (batch.Revision, batch.MadeAt, batch.Dropped));
        Assert.Equal([2u, 1u], batch.Findings.Select(finding => finding.Task));
        _outbox.Add(Answered(1, 1.3));
        Assert.Equal(At(2), _outbox.DueAt);
    }

    [Fact]
    public void LostAfterAnAnswer_IsSaidSooner_AndLostAgainIsNot()
    {
        _outbox.Add(Answered(1, 0));
        _outbox.Take(At(1));

        _outbox.Add(Lost(1, 1.1));
        Assert.Equal(At(1.1), _outbox.DueAt);
        Assert.NotNull(_outbox.Take(At(1.1)));
        _outbox.Add(Lost(1, 1.2));

        Assert.Equal(At(2.1), _outbox.DueAt);
    }

    [Fact]
    public void NeverAnswered_IsNoNews()
    {
        _outbox.Add(Lost(1, 0));

        Assert.Equal(At(1), _outbox.DueAt);
    }

    [Fact]
    public void StreamTakesNothing_TheOldestIsGivenUp_AndCounted()
    {
        for (var probe = 0; probe < ProbeOutbox.Most + 500; probe++)
        {
            _outbox.Add(Answered(1, probe));
        }

        var batch = _outbox.Take(At(3000))!;

        Assert.Equal((ProbeOutbox.Most, 500), (batch.Findings.Length, batch.Dropped));
        Assert.Equal(500, _outbox.Read().Dropped);
        Assert.Equal(At(500), batch.Findings[0].SentAt);
        _outbox.Add(Answered(1, 3001));
        Assert.Equal(0, _outbox.Take(At(3002))!.Dropped);
    }

    [Fact]
    public void Problem_IsInEachBatch_UntilTheTaskIsAsked()
    {
        _outbox.Add(new VantageProblem(1, "no socket"));
        _outbox.Add(new VantageProblem(1, "no socket"));
        Assert.Equal([new VantageProblem(1, "no socket")], _outbox.Take(At(1))!.Problems);
        Assert.Null(_outbox.DueAt);
        _outbox.Add(new VantageProblem(1, "no socket"));
        Assert.Null(_outbox.DueAt);
        _outbox.Add(Answered(2, 1));
        Assert.Single(_outbox.Take(At(2))!.Problems);

        _outbox.Add(Lost(1, 3));

        Assert.Empty(_outbox.Take(At(4))!.Problems);
    }

    [Fact]
    public void RefusedByTheReading_IsSaidWithoutAnyFinding_AndItsEndAsWell()
    {
        Begin([1], [], new VantageProblem(9, "multicast"));
        Assert.Equal([new VantageProblem(9, "multicast")], _outbox.Take(At(1))!.Problems);

        Begin([1], [1]);

        Assert.Empty(_outbox.Take(At(2))!.Problems);
        Assert.Null(_outbox.DueAt);
    }

    [Fact]
    public void NextPlan_WhatWasFoundForOthersIsThrownAway()
    {
        _outbox.Add(Answered(1, 0));
        _outbox.Add(Answered(2, 0));
        _outbox.Add(new VantageProblem(3, "no socket"));

        // The second is another address now.
        Begin([1, 2], [1]);

        var batch = _outbox.Take(At(1))!;
        Assert.Equal([1u], batch.Findings.Select(finding => finding.Task));
        Assert.Empty(batch.Problems);
    }

    [Fact]
    public void Ended_NothingIsKept_AndWhatComesLaterIsNothing()
    {
        _outbox.Add(Answered(1, 0));
        _outbox.Add(new VantageProblem(2, "no socket"));

        _outbox.End();
        _outbox.Add(Answered(1, 1));
        _outbox.Add(new VantageProblem(2, "no socket"));

        Assert.Null(_outbox.DueAt);
        Assert.Null(_outbox.Take(At(5)));
    }

    private static TimeSpan At(double seconds) => _start + TimeSpan.FromSeconds(seconds);

    private static VantageFinding Answered(uint task, double at) => new(task, At(at), TimeSpan.FromMilliseconds(1), "");

    private static VantageFinding Lost(uint task, double at) => new(task, At(at), null, "");

    private void Begin(uint[] tasks, uint[] kept, params VantageProblem[] problems) =>
        _outbox.Begin(new VantagePlan(7, [.. tasks.Select(id => Plans.Task(id))], [.. problems]), [.. kept.Select(id => Plans.Task(id))], _start);
}
