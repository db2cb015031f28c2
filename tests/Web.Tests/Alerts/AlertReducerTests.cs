using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>When something becomes an alert, when it ends, and who is told. Seconds are values here.</summary>
public sealed class AlertReducerTests : AlertBookTest
{
    [Fact]
    public void Wrong_ForAsLongAsTheRuleSays_IsRaisedOnceAndTold()
    {
        Look(0, Wrong());
        Look(9, Wrong());
        Assert.Empty(Book.Active);

        Look(10, Wrong());
        Look(11, Wrong());

        Assert.Equal(Make.At.AddSeconds(10), Active.RaisedAt);
        Assert.Equal("Raised", Told);
        Assert.Equal(["mail"], Notices[0].Channels);
        Assert.Equal(["alert-raised"], Events.Select(e => e.Kind));
    }

    [Fact]
    public void Wrong_WithABreak_CountsAnew()
    {
        Look(0, Wrong());
        Look(9);
        Look(10, Wrong());
        Look(19, Wrong());

        Assert.Empty(Book.Active);
    }

    [Fact]
    public void Right_ForAsLongAsTheRuleSays_EndsItAndTellsWhoWasTold()
    {
        Raise();

        Look(20);
        Look(39);
        Assert.Single(Book.Active);
        Look(40);

        Assert.Empty(Book.Active);
        Assert.Equal("Raised Resolved", Told);
        Assert.Equal(["mail"], Notices[^1].Channels);
        Assert.Equal("Nothing of it is found any more.", Notices[^1].Alert.ResolvedText);
    }

    [Fact]
    public void Flapping_FasterThanItEnds_IsOneAlert()
    {
        Raise();
        for (int second = 20; second < 300; second += 10)
        {
            Look(second, second % 20 == 0 ? [] : [Wrong()]);
        }

        Assert.Equal("Raised", Told);
    }

    [Fact]
    public void NotKnown_DoesNotCountInTheTimeThatSomethingHasToBeWrong()
    {
        Look(0, Wrong());
        Look(4, Wrong());
        Look(5, NotKnown());
        Look(500, NotKnown());
        Look(501, Wrong());
        Look(506, Wrong());
        Assert.Empty(Book.Active);

        Look(507, Wrong());

        Assert.Equal(Make.At.AddSeconds(507), Active.RaisedAt);
    }

    [Fact]
    public void NotKnown_DoesNotCountInTheTimeThatItHasToBeRight()
    {
        Raise();
        Look(20);
        Look(30);
        Look(31, NotKnown());
        Look(500, NotKnown());
        Look(501);
        Look(510);
        Assert.Single(Book.Active);

        Look(511);

        Assert.Empty(Book.Active);
    }

    [Fact]
    public void LookThatComesLate_DoesNotCountWhatNobodyLookedAt()
    {
        AlertPolicy slow = Policy(Rule() with { RaiseAfter = TimeSpan.FromMinutes(5) });
        Look(0, slow, Wrong());
        Look(400, slow, Wrong());

        Assert.Empty(Book.Active);
    }

    [Fact]
    public void NotKnown_NeitherRaisesNorEnds()
    {
        Look(0, NotKnown());
        Look(100, NotKnown());
        Assert.Empty(Book.Active);

        Look(101, Wrong());
        Look(111, Wrong());
        for (int second = 120; second < 10_000; second += 100)
        {
            Look(second, NotKnown());
        }

        Assert.Equal(Make.At.AddSeconds(111), Active.RaisedAt);
        Assert.Equal("Raised", Told);
    }

    [Fact]
    public void NotKnown_ForASubjectThatEndsWithASlash_StandsForAllBelowIt()
    {
        var check = new AlertKey("rule", "check:node-a/http");
        Look(0, Wrong(key: check));
        Look(10, Wrong(key: check));

        Look(1_000, NotKnown(new AlertKey("rule", "check:node-a/")));

        Assert.Single(Book.Active);
    }

    [Fact]
    public void Reminder_ComesUntilSomebodyTakesItOn()
    {
        Raise();
        Look(10 + 1_799, Wrong());
        Assert.Equal("Raised", Told);
        Look(10 + 1_800, Wrong());
        Assert.Equal("Raised Reminder", Told);

        Take(AlertReducer.Acknowledge(Book, Active, new AlertAcknowledgement("alice", Make.At, "I am on it")));
        Look(10_000, Wrong());

        Assert.Equal("Raised Reminder Acknowledged", Told);
        Assert.False(Active.NeedsSomebody);
    }

