using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>A pair that changes all the time does not fill the history, and the last thing told of it is how it is.</summary>
public sealed class TransitionPaceTests
{
    private readonly TransitionPace _pace = new();

    private static EventDraft Change(string text, string pair = "web") => new() { At = Now.Wall, Kind = EventKinds.PairStateChanged, Pair = pair, Text = text };

    [Fact]
    public void WhatHappensNowAndThen_IsToldAtOnce()
    {
        for (var i = 0; i < 1_000; i++)
        {
            Assert.Equal($"{i}", Assert.Single(_pace.Take([Change($"{i}")], Now.After(i * 10))).Text);
        }
    }

    [Fact]
    public void Flood_IsABurstAndThenTheNewestWithHowManyWereSkipped()
    {
        var told = new List<string>();
        for (var i = 0; i < 10_000; i++)
        {
            told.AddRange(_pace.Take([Change($"{i}.")], Now.After(i * 0.02)).Select(e => e.Text));
        }

        // 200 seconds: the burst and one in ten seconds.
        Assert.InRange(told.Count, TransitionPace.Burst + 18, TransitionPace.Burst + 21);
        Assert.StartsWith("(", told[^1][(told[^1].IndexOf(' ', StringComparison.Ordinal) + 1)..], StringComparison.Ordinal);

        // Then it is quiet: what was last is told, once, and another pair has its own allowance.
        var last = _pace.Take([Change("other", "db")], Now.After(215));
        Assert.Equal("other", Assert.Single(last, e => e.Pair == "db").Text);
        Assert.StartsWith("9999. (", Assert.Single(last, e => e.Pair == "web").Text, StringComparison.Ordinal);
        Assert.Empty(_pace.Take([], Now.After(400)));
        Assert.Equal("new", Assert.Single(_pace.Take([Change("new")], Now.After(401))).Text);
    }
}
