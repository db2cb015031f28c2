using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability.Answering;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Reachability.Answering;

/// <summary>Time is played: the board is asked what is due, and somebody answers or does not.</summary>
public sealed class AnswerBoardTests
{
    private readonly AnswerBoard _board = new();
    private readonly List<AnswerFinding> _found = [];
    private AnswerTarget _target = Target();
    private Moment _now = Now;

    public AnswerBoardTests() => _board.SetTargets([_target], _now.Uptime);

    private AnswerMarkKind? Mark => _board.CurrentAt(_now).GetValueOrDefault(Prefix)?.Mark?.Kind;

    private string? Node => _board.CurrentAt(_now).GetValueOrDefault(Prefix)?.Node;

    [Fact]
    public void OneNodeAnswers_ItIsKnown_UntilItsAnswerIsOld()
    {
        Play(5, _ => "web-1");
        Assert.Equal("web-1", Node);

        Play(2.5, _ => null);
        Assert.Equal("web-1", Node);
        Play(1.5, _ => null);
        Assert.Null(Node);
        Assert.Empty(_found);
    }

    [Fact]
    public void Switchover_IsOneChange_AndNothingIsWrong()
    {
        Play(5, _ => "web-1");
        Announce("web-2", "web-1=Secondary web-2=Primary");
        Play(20, at => at < 0.2 ? "web-1" : "web-2");

        Assert.Equal(("web-2", (AnswerMarkKind?)null), (Node, Mark));
        Assert.Empty(_found);
    }

    [Fact]
    public void AnnouncementsChange_WhatWasAnsweredBeforeSaysNothingAboutNow_AndItIsAskedCloselyAtOnce()
    {
        Play(5, _ => "web-1");

        Announce("web-2", "web-1=Secondary web-2=Primary");

        Assert.Null(Node);
        Assert.True(_board.NextDue - _now.Uptime <= AnswerBoard.ClosePeriod);
    }

    [Fact]
    public void TwoAnswerInTurn_IsASplit_WhichEndsWhenOneAnswersAlone()
    {
        Play(5, _ => "web-1");
        Play(10, at => (int)(at * 10) % 3 == 0 ? "web-2" : "web-1");

        var began = Assert.IsType<AnswerFinding.Began>(Assert.Single(_found));
        Assert.Equal((AnswerMarkKind.Split, "web-1 and web-2 answer on 203.0.113.10 in turn: some clients reach the one and some the other."), (began.Mark.Kind, began.Text));
        Assert.Equal((AnswerMarkKind.Split, (string?)null), (Mark, Node));

        Play(AskedAddress.SplitWindow.TotalSeconds + 2, _ => "web-1");
        var ended = Assert.IsType<AnswerFinding.Ended>(_found[1]);
        Assert.Equal("Nodes no longer answer on 203.0.113.10 in turn: only web-1 answers there now.", ended.Text);
        Assert.Equal(("web-1", (AnswerMarkKind?)null), (Node, Mark));
    }

    /// <summary>At one question a second nobody looks closely yet: the first other answer is what makes it so.</summary>
    [Fact]
    public void OneInFourAnswersIsTheOthers_IsFoundWithinSeconds()
    {
        int asked = 0;

        Play(12, _ => asked++ % 4 == 0 ? "web-2" : "web-1");

        Assert.Equal(AnswerMarkKind.Split, Assert.IsType<AnswerFinding.Began>(_found[0]).Mark.Kind);
    }

    [Fact]
    public void FailoverAndFailback_WithinSeconds_IsNoSplit()
    {
        Play(5, _ => "web-1");
        Announce("web-2", "web-2=Primary");
        Play(3, _ => "web-2");
        Announce("web-1", "web-1=Primary");
        Play(10, _ => "web-1");

        Assert.Empty(_found);
    }

    [Fact]
    public void RoutesFlutterForASecond_IsNoSplit()
    {
        Play(5, _ => "web-1");
        Announce("web-2", "web-1=Secondary web-2=Primary");
        Play(1, at => (int)(at * 10) % 2 == 0 ? "web-1" : "web-2");
        Play(10, _ => "web-2");

        Assert.Empty(_found);
    }