    [Fact]
    public void Reminder_ComesInTimeAlsoWhenTheWallClockWasSetBack()
    {
        Raise();
        for (int second = 11; second <= 10 + 1_800; second++)
        {
            Look(Make.At.AddSeconds(second - 86_400), second, Wrong());
        }

        Assert.Equal("Raised Reminder", Told);
    }

    [Fact]
    public void Reminder_ComesInTimeAlsoWhenTheWallClockWasSetBackWhileTheHubWasAway()
    {
        Raise();
        Book = AlertBook.Empty with { Active = Book.Active, Shelves = Book.Shelves };
        for (int second = 20; second < 20 + 1_800; second++)
        {
            Look(Make.At.AddSeconds(second - 86_400), second, Wrong());
        }

        Assert.Equal("Raised", Told);
        Look(Make.At.AddSeconds(20 + 1_800 - 86_400), 20 + 1_800, Wrong());

        Assert.Equal("Raised Reminder", Told);
    }

    [Fact]
    public void Reminder_CountsFromWhatAnEarlierRunTold()
    {
        Raise();
        Book = AlertBook.Empty with { Active = Book.Active, Shelves = Book.Shelves };

        // Another run has another uptime.
        Look(Make.At.AddSeconds(10 + 1_799), 5, Wrong());
        Assert.Equal("Raised", Told);
        Look(Make.At.AddSeconds(10 + 1_800), 6, Wrong());

        Assert.Equal("Raised Reminder", Told);
    }

    [Fact]
    public void Unacknowledged_IsRemindedOfAgain()
    {
        Raise();
        Take(AlertReducer.Acknowledge(Book, Active, new AlertAcknowledgement("alice", Make.At, "I am on it")));
        Take(AlertReducer.Unacknowledge(Book, Active, "alice", Make.At.AddSeconds(100)));

        Look(100 + 1_800, Wrong());

        Assert.Equal("Raised Acknowledged Unacknowledged Reminder", Told);
    }

    [Fact]
    public void Shelved_NobodyIsToldUntilItsTimeAlsoWhenItBeginsAgain()
    {
        Raise();
        Take(AlertReducer.Shelve(Book, Active, new AlertShelf("alice", Make.At, Make.At.AddSeconds(5_000), "Known, parts are on their way")));
        Look(2_000, Wrong());
        Look(2_010);
        Look(2_030);
        Assert.Equal("Raised Resolved", Told);

        Look(2_100, Wrong());
        Look(2_110, Wrong());
        Assert.Equal("alice", Active.Shelf!.By);
        Look(4_999, Wrong());
        Assert.Equal("Raised Resolved", Told);
        Look(5_000, Wrong());

        Assert.Equal("Raised Resolved Raised", Told);
        Assert.Null(Active.Shelf);
        Assert.Empty(Book.Shelves);
    }

    [Fact]
    public void Frozen_IsKeptQuietAndToldWhenTheFreezeIsOver()
    {
        AlertRule rule = Rule() with { QuietInFreeze = true };
        var freeze = Quiet.OfPairs("frozen by alice until 15:00", QuietReason.Freeze, "web");
        Look(0, Policy(rule, freeze), Wrong());
        Look(10, Policy(rule, freeze), Wrong());
        Assert.Equal("frozen by alice until 15:00", Active.QuietBecause);
        Assert.Empty(Notices);

        Look(20, Policy(rule), Wrong());

        Assert.Null(Active.QuietBecause);
        Assert.Equal("Raised", Told);
        Assert.Equal(["alert-raised", "alert-told-again"], Events.Select(e => e.Kind));
    }

    [Fact]
    public void Frozen_WhatEndsMeanwhileWasNobodysNewsAndIsInTheHistory()
    {
        AlertRule rule = Rule() with { QuietInFreeze = true };
        var freeze = Quiet.OfPairs("frozen", QuietReason.Freeze, "web");
        Look(0, Policy(rule, freeze), Wrong());
        Look(10, Policy(rule, freeze), Wrong());
        Look(20, Policy(rule, freeze));
        Look(40, Policy(rule, freeze));

        Assert.Empty(Notices);
        Assert.Equal(["alert-raised", "alert-resolved"], Events.Select(e => e.Kind));
    }

