using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Fleet.Present;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>Which node is active, by who answers and by what the nodes report.</summary>
public sealed class ObservedActiveTests
{
    private static readonly AnswerMark Split = new(AnswerMarkKind.Split, "both", Now.Wall);
    private static readonly AnswerMark Elsewhere = new(AnswerMarkKind.Elsewhere, "web-2 answers", Now.Wall);
    private static readonly AnswerMark Forged = new(AnswerMarkKind.Forged, "a lie", Now.Wall);

    [Fact]
    public void NobodyAnswers_ItIsInferred()
    {
        var pair = View(Healthy);

        Assert.Equal(("web-1", ActiveNodeBasis.Inferred, null), (pair.ActiveNode, pair.ActiveNodeBasis, pair.ActiveObservedAt));
        Assert.Empty(pair.Answers);
        Assert.Null(pair.AnswerMark);
    }

    [Fact]
    public void AnnouncerAnswers_ItIsObserved_WithTheTimeOfTheAnswer()
    {
        var pair = View(Healthy with { Answers = Answers("web-1", age: 1) });

        Assert.Equal(("web-1", ActiveNodeBasis.Observed, Now.After(-1).Wall), (pair.ActiveNode, pair.ActiveNodeBasis, pair.ActiveObservedAt));
        Assert.Equal(61, Assert.Single(pair.Answers).Ttl);
    }

    [Fact]
    public void AnswerIsOlderThanAFewSeconds_IsNotShown()
    {
        var pair = View(Healthy with { Answers = Answers("web-1", age: 3.1) });

        Assert.Equal(("web-1", ActiveNodeBasis.Inferred), (pair.ActiveNode, pair.ActiveNodeBasis));
        Assert.Empty(pair.Answers);
    }

    [Fact]
    public void AnotherNodeAnswers_CountsWhenItHasLasted_AndTheStateStaysWhatTheNodesAnnounce()
    {
        var young = View(Healthy with { Answers = Answers("web-2") });
        Assert.Equal(("web-1", ActiveNodeBasis.Inferred), (young.ActiveNode, young.ActiveNodeBasis));

        var lasting = View(Healthy with { Answers = Answers("web-2", Elsewhere) });
        Assert.Equal(("web-2", ActiveNodeBasis.Observed, PairState.Healthy), (lasting.ActiveNode, lasting.ActiveNodeBasis, lasting.State));
        Assert.Equal(Elsewhere, lasting.AnswerMark);
    }

    [Fact]
    public void TwoAnswerInTurn_OrSomebodyLies_NothingIsObserved_AndTheMarkSaysSo()
    {
        var split = View(Healthy with { Answers = Answers(null, Split) });
        var forged = View(Healthy with { Answers = Answers("web-1", Forged) });

        Assert.Equal((ActiveNodeBasis.Inferred, Split), (split.ActiveNodeBasis, split.AnswerMark));
        Assert.Equal((ActiveNodeBasis.Inferred, Forged), (forged.ActiveNodeBasis, forged.AnswerMark));
    }

    /// <summary>What only an answer can tell.</summary>
    [Fact]
    public void NodesAreSilent_TheOneThatAnswersIsActive()
    {
        var silent = PairOf(Node("web-1", Role.Primary).Gone(), Node("web-2", Role.Secondary).Gone());
        Assert.Null(View(silent).ActiveNode);

        var pair = View(silent with { Answers = Answers("web-1") });

        Assert.Equal(("web-1", ActiveNodeBasis.Observed, PairState.Unknown), (pair.ActiveNode, pair.ActiveNodeBasis, pair.State));
    }

    [Fact]
    public void OneOfTwoAddressesAnswers_ThePairIsNotObserved()
    {
        var other = IPNetwork.Parse("203.0.113.11/32");
        var facts = PairOf(
            Node("web-1", Report(View(Role.Primary, Role.Primary), View(Role.Primary, Role.Primary, prefix: other))),
            Node("web-2", Report(View(Role.Secondary, Role.Secondary), View(Role.Secondary, Role.Secondary, prefix: other))));
        facts = facts with { Pairs = facts.Pairs.SetItem("p1", facts.Pairs["p1"] with { Prefixes = [Prefix, other] }), Answers = Answers("web-1") };

        Assert.Equal(ActiveNodeBasis.Inferred, View(facts).ActiveNodeBasis);
        Assert.Equal(ActiveNodeBasis.Observed, View(facts with { Answers = facts.Answers.Add(other, new PrefixAnswer(other, "web-1", Now, 61, null)) }).ActiveNodeBasis);
    }

    /// <summary>A projector that remembers says the same; that an answer is renewed costs no judgement, and that it is too old is noticed.</summary>
    [Fact]
    public void SameAnswerAgain_OnlyItsTimeIsOther_AndItsEndIsSeen()
    {
        var projector = new FleetProjector();
        var first = projector.Project(Healthy with { Answers = Answers("web-1") }, Now, 1).Pairs[0];
        var facts = Healthy with { Answers = Answers("web-1") };
        var again = projector.Project(facts with { Answers = Answers("web-1", age: -1) }, Now.After(1), 2).Pairs[0];

        Assert.Equal(Now.After(1).Wall, again.ActiveObservedAt);
        Assert.Equal(first.StateReason, again.StateReason);
        var later = projector.Project(facts with { Answers = Answers("web-1", age: -1) }, Now.After(4.5), 3).Pairs[0];
        Assert.Empty(later.Answers);
        Assert.NotEqual(ActiveNodeBasis.Observed, later.ActiveNodeBasis);
    }

    [Fact]
    public void SameAnswerAgain_IsNotUrgent_AnotherIs()
    {
        var facts = Healthy with { Answers = Answers("web-1") };

        Assert.False(FleetReducer.IsUrgent(facts, new FleetMessage.Answered(Answers("web-1", age: -1)), Now));
        Assert.True(FleetReducer.IsUrgent(facts, new FleetMessage.Answered(Answers("web-2")), Now));
        Assert.True(FleetReducer.IsUrgent(facts, new FleetMessage.Answered(Answers("web-1", Elsewhere)), Now));
        Assert.True(FleetReducer.IsUrgent(facts, new FleetMessage.Answered(ImmutableDictionary<IPNetwork, PrefixAnswer>.Empty), Now));
    }

    private static ImmutableDictionary<IPNetwork, PrefixAnswer> Answers(string? node, AnswerMark? mark = null, double age = 0) =>
        ImmutableDictionary<IPNetwork, PrefixAnswer>.Empty.Add(Prefix, new PrefixAnswer(Prefix, node, Now.After(-age), 61, mark));
}
