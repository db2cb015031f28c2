using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Direct;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>When people are told from memory that nothing can be written. Seconds are values here.</summary>
public sealed class DirectTellingTests
{
    private static readonly AlertRule Storage = Rule(AlertKind.HubStorage) with { RemindEvery = TimeSpan.FromMinutes(60) };

    private readonly DirectTelling _telling = new();
    private readonly List<string> _told = [];

    [Fact]
    public void CannotWrite_ForAsLongAsTheRuleSays_IsToldOnceToEachChannelAndEnds()
    {
        Pass(0, 200, failing: true);
        Assert.Equal(["10 a Raised", "10 b Raised"], _told);

        Pass(201, 300, failing: false);
        Assert.Equal(["10 a Raised", "10 b Raised", "221 a Resolved", "221 b Resolved"], _told);

        Pass(301, 2_000, failing: false);
        Assert.Equal(4, _told.Count);
    }

    [Fact]
    public void CannotWriteForAMoment_IsToldToNobody()
    {
        Pass(0, 9, failing: true);
        Pass(10, 60, failing: false);
        Pass(61, 70, failing: true);

        Assert.Empty(_told);
    }

    [Fact]
    public void WhatCanBeStored_IsToldTheOrdinaryWay()
    {
        for (int second = 0; second < 100; second++)
        {
            Assert.Empty(_telling.Look(new DirectFacts(true, false, Storage, ["a"]), At(second)));
        }
    }

    [Fact]
    public void DiskThatComesAndGoes_IsOneBeginningInTenMinutes()
    {
        for (int minute = 0; minute < 60; minute++)
        {
            Pass(minute * 60, (minute * 60) + 29, failing: true);
            Pass((minute * 60) + 30, (minute * 60) + 59, failing: false);
        }

        Assert.InRange(_told.Count(t => t.EndsWith("a Raised", StringComparison.Ordinal)), 5, 6);
        Assert.InRange(_told.Count(t => t.EndsWith("a Resolved", StringComparison.Ordinal)), 5, 6);
    }

    [Fact]
    public void Reminder_ComesAsOftenAsTheRuleSays()
    {
        Pass(0, 7_300, failing: true);

        Assert.Equal(["10 a Raised", "3610 a Reminder", "7210 a Reminder"], _told.Where(t => t.Contains(" a ", StringComparison.Ordinal)));
    }

    [Fact]
    public void ChannelThatDoesNotTakeIt_IsTriedAgainLessAndLessOften()
    {
        Pass(0, 120, failing: true, takes: channel => channel != "b");

        Assert.Equal(["10", "11", "13", "17", "25", "41", "73"], _told.Where(t => t.EndsWith("b Raised", StringComparison.Ordinal)).Select(t => t.Split(' ')[0]));
        Assert.Single(_told, t => t.EndsWith("a Raised", StringComparison.Ordinal));
    }

    [Fact]
    public void ChannelThatTookNoBeginning_HearsOfNoEnd()
    {
        Pass(0, 60, failing: true, takes: channel => channel != "b");
        Pass(61, 200, failing: false);

        Assert.DoesNotContain(_told, t => t.EndsWith("b Resolved", StringComparison.Ordinal));
        Assert.Contains("81 a Resolved", _told);
    }

    [Fact]
    public void End_ThatNobodyTakes_IsGivenUp()
    {
        Pass(0, 60, failing: true);
        Pass(61, 10_000, failing: false, takes: _ => false);

        Assert.Equal(DirectTelling.EndsTried, _told.Count(t => t.EndsWith("a Resolved", StringComparison.Ordinal)));
    }

    [Fact]
    public void RuleThatIsSwitchedOff_EndsItAndTellsWhoWasTold()
    {
        Pass(0, 60, failing: true);

        Assert.Equal(["a", "b"], _telling.Look(new DirectFacts(true, true, null, []), At(61)).Where(m => m.Outgoing.Message.Kind == AlertNoticeKind.Resolved).Select(m => m.Channel));
    }

    [Fact]
    public void Message_HasTheSameNumberAtEachAttempt_AndNoneThatADeliveryHas()
    {
        Pass(0, 9, failing: true);
        DirectMessage first = _telling.Look(new DirectFacts(true, true, Storage, ["a"]), At(10)).Single();
        _telling.Failed("a", AlertNoticeKind.Raised, TimeSpan.FromSeconds(10), 0.5);
        DirectMessage second = _telling.Look(new DirectFacts(true, true, Storage, ["a"]), At(12)).Single();

        Assert.True(first.Outgoing.Id < 0);
        Assert.Equal(first.Outgoing.Id, second.Outgoing.Id);
    }

    private static Moment At(int second) => new(Make.At.AddSeconds(second), TimeSpan.FromSeconds(second));

    private void Pass(int from, int to, bool failing, Func<string, bool>? takes = null)
    {
        for (int second = from; second <= to; second++)
        {
            foreach (DirectMessage message in _telling.Look(new DirectFacts(failing, failing, Storage, ["a", "b"]), At(second)))
            {
                AlertNoticeKind kind = message.Outgoing.Message.Kind;
                _told.Add($"{second} {message.Channel} {kind}");
                if (takes?.Invoke(message.Channel) ?? true)
                {
                    _telling.Took(message.Channel, kind, TimeSpan.FromSeconds(second));
                }
                else
                {
                    _telling.Failed(message.Channel, kind, TimeSpan.FromSeconds(second), 0.5);
                }
            }
        }
    }
}