    [Fact]
    public void Frozen_WhatWasToldBeforeIsToldToBeOver()
    {
        AlertRule rule = Rule() with { QuietInFreeze = true };
        var freeze = new Quiet("frozen", QuietReason.Freeze) { IsOfAll = true };
        Look(0, Policy(rule), Wrong());
        Look(10, Policy(rule), Wrong());
        Look(20, Policy(rule, freeze));
        Look(40, Policy(rule, freeze));

        Assert.Equal("Raised Resolved", Told);
    }

    [Theory]
    [InlineData("other", null, false)]
    [InlineData("WEB", null, true)]
    [InlineData(null, "node-a", true)]
    [InlineData(null, "node-b", false)]
    [InlineData(null, null, true)]
    public void Maintenance_KeepsQuietWhatItIsAbout(string? pair, string? node, bool quiet)
    {
        var window = new Quiet("maintenance", QuietReason.Maintenance) { IsOfAll = pair is null && node is null, Pairs = Names(pair), Nodes = Names(node) };

        Look(0, Policy(null, window), Wrong());
        Look(10, Policy(null, window), Wrong());

        Assert.Equal(quiet, Notices.Count == 0);
    }

    [Fact]
    public void RuleSwitchedOff_EndsItsAlerts()
    {
        Raise();

        Look(11, Policy(Rule() with { Enabled = false }));

        Assert.Equal("Raised Resolved", Told);
        Assert.Equal("Its rule was switched off.", Notices[^1].Alert.ResolvedText);
    }

    [Fact]
    public void RuleRemoved_EndsItsAlerts()
    {
        Raise();

        Look(11, AlertPolicy.Of([], [], []));

        Assert.Empty(Book.Active);
        Assert.Equal("Raised Resolved", Told);
    }

    [Fact]
    public void Restart_WithWhatWasStored_NeitherRaisesAnewNorForgetsToEnd()
    {
        Raise();
        Book = AlertBook.Empty with { Active = Book.Active, Shelves = Book.Shelves };

        Look(60, NotKnown());
        Look(120, Wrong());
        Assert.Equal("Raised", Told);
        Look(130);
        Look(150);

        Assert.Equal("Raised Resolved", Told);
    }

    [Fact]
    public void ChannelAddedLater_LearnsOfWhatNobodyWasToldYet()
    {
        AlertPolicy none = AlertPolicy.Of([Rule()], [], []);
        Look(0, none, Wrong());
        Look(10, none, Wrong());
        Assert.Null(Active.LastToldAt);

        Look(20, Wrong());

        Assert.Equal("Raised", Told);
    }

    [Fact]
    public void ChannelAddedLater_LearnsOfWhatOthersWereToldAndNobodyIsToldTwice()
    {
        Raise();
        AlertPolicy more = AlertPolicy.Of([Rule()], [new ChannelChoice("mail", FailoverHub.Web.History.EventSeverity.Info), new ChannelChoice("chat", FailoverHub.Web.History.EventSeverity.Info)], []);

        Look(11, more, Wrong());
        Look(12, more, Wrong());

        Assert.Equal("Raised Raised", Told);
        Assert.Equal(["chat"], Notices[^1].Channels);
        Assert.Equal(Make.At.AddSeconds(10), Active.LastToldAt);
    }

    [Fact]
    public void Sentence_ThatChangesEachSecond_IsShownAtOnceAndWrittenOnceAMinute()
    {
        Raise();
        int written = 0;
        for (int second = 11; second < 191; second++)
        {
            written += Look(second, Wrong($"silent for {second} s")).Changed.Length;
            Assert.Equal($"silent for {second} s", Active.Text);
        }

        Assert.InRange(written, 2, 3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Sentence_ThatChangesOnceSoonAfterItWasWritten_IsWrittenWhenTheMinuteIsOver(bool isKnownThen)
    {
        Raise();
        Assert.Empty(Look(20, Wrong("4 of 4 sessions are down.")).Changed);
        Finding then = isKnownThen ? Wrong("4 of 4 sessions are down.") : NotKnown();
        Assert.Empty(Look(69, then).Changed);

        Assert.Equal("4 of 4 sessions are down.", Assert.Single(Look(70, then).Changed).Text);
        Assert.Empty(Look(71, then).Changed);
        Assert.Empty(Look(700, then).Changed);
    }

    private static System.Collections.Immutable.ImmutableHashSet<string> Names(string? name) => new Quiet("", QuietReason.Freeze).Pairs.Union(name is null ? [] : [name]);

    private void Raise()
    {
        Look(0, Wrong());
        Look(10, Wrong());
        Assert.Equal("Raised", Told);
    }
}
