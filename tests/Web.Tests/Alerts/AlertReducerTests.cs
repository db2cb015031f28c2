using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>When something becomes an alert, when it ends, and who is told. Seconds are values here.</summary>
public sealed class AlertReducerTests
{
    private readonly List<AlertNotice> _told = [];
    private readonly List<AlertEvent> _events = [];
    private AlertBook _book = AlertBook.Empty;
    private int _ids;

    private Alert Active => Assert.Single(_book.Active).Value;

    private string Told => string.Join(' ', _told.Select(n => n.Kind));

    [Fact]
    public void Wrong_ForAsLongAsTheRuleSays_IsRaisedOnceAndTold()
    {
        Look(0, Wrong());
        Look(9, Wrong());
        Assert.Empty(_book.Active);

        Look(10, Wrong());
        Look(11, Wrong());

        Assert.Equal(Make.At.AddSeconds(10), Active.RaisedAt);
        Assert.Equal("Raised", Told);
        Assert.Equal(["mail"], _told[0].Channels);
        Assert.Equal(["alert-raised"], _events.Select(e => e.Kind));
    }

    [Fact]
    public void Wrong_WithABreak_CountsAnew()
    {
        Look(0, Wrong());
        Look(9);
        Look(10, Wrong());
        Look(19, Wrong());

        Assert.Empty(_book.Active);
    }

    [Fact]
    public void Right_ForAsLongAsTheRuleSays_EndsItAndTellsWhoWasTold()
    {
        Raise();

        Look(20);
        Look(39);
        Assert.Single(_book.Active);
        Look(40);

        Assert.Empty(_book.Active);
        Assert.Equal("Raised Resolved", Told);
        Assert.Equal(["mail"], _told[^1].Channels);
        Assert.Equal("The rule does not find it any more.", _told[^1].Alert.ResolvedText);
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
    public void NotKnown_NeitherRaisesNorEnds()
    {
        Look(0, NotKnown());
        Look(100, NotKnown());
        Assert.Empty(_book.Active);

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

        Assert.Single(_book.Active);
    }

    [Fact]
    public void Reminder_ComesUntilSomebodyTakesItOn()
    {
        Raise();
        Look(10 + 1_799, Wrong());
        Assert.Equal("Raised", Told);
        Look(10 + 1_800, Wrong());
        Assert.Equal("Raised Reminder", Told);

        Take(AlertReducer.Acknowledge(_book, Active, new AlertAcknowledgement("alice", Make.At, "I am on it")));
        Look(10_000, Wrong());

        Assert.Equal("Raised Reminder Acknowledged", Told);
        Assert.False(Active.NeedsSomebody);
    }

    [Fact]
    public void Unacknowledged_IsRemindedOfAgain()
    {
        Raise();
        Take(AlertReducer.Acknowledge(_book, Active, new AlertAcknowledgement("alice", Make.At, "I am on it")));
        Take(AlertReducer.Unacknowledge(_book, Active, "alice", Make.At.AddSeconds(100)));

        Look(100 + 1_800, Wrong());

        Assert.Equal("Raised Acknowledged Unacknowledged Reminder", Told);
    }

    [Fact]
    public void Shelved_NobodyIsToldUntilItsTimeAlsoWhenItBeginsAgain()
    {
        Raise();
        Take(AlertReducer.Shelve(_book, Active, new AlertShelf("alice", Make.At, Make.At.AddSeconds(5_000), "Known, parts are on their way")));
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
        Assert.Empty(_book.Shelves);
    }

    [Fact]
    public void Frozen_IsKeptQuietAndToldWhenTheFreezeIsOver()
    {
        AlertRule rule = Rule() with { QuietInFreeze = true };
        var freeze = new Quiet("frozen by alice until 15:00", true, "web", null);
        Look(0, Policy(rule, freeze), Wrong());
        Look(10, Policy(rule, freeze), Wrong());
        Assert.Equal("frozen by alice until 15:00", Active.QuietBecause);
        Assert.Empty(_told);

        Look(20, Policy(rule), Wrong());

        Assert.Null(Active.QuietBecause);
        Assert.Equal("Raised", Told);
        Assert.Equal(["alert-raised", "alert-told-again"], _events.Select(e => e.Kind));
    }

    [Fact]
    public void Frozen_WhatEndsMeanwhileWasNobodysNewsAndIsInTheHistory()
    {
        AlertRule rule = Rule() with { QuietInFreeze = true };
        var freeze = new Quiet("frozen", true, "web", null);
        Look(0, Policy(rule, freeze), Wrong());
        Look(10, Policy(rule, freeze), Wrong());
        Look(20, Policy(rule, freeze));
        Look(40, Policy(rule, freeze));

        Assert.Empty(_told);
        Assert.Equal(["alert-raised", "alert-resolved"], _events.Select(e => e.Kind));
    }

    [Fact]
    public void Frozen_WhatWasToldBeforeIsToldToBeOver()
    {
        AlertRule rule = Rule() with { QuietInFreeze = true };
        var freeze = new Quiet("frozen", true, null, null);
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
        var window = new Quiet("maintenance", false, pair, node);

        Look(0, Policy(null, window), Wrong());
        Look(10, Policy(null, window), Wrong());

        Assert.Equal(quiet, _told.Count == 0);
    }

    [Fact]
    public void RuleSwitchedOff_EndsItsAlerts()
    {
        Raise();

        Look(11, Policy(Rule() with { Enabled = false }));

        Assert.Equal("Raised Resolved", Told);
        Assert.Equal("Its rule was switched off.", _told[^1].Alert.ResolvedText);
    }

    [Fact]
    public void RuleRemoved_EndsItsAlerts()
    {
        Raise();

        Look(11, AlertPolicy.Of([], [], []));

        Assert.Empty(_book.Active);
        Assert.Equal("Raised Resolved", Told);
    }

    [Fact]
    public void Restart_WithWhatWasStored_NeitherRaisesAnewNorForgetsToEnd()
    {
        Raise();
        _book = AlertBook.Empty with { Active = _book.Active, Shelves = _book.Shelves };

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

    private void Raise()
    {
        Look(0, Wrong());
        Look(10, Wrong());
        Assert.Equal("Raised", Told);
    }

    private AlertStep Look(int second, params Finding[] findings) => Look(second, Policy(), findings);

    private AlertStep Look(int second, AlertPolicy policy, params Finding[] findings)
    {
        AlertStep step = AlertReducer.Look(_book, findings, policy, new Moment(Make.At.AddSeconds(second), TimeSpan.FromSeconds(second)), () => $"alert-{++_ids}");
        Take(step);
        return step;
    }

    private void Take(AlertStep step)
    {
        _book = step.Book;
        _told.AddRange(step.Notices);
        _events.AddRange(step.Events);
    }
}
