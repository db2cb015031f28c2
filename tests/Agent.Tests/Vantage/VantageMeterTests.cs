using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Tests.Vantage;

public sealed class VantageMeterTests
{
    private readonly VantageMeter _meter = new();

    [Fact]
    public void NothingAsked_NothingWasLate()
    {
        var reading = _meter.Read(new ProbeOutbox());

        Assert.Equal((0, 0L, 0L, TimeSpan.Zero, TimeSpan.Zero), (reading.Targets, reading.Begun, reading.Sent, reading.MeanLateness, reading.WorstLateness));
    }

    [Fact]
    public void Lateness_IsThatOfEachProbe_OnAverageAndAtWorst()
    {
        _meter.Begin(TimeSpan.FromMilliseconds(2));
        _meter.Begin(TimeSpan.FromMilliseconds(22));
        _meter.Begin(TimeSpan.Zero);

        var reading = _meter.Read(new ProbeOutbox());

        Assert.Equal((3L, TimeSpan.FromMilliseconds(8), TimeSpan.FromMilliseconds(22)), (reading.Begun, reading.MeanLateness, reading.WorstLateness));
    }

    [Fact]
    public void WhatWasNotSent_IsNeitherSentNorLost()
    {
        _meter.End(ProbeOutcome.Answered(TimeSpan.FromMilliseconds(1)));
        _meter.End(ProbeOutcome.Lost("refused"));
        _meter.End(ProbeOutcome.Lost(""));
        _meter.End(ProbeOutcome.NotAsked("no route"));

        var reading = _meter.Read(new ProbeOutbox());

        Assert.Equal((1L, 2L, 1L, 3L), (reading.Answered, reading.Lost, reading.NotSent, reading.Sent));
    }
}