    [Fact]
    public void AnotherThanThePrimaryAnswers_IsSaidWhenItLasts_AndWhenItIsOver()
    {
        Play(2, _ => "web-2");
        Assert.Empty(_found);

        Play(3, _ => "web-2");
        var began = Assert.IsType<AnswerFinding.Began>(Assert.Single(_found));
        Assert.Equal(AnswerMarkKind.Elsewhere, began.Mark.Kind);
        Assert.StartsWith("web-2 answers on 203.0.113.10, though web-1 announces it as primary", began.Text, StringComparison.Ordinal);
        Assert.Equal(("web-2", AnswerMarkKind.Elsewhere), (Node, Mark));

        Play(2, _ => "web-1");
        Assert.IsType<AnswerFinding.Ended>(_found[1]);
        Assert.Null(Mark);
    }

    [Fact]
    public void WhileAnOperationMovesIt_ItHasMoreTime()
    {
        _board.SetTargets([_target = _target with { Moving = true }], _now.Uptime);

        Play(9, _ => "web-2");
        Assert.Empty(_found);
        Play(3, _ => "web-2");
        Assert.Single(_found);
    }

    [Fact]
    public void NodeOfAnotherPairAnswers_IsSaid_WhoeverIsPrimary()
    {
        _board.SetTargets([_target = _target with { Primary = null }], _now.Uptime);

        Play(5, _ => "db-1");

        Assert.Equal("db-1 answers on 203.0.113.10, and is no node of web.", Assert.Single(_found).Text);
    }

    [Fact]
    public void SomebodyLies_IsSaidOnce_AndThatItIsOver()
    {
        Play(2, _ => "web-1");
        Play(3, _ => "!web-2");
        var began = Assert.IsType<AnswerFinding.Began>(Assert.Single(_found));
        Assert.Equal(AnswerMarkKind.Forged, began.Mark.Kind);
        Assert.Contains("answers on 203.0.113.10 as web-2 and cannot prove it", began.Text, StringComparison.Ordinal);

        Play(5, _ => "!web-2");
        Assert.Equal((AnswerMarkKind.Forged, (string?)null), (Mark, Node));
        Assert.Single(_found);

        Play(AskedAddress.ForgedFor.TotalSeconds + 2, _ => "web-1");
        Assert.IsType<AnswerFinding.Ended>(_found[1]);
        Assert.Equal(2, _found.Count);
    }

    [Fact]
    public void TtlChangesForGood_IsToldOnce_AndNotThatNodesAreAtDifferentDistances()
    {
        Play(3, _ => "web-1", ttl: 61);
        Announce("web-2", "web-2=Primary");
        Play(3, _ => "web-2", ttl: 59);
        Assert.Empty(_found);

        Play(1, _ => "web-2", ttl: 58);
        Play(5, _ => "web-2", ttl: 60);

        var other = _found.OfType<AnswerFinding.OtherWay>().ToList();
        Assert.Equal(("web-2", 59), (other[0].Node, other[0].Before));
        Assert.Single(other);
        Assert.Equal(60, _board.CurrentAt(_now)[Prefix].Ttl);
    }

    [Fact]
    public void Quiet_OneQuestionASecond_AndTenWhileItChanges()
    {
        Assert.InRange(Play(20, _ => "web-1"), 18, 32);
        Play(20, _ => "web-1");
        Assert.Equal(20, Play(20, _ => "web-1"));

        _board.SetTargets([_target = _target with { Moving = true }], _now.Uptime);
        Assert.InRange(Play(20, _ => "web-1"), 190, 201);
    }

    [Fact]
    public void ManyAddresses_AreAskedSoOftenAsThereIsRoomFor()
    {
        ImmutableArray<AnswerTarget> many = [.. Enumerable.Range(0, 2_000).Select(n => Target() with { Prefix = IPNetwork.Parse($"10.0.{n / 256}.{n % 256}/32"), Moving = true })];
        _board.SetTargets(many, _now.Uptime);
        Play(10, _ => null);

        Assert.InRange(Play(10, _ => null), 9 * AnswerBoard.MostPerSecond, 11 * AnswerBoard.MostPerSecond);
        Assert.InRange(_board.Out, 1, 3 * AnswerBoard.MostPerSecond);
    }

