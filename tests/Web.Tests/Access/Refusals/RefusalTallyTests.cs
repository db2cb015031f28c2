using System.Net;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Access.Refusals;

/// <summary>Which refusals are written down one by one, and that the others are all in a number.</summary>
public sealed class RefusalTallyTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Minute_WritesSixtyDownSaysSoWithTheLastAndCountsTheRest()
    {
        var tally = new RefusalTally(_clock);

        List<RefusalEntry> entries = [.. Enumerable.Range(0, 100).Select(_ => tally.Note("sign-in", "192.0.2.1"))];

        Assert.Equal(Enumerable.Repeat(RefusalEntry.OneByOne, RefusalTally.OneByOne - 1).Append(RefusalEntry.LastOfThisMinute), entries[..RefusalTally.OneByOne]);
        Assert.All(entries[RefusalTally.OneByOne..], entry => Assert.Equal(RefusalEntry.Counted, entry));
        Assert.Empty(tally.Take());
        _clock.Advance(RefusalTally.Window);
        RefusalSum sum = Assert.Single(tally.Take());
        Assert.Equal(("sign-in", 40L, 40L), (sum.Action, sum.Count, sum.Sources["192.0.2.1"]));
        Assert.Empty(tally.Take(all: true));
        Assert.Equal(RefusalEntry.OneByOne, tally.Note("sign-in", "192.0.2.1"));
    }

    [Fact]
    public void Kinds_HaveAMinuteEach()
    {
        var tally = new RefusalTally(_clock);
        for (int i = 0; i < 100; i++)
        {
            tally.Note("sign-in", "192.0.2.1");
        }

        Assert.Equal(RefusalEntry.OneByOne, tally.Note("api-request", "192.0.2.1"));
    }

    [Fact]
    public void WhoIsKnown_HasAMinuteOfHisOwnAsLongAsThereIsRoom()
    {
        var tally = new RefusalTally(_clock);
        for (int i = 0; i < 100; i++)
        {
            tally.Note("api-request", "192.0.2.1");
            tally.Note("api-request", "token loops", isKnown: true);
        }

        Assert.Equal(RefusalEntry.OneByOne, tally.Note("api-request", "token ci", isKnown: true));
        for (int i = 0; i < 2 * RefusalTally.MostMinutes; i++)
        {
            tally.Note("api-request", $"somebody {i}", isKnown: true);
        }

        Assert.Equal(RefusalEntry.Counted, tally.Note("api-request", "one more", isKnown: true));
        _clock.Advance(RefusalTally.Window);
        Assert.Equal(RefusalEntry.OneByOne, tally.Note("api-request", "one more", isKnown: true));
        Assert.Equal((40L, 40L), Assert.Single(tally.Take()) is var sum ? (sum.Sources["192.0.2.1"], sum.Sources["token loops"]) : default);
    }

    [Fact]
    public void FullTableOfWrongAttempts_BlocksNobodyWhoIsNotInIt()
    {
        var wrong = new WrongTokens(_clock);
        IPAddress Host(int number) => new([0x20, 0x01, 0x0d, 0xb8, 0, 0, (byte)(number >> 8), (byte)number, 0, 0, 0, 0, 0, 0, 0, 1]);
        for (int i = 0; i < WrongAttempts.MaxAddresses + 1_000; i++)
        {
            wrong.Note(Host(i));
        }

        for (int i = 0; i < WrongTokens.PerAddressAndMinute; i++)
        {
            wrong.Note(Host(0));
            wrong.Note(Host(WrongAttempts.MaxAddresses + 1));
        }

        Assert.True(wrong.IsBlocked(Host(0), out _));
        Assert.False(wrong.IsBlocked(Host(WrongAttempts.MaxAddresses + 1), out _));
        Assert.False(wrong.IsBlocked(IPAddress.Parse("192.0.2.1"), out _));
    }

    [Fact]
    public void Counted_IsDoneFromTheFirstThatIsCountedUntilItIsTaken()
    {
        var tally = new RefusalTally(_clock);
        tally.Note("sign-in", "192.0.2.1");
        bool before = tally.Counted.IsCompleted;
        tally.Count("sign-in", "192.0.2.1");
        bool between = tally.Counted.IsCompleted;
        _clock.Advance(RefusalTally.Window);
        tally.Take();

        Assert.Equal([false, true, false], [before, between, tally.Counted.IsCompleted]);
    }

    [Fact]
    public void WhatCouldNotBeWritten_IsToldWithTheNext()
    {
        var tally = new RefusalTally(_clock);
        DateTimeOffset began = _clock.GetUtcNow();
        tally.Count("sign-in", "192.0.2.1");
        tally.PutBack(tally.Take(all: true));
        _clock.Advance(RefusalTally.Window);
        tally.Count("sign-in", "192.0.2.1");
        tally.Count("sign-in", "192.0.2.2");

        RefusalSum sum = Assert.Single(tally.Take(all: true));

        Assert.Equal((3L, began, _clock.GetUtcNow()), (sum.Count, sum.From, sum.Until));
        Assert.Equal((2L, 1L), (sum.Sources["192.0.2.1"], sum.Sources["192.0.2.2"]));
    }

    [Fact]
    public void Sources_AreBoundedAndNoneIsLost()
    {
        var tally = new RefusalTally(_clock);
        for (int i = 0; i < RefusalTally.MostSources + 1_000; i++)
        {
            tally.Count("sign-in", $"source {i}");
        }

        RefusalSum sum = Assert.Single(tally.Take(all: true));

        Assert.Equal((RefusalTally.MostSources + 1_000L, RefusalTally.MostSources + 1, 1_000L), (sum.Count, sum.Sources.Count, sum.Sources[""]));
        Assert.Equal(RefusalTally.MostSources + 1, sum.With(sum).Sources.Count);
        Assert.Equal(2 * sum.Count, sum.With(sum).Sources.Values.Sum());
    }

    [Fact]
    public void Outcome_NamesWhereMostCameFromAndEveryOneIsInIt()
    {
        var tally = new RefusalTally(_clock);
        for (int source = 1; source <= 12; source++)
        {
            for (int i = 0; i < source; i++)
            {
                tally.Count("sign-in", $"192.0.2.{source}");
            }
        }

        string outcome = RefusalReports.OutcomeOf(tally.Take(all: true)[0]);

        Assert.StartsWith("refused: 78 more between 2026-05-04T12:00:00Z and 12:00:00Z, counted and not written down one by one. From 192.0.2.12 12, 192.0.2.11 11, ", outcome, StringComparison.Ordinal);
        Assert.EndsWith(", 192.0.2.3 3, others 3", outcome, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody", "192.0.2.7", "192.0.2.7")]
    [InlineData("nobody", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("nobody", null, "an unknown address")]
    [InlineData("token ci", "192.0.2.7", "token ci")]
    public void Source_IsWhoIsKnownOrElseTheAddress(string name, string? address, string source) => Assert.Equal(source, AccessAudit.SourceOf(new Actor(name, address, null)));

    [Theory]
    [InlineData("short", 20, "short")]
    [InlineData("exactly twenty long.", 20, "exactly twenty long.")]
    [InlineData("more than twenty long", 20, "more than twe… (cut)")]
    public void TextThatIsTooLong_EndsWithAMark(string text, int longest, string kept) => Assert.Equal(kept, Cut.To(text, longest));
}