    [Fact]
    public void AddressGoes_IsNotAskedAnyMore_AndIsAskedOnceWhenItIsBack()
    {
        Play(2, _ => "web-1");
        _board.SetTargets([], _now.Uptime);
        Assert.Null(_board.NextDue);
        Assert.Equal(0, Play(2, _ => "web-1"));

        _board.SetTargets([_target], _now.Uptime);
        // At once, and then each second.
        Assert.Equal(3, Play(2.5, _ => "web-1"));
    }

    [Fact]
    public void NodesAnswerAtDifferentPorts_EachIsAskedInTurn()
    {
        _board.SetTargets([_target with { Ports = [5444, 5999] }], _now.Uptime);
        var asked = new List<int>();
        for (int turn = 0; turn < 40; turn++)
        {
            _now = _now.After(0.1);
            asked.AddRange(_board.TakeDue(_now.Uptime).Select(d => d.Port));
        }

        Assert.Equal([5444, 5999, 5444], asked[..3]);
    }

    [Fact]
    public void AnswerToNoQuestion_OrASecondOne_CountsForNothing()
    {
        var nonce = new Nonce(1);
        _board.Sent(nonce, _target, _now);
        Assert.NotNull(_board.Find(nonce));
        _board.TakeOut(nonce);

        Assert.Null(_board.Find(nonce));
        Assert.Null(_board.Find(new Nonce(2)));
        _board.Sent(new Nonce(3), _target, _now);
        _board.TakeDue(_now.After(2.5).Uptime);
        Assert.Null(_board.Find(new Nonce(3)));
    }

    [Fact]
    public void Targets_AreTheAddressesOfPairsOfWhichANodeAnswers()
    {
        var asked = FleetProjection.Project(PairOf(
            Node("web-1", Report(View(Role.Primary, Role.Primary)) with { IdentityPort = 5444 }),
            Node("web-2", Report(View(Role.Secondary, Role.Secondary)) with { IdentityPort = 5999 })), Now, 1);

        AnswerTarget target = Assert.Single(AnswerTarget.Of(asked));

        Assert.Equal((Prefix, IPAddress.Parse("203.0.113.10"), "web", "web-1"), (target.Prefix, target.Address, target.Pair, target.Primary));
        Assert.Equal([5444, 5999], target.Ports);
        Assert.Empty(AnswerTarget.Of(FleetProjection.Project(Healthy, Now, 1)));
    }

    private static AnswerTarget Target() => new(Prefix, IPAddress.Parse("203.0.113.10"), "web")
    {
        Ports = [5444],
        Members = ["web-1", "web-2"],
        Primary = "web-1",
        Announced = "web-1=Primary web-2=Secondary",
    };

    private void Announce(string primary, string announced) => _board.SetTargets([_target = _target with { Primary = primary, Announced = announced }], _now.Uptime);

    /// <summary>So many seconds go by, in steps of a hundredth; who answers a question that is sent then, null: nobody, with a '!': somebody who is not. How many were sent.</summary>
    private int Play(double seconds, Func<double, string?> who, int? ttl = null)
    {
        int sent = 0;
        for (int step = 0; step < seconds * 100; step++)
        {
            _now = _now.After(0.01);
            foreach (DueQuestion due in _board.TakeDue(_now.Uptime))
            {
                sent++;
                var nonce = Nonce.New();
                _board.Sent(nonce, due.Target, _now);
                if (who(step / 100.0) is not { } node || _board.Find(nonce) is not { } question)
                {
                    continue;
                }

                if (node[0] == '!')
                {
                    _board.Lied(question, node[1..]);
                    continue;
                }

                _board.TakeOut(nonce);
                if (_board.Answered(question, node, ttl) is { } finding)
                {
                    _found.Add(finding);
                }
            }

            _found.AddRange(_board.Judge(_now));
        }

        return sent;
    }
}
