using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>What each kind of rule finds, and what it says it cannot judge.</summary>
public sealed class AlertConditionsTests
{
    private static readonly NodeView Standby = Make.Node("node-b", Role.Secondary);

    [Fact]
    public void HealthyFleet_NothingIsFoundByAnyOfTheRulesThatAHubBeginsWith()
    {
        PairView pair = Make.HealthyPair() with { Answers = [new AnswerView(Make.Prefix, "node-a", Make.At, 63, null)] };
        AlertFacts facts = Facts(pair) with { Targets = [Target("router", ReachabilityState.Reachable, Make.Samples(60))], Reachability = Reached(ReachabilityState.Reachable, Make.Samples(60)), Hub = new HubCondition { FreeDisk = 0.5 } };

        Assert.Empty(AlertConditions.Find(facts, AlertKinds.Defaults));
    }

    [Fact]
    public void Defaults_EachMakesSenseAndHasAnIdOfItsOwn()
    {
        Assert.All(AlertKinds.Defaults, rule => Assert.Empty(AlertRuleCheck.Problems(rule, new HashSet<string>())));
        Assert.Equal(AlertKinds.Defaults.Length, AlertKinds.Defaults.Select(r => r.Id).Distinct().Count());
        Assert.Equal(Enum.GetValues<AlertKind>(), AlertKinds.Defaults.Select(r => r.Kind).Distinct().Order());
    }

    [Theory]
    [InlineData(PairState.Degraded, PairState.Degraded, "wrong")]
    [InlineData(PairState.Degraded, PairState.Healthy, "right")]
    [InlineData(PairState.Degraded, PairState.Frozen, "right")]
    [InlineData(PairState.Degraded, PairState.FailedOver, "unknown")]
    [InlineData(PairState.Degraded, PairState.Switching, "unknown")]
    [InlineData(PairState.Degraded, PairState.NoAnnouncer, "unknown")]
    [InlineData(PairState.FailedOver, PairState.Degraded, "right")]
    [InlineData(PairState.NoAnnouncer, PairState.DualPrimary, "right")]
    [InlineData(PairState.DualPrimary, PairState.NoAnnouncer, "unknown")]
    [InlineData(PairState.DualPrimary, PairState.Unknown, "unknown")]
    [InlineData(PairState.NoAnnouncer, PairState.Unknown, "unknown")]
    [InlineData(PairState.Unknown, PairState.Unknown, "wrong")]
    public void StateOfAPair_OneThatIsShownHidesThoseBehindIt(PairState asked, PairState shown, string expected)
    {
        Finding[] found = Find(Facts(Make.HealthyPair() with { State = shown, StateReason = "Because." }), Rule(AlertKind.PairState, asked.ToString()));

        Assert.Equal(expected, found switch { [] => "right", [{ IsKnown: true, Text: "Because." }] => "wrong", [{ IsKnown: false }] => "unknown", _ => "?" });
    }

    [Theory]
    [InlineData(NodeLink.Offline, "wrong")]
    [InlineData(NodeLink.Stale, "unknown")]
    [InlineData(NodeLink.Connected, "right")]
    [InlineData(NodeLink.Revoked, "right")]
    public void SilentNode_IsFoundByItsLink(NodeLink link, string expected)
    {
        Finding[] found = Find(Facts(Pair(Make.Node("node-a", Role.Primary, link))), Rule(AlertKind.NodeLink, nameof(NodeLink.Offline)));

        Assert.Equal(expected, Word(found));
    }

    [Fact]
    public void HubThatHasJustStarted_DoesNotJudgeWhoHasNotComeBackYet()
    {
        AlertFacts facts = Facts(Pair(Make.Node("node-a", Role.Primary, NodeLink.Offline)) with { State = PairState.Degraded });
        AlertRule[] rules = [Rule(AlertKind.NodeLink), Rule(AlertKind.SessionsDown), Rule(AlertKind.PairState), Rule(AlertKind.CheckUnhealthy), Rule(AlertKind.AddressLost), Rule(AlertKind.FailbackPending)];

        Assert.All(rules, rule => Assert.Equal("unknown", Word(Find(facts with { HubUpFor = TimeSpan.FromSeconds(59) }, rule))));
        Assert.Equal("wrong", Word(Find(facts with { HubUpFor = AlertConditions.Grace }, rules[0])));
    }

    [Fact]
    public void HubThatIsCutOff_TellsOfItselfAndDoesNotCallNodesSilent()
    {
        AlertFacts facts = Facts(Pair(Make.Node("node-a", Role.Primary, NodeLink.Offline) with { RemoteAddress = "::ffff:192.0.2.7" }) with { State = PairState.Unknown })
            with { Hub = new HubCondition { CutOff = new HubCutOff("The hub itself is cut off.", IPv4: true, IPv6: false) } };

        Assert.Equal("unknown", Word(Find(facts, Rule(AlertKind.NodeLink))));
        Assert.Equal("unknown", Word(Find(facts, Rule(AlertKind.PairState, nameof(PairState.Unknown)))));
        AlertFacts other = facts with { Hub = new HubCondition { CutOff = new HubCutOff("The hub itself is cut off.", IPv4: false, IPv6: true) } };
        Assert.Equal(("wrong", "wrong"), (Word(Find(other, Rule(AlertKind.NodeLink))), Word(Find(other, Rule(AlertKind.PairState, nameof(PairState.Unknown))))));
        Assert.Equal("The hub itself is cut off.", Assert.Single(Find(facts, Rule(AlertKind.HubCutOff))).Text);
    }

    [Theory]
    [InlineData(1, 1, "wrong")]
    [InlineData(1, 2, "right")]
    [InlineData(2, 2, "wrong")]
    [InlineData(0, 1, "right")]
    public void SessionsDown_AsManyAsTheRuleSays(int down, double threshold, string expected)
    {
        ImmutableArray<SessionView> sessions = [.. Enumerable.Range(1, 4).Select(i => Make.Session(i, i <= down ? BgpSessionState.Active : BgpSessionState.Established, i <= down ? "Hold timer expired" : null))];

        Finding[] found = Find(Facts(Pair(Make.Node("node-a", Role.Primary) with { Sessions = sessions })), Rule(AlertKind.SessionsDown) with { Threshold = threshold });

        Assert.Equal(expected, Word(found));
        Assert.All(found, f => Assert.Equal($"{down} of 4 sessions of node-a are not established; 2600:3c0f:18:34::1: Hold timer expired.", f.Text));
    }

    [Fact]
    public void Check_ThatFails_IsFoundByItsNameAndOneWithoutVerdictIsNotJudged()
    {
        NodeView node = Make.Node("node-a", Role.Primary) with { Checks = [Check("http", Health.Unhealthy, "HTTP 503"), Check("disk", Health.Unknown), Check("tcp", Health.Healthy)] };

        Finding[] found = Find(Facts(Pair(node)), Rule(AlertKind.CheckUnhealthy));

        Assert.Equal([("check:node-a/http", true), ("check:node-a/disk", false)], found.Select(f => (f.Key.Subject, f.IsKnown)));
        Assert.Equal("Check 'http' of node-a fails: HTTP 503.", found[0].Text);
    }

    [Theory]
    [InlineData(ReachabilityState.Unreachable, "wrong")]
    [InlineData(ReachabilityState.Reachable, "right")]
    [InlineData(ReachabilityState.Unknown, "unknown")]
    public void Address_ThatDoesNotAnswer_IsFound(ReachabilityState state, string expected) =>
        Assert.Equal(expected, Word(Find(Facts(Make.HealthyPair()) with { Reachability = Reached(state, [new ProbeSample(Make.At, null, "no answer")]) }, Rule(AlertKind.AddressLost))));

    [Fact]
    public void Address_ThatIsNotProbedYet_IsNotJudged() =>
        Assert.Equal("unknown", Word(Find(Facts(Make.HealthyPair()), Rule(AlertKind.AddressLost))));

    [Theory]
    [InlineData(60, 3, "wrong")]
    [InlineData(60, 2, "right")]
    [InlineData(19, 19, "unknown")]
    public void LostProbes_AsManyPercentAsTheRuleSays(int probes, int lost, string expected)
    {
        ImmutableArray<ProbeSample> samples = [.. Make.Samples(probes).Select((s, i) => i < lost ? s with { RoundTrip = null, Error = "no answer" } : s)];

        Assert.Equal(expected, Word(Find(Facts(Make.HealthyPair()) with { Reachability = Reached(ReachabilityState.Reachable, samples) }, Rule(AlertKind.ProbeLoss))));
    }

    /// <summary>After a loss an address is probed ten times a second: by the number of probes a second of silence would be many.</summary>
    [Theory]
    [InlineData(1, "right")]
    [InlineData(6, "wrong")]
    public void LostProbes_CountBySecondsHoweverOftenEachWasProbed(int silentSeconds, string expected)
    {
        ImmutableArray<ProbeSample> samples =
        [
            .. Enumerable.Range(0, 100).Select(i => new ProbeSample(Make.At.AddSeconds(i - 110), TimeSpan.FromMilliseconds(1), null)),
            .. Enumerable.Range(0, 10 * silentSeconds).Select(i => new ProbeSample(Make.At.AddSeconds(-8).AddMilliseconds(100 * i), null, "no answer")),
        ];

        Finding[] found = Find(Facts(Make.HealthyPair()) with { Reachability = Reached(ReachabilityState.Unreachable, samples) }, Rule(AlertKind.ProbeLoss));

        Assert.Equal(expected, Word(found));
        Assert.All(found, f => Assert.Equal("5.7 % of the probes of 203.0.113.10 were lost, over 106 s that count alike (60 of 160 probes).", f.Text));
    }

    [Theory]
    [InlineData("router", ReachabilityState.Unreachable, 2, true, "wrong")]
    [InlineData("router", ReachabilityState.Unreachable, 1, true, "unknown")]
    [InlineData("router", ReachabilityState.Unreachable, 2, false, "wrong")]
    [InlineData("router", ReachabilityState.Reachable, 0, true, "right")]
    [InlineData("router", ReachabilityState.Unknown, 2, true, "unknown")]
    [InlineData("node-a", ReachabilityState.Unreachable, 2, true, "wrong")]
    [InlineData("node-a", ReachabilityState.Unreachable, 2, false, "unknown")]
    public void Target_ThatDoesNotAnswerTwice_IsFound_ANodeOnlyWhenItEverAnswers(string name, ReachabilityState state, int silent, bool hasAnswered, string expected)
    {
        ImmutableArray<ProbeSample> samples = [.. Make.Samples(10).Select((s, i) => i >= 10 - silent ? s with { RoundTrip = null, Error = "no answer" } : s)];
        AlertFacts facts = Facts(Make.HealthyPair()) with { Targets = [Target(name, state, samples, hasAnswered)] };

        Finding[] found = Find(facts, Rule(AlertKind.TargetLost));

        Assert.Equal(expected, Word(found));
        Assert.All(found, f => Assert.Equal(name == "router" ? "target:router" : "target:node:node-a", f.Key.Subject));
        Assert.All(found, f => Assert.Equal((name == "router" ? null : "node-a", name == "router" ? null : "web"), (f.Node, f.Pair)));
        Assert.All(found.Where(f => f.IsKnown), f => Assert.EndsWith(" does not answer the hub: no answer.", f.Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "", "", "router", true)]
    [InlineData("router", "", "", "router", true)]
    [InlineData("other", "", "", "router", false)]
    [InlineData("", "web", "", "router", false)]
    [InlineData("", "web", "", "node-a", true)]
    [InlineData("", "", "node-b", "node-a", false)]
    [InlineData("router", "", "", "node-a", false)]
    public void Scope_OfARuleAboutTargets_IsByTheirNames_AndOfNodesByTheirsAndTheirPairs(string targets, string pairs, string nodes, string name, bool found)
    {
        AlertFacts facts = Facts(Make.HealthyPair()) with { Targets = [Target(name, ReachabilityState.Unreachable, [.. Make.Samples(10).Select(s => s with { RoundTrip = null, Error = "no answer" })])] };

        Assert.Equal(found, Find(facts, Rule(AlertKind.TargetLost) with { Targets = Split(targets), Pairs = Split(pairs), Nodes = Split(nodes) }).Length == 1);
    }

    [Theory]
    [InlineData(null, false, "unknown")]
    [InlineData(null, true, "right")]
    [InlineData(AnswerMarkKind.Split, true, "wrong")]
    [InlineData(AnswerMarkKind.Elsewhere, true, "wrong")]
    [InlineData(AnswerMarkKind.Forged, true, "wrong")]
    public void Answer_OfTheWrongMachine_IsFound_AndOfNobodyIsNotJudged(AnswerMarkKind? kind, bool answers, string expected)
    {
        AnswerMark? mark = kind is { } what ? new AnswerMark(what, "node-b answers there.", Make.At) : null;
        PairView pair = Asked(Make.HealthyPair()) with { Answers = answers ? [new AnswerView(Make.Prefix, "node-b", Make.At, 63, mark)] : [] };

        Finding[] found = Find(Facts(pair), Rule(AlertKind.AnswersWrong));

        Assert.Equal(expected, Word(found));
        Assert.All(found.Where(f => f.IsKnown), f => Assert.StartsWith("node-b answers there. ", f.Text, StringComparison.Ordinal));
        Assert.Equal(expected == "wrong" && kind == AnswerMarkKind.Split, Word(Find(Facts(pair), Rule(AlertKind.AnswersWrong, nameof(AnswerMarkKind.Split)))) == "wrong");
    }

    [Theory]
    [InlineData(NodeLink.Connected, 600, "right")]
    [InlineData(NodeLink.Connected, 5, "right")]
    [InlineData(NodeLink.Offline, 600, "right")]
    [InlineData(NodeLink.Offline, 5, "unknown")]
    public void Answer_ThatNobodyIsAskedForAnyMore_IsNoTrouble_OnceTheNodesHadTheTimeToComeBack(NodeLink link, int seconds, string expected)
    {
        PairView pair = Pair(Make.Node("node-a", Role.Primary, link));
        AlertFacts facts = Facts(pair) with { HubUpFor = TimeSpan.FromSeconds(seconds) };

        Assert.Equal(expected, Word(Find(facts, Rule(AlertKind.AnswersWrong))));
        Assert.Equal("It is not asked any more who answers there.", AlertAfterwards.Of(facts, new Alert
        {
            Id = "1", Key = new AlertKey("rule", $"address:{Make.Prefix}"), Kind = AlertKind.AnswersWrong, RuleName = "Rule", Severity = FailoverHub.Web.History.EventSeverity.Warning, About = "address", Pair = "web", Node = null,
            Prefix = Make.Prefix.ToString(), Text = "It is wrong.", RaisedAt = Make.At,
        }));
    }

    [Theory]
    [InlineData(false, false, "unknown")]
    [InlineData(false, true, "right")]
    [InlineData(true, false, "wrong")]
    [InlineData(true, true, "wrong")]
    public void HubThatHasHeardNobodySinceItsStart_DoesNotKnowThatItIsConnected(bool cutOff, bool hasHeard, string expected)
    {
        AlertFacts facts = Facts(Make.HealthyPair()) with { Hub = new HubCondition { CutOff = cutOff ? new HubCutOff("The hub itself is cut off.", IPv4: true, IPv6: true) : null, KnowsItsWayOut = hasHeard } };

        Assert.Equal(expected, Word(Find(facts, Rule(AlertKind.HubCutOff))));
    }

    [Theory]
    [InlineData(null, "unknown")]
    [InlineData("503 no", "wrong")]
    public void Channel_OfWhichItIsNotKnownYetHowItsNewestMessageFared_IsNotJudged(string? error, string expected)
    {
        Finding[] found = Find(Facts(Make.HealthyPair()) with { FailingChannels = [("hook", "Hook", error)] }, Rule(AlertKind.ChannelFailing));

        Assert.Equal(expected, Word(found));
        Assert.Equal(new AlertKey("rule", "channel:hook"), found[0].Key);
    }

    [Fact]
    public void Afterwards_WhoeverWasToldHearsWhatIsSoNow()
    {
        PairView pair = Make.HealthyPair() with { Answers = [new AnswerView(Make.Prefix, "node-a", Make.At, 63, null)] };
        AlertFacts facts = Facts(pair) with
        {
            Reachability = Reached(ReachabilityState.Reachable, Make.Samples(60)),
            Targets = [Target("router", ReachabilityState.Reachable, Make.Samples(60))],
            Hub = new HubCondition { FreeDisk = 0.25 },
        };

        Assert.Equal("web is healthy now: Both nodes announce, node-a is active.", Now(AlertKind.PairState, $"pair:{pair.Id}"));
        Assert.Equal("node-a is heard again.", Now(AlertKind.NodeLink, "node:node-a", "node-a"));
        Assert.Equal("The node is not there any more.", Now(AlertKind.NodeLink, "node:node-z", "node-z"));
        Assert.Equal("203.0.113.10 answers the hub.", Now(AlertKind.AddressLost, $"address:{Make.Prefix}"));
        Assert.Equal("0 % of the probes of 203.0.113.10 were lost in the last two minutes (0 of 60).", Now(AlertKind.ProbeLoss, $"address:{Make.Prefix}"));
        Assert.Equal("router answers the hub.", Now(AlertKind.TargetLost, "target:router"));
        Assert.Equal("It is not probed any more.", Now(AlertKind.TargetLost, "target:gone"));
        Assert.Equal("Only node-a answers there now.", Now(AlertKind.AnswersWrong, $"address:{Make.Prefix}"));
        Assert.Equal("25 % of the disk is free now.", Now(AlertKind.HubDisk, "hub"));

        // None says nothing.
        Assert.All(Enum.GetValues<AlertKind>(), kind => Assert.NotEqual("Nothing of it is found any more.", Now(kind, "hub", "node-a")));

        string Now(AlertKind kind, string subject, string? node = null) => AlertAfterwards.Of(facts, new Alert
        {
            Id = "1", Key = new AlertKey("rule", subject), Kind = kind, RuleName = "Rule", Severity = FailoverHub.Web.History.EventSeverity.Warning, About = "channel x", Pair = "web", Node = node,
            Prefix = subject.StartsWith("address:", StringComparison.Ordinal) ? Make.Prefix.ToString() : null, Text = "It is wrong.", RaisedAt = Make.At,
        });
    }

    [Theory]
    [InlineData(30, 6.9, "wrong")]
    [InlineData(30, 7.1, "right")]
    [InlineData(30, -1, "wrong")]
    [InlineData(0.125, 0.05, "right")]
    [InlineData(0.125, 0.03, "wrong")]
    public void Certificate_IsFoundByDaysAndByAQuarterOfItsLife(double life, double left, string expected)
    {
        var identity = new NodeIdentityView { NodeId = "n", JoinedAt = Make.At, Serial = "01", IssuedAt = Make.At.AddDays(left - life), NotAfter = Make.At.AddDays(left), Renewals = 0 };

        Assert.Equal(expected, Word(Find(Facts(Pair(Make.Node("node-a", Role.Primary) with { Identity = identity })), Rule(AlertKind.CertificateExpiring))));
    }

    [Theory]
    [InlineData(OperationStatus.Failed, 1, "wrong")]
    [InlineData(OperationStatus.Failed, 25, "right")]
    [InlineData(OperationStatus.OutcomeUnknown, 1, "wrong")]
    [InlineData(OperationStatus.Succeeded, 1, "right")]
    [InlineData(OperationStatus.Cancelled, 1, "right")]
    public void Operation_ThatDidNotSucceed_IsNewsForAWhile(OperationStatus status, int hoursAgo, string expected)
    {
        OperationView operation = Make.Operation(status: status) with { FinishedAt = status == OperationStatus.OutcomeUnknown ? null : Make.At.AddHours(-hoursAgo) };

        Assert.Equal(expected, Word(Find(Facts(Make.HealthyPair()) with { Operations = [.. EndedOperations.None.Take(operation).Failed] }, Rule(AlertKind.OperationFailed))));
    }

    [Fact]
    public void Failback_ThatIsHeld_IsFoundWithWhatItWaitsFor()
    {
        NodeView node = Make.Node("node-a", Role.Primary);
        node = node with { Prefixes = [node.Prefixes[0] with { Hold = new FailbackHold(TimeSpan.FromSeconds(42), "It has just come back.") }] };

        Assert.Equal("node-a fails back in 42 s if it stays well.", Assert.Single(Find(Facts(Pair(node)), Rule(AlertKind.FailbackPending))).Text);
    }

    [Theory]
    [InlineData(0.05, "wrong")]
    [InlineData(0.2, "right")]
    [InlineData(null, "unknown")]
    public void Disk_NearlyFull_IsFound(double? free, string expected) =>
        Assert.Equal(expected, Word(Find(Facts() with { Hub = new HubCondition { FreeDisk = free } }, Rule(AlertKind.HubDisk))));

    [Theory]
    [InlineData("web", "", true)]
    [InlineData("db", "", false)]
    [InlineData("", "node-b", true)]
    [InlineData("", "node-c", false)]
    [InlineData("db", "node-b", false)]
    public void Scope_RuleIsAskedOnlyOfThosePairsAndNodes(string pairs, string nodes, bool found)
    {
        AlertRule rule = Rule(AlertKind.PairState, nameof(PairState.Degraded)) with { Pairs = Split(pairs), Nodes = Split(nodes) };

        Assert.Equal(found, Find(Facts(Make.HealthyPair() with { State = PairState.Degraded }), rule).Length == 1);
    }

    [Theory]
    [InlineData(VantageTrouble.LinkDown, false, "wrong")]
    [InlineData(VantageTrouble.NotOffered, false, "wrong")]
    [InlineData(VantageTrouble.Behind, false, "wrong")]
    [InlineData(VantageTrouble.CannotAsk, false, "wrong")]
    [InlineData(null, false, "right")]
    [InlineData(VantageTrouble.LinkDown, true, "unknown")]
    [InlineData(VantageTrouble.NotOffered, true, "wrong")]
    public void LostVantagePoint_IsFoundByItsTrouble_ButNotWhenItIsTheHubThatIsCutOff(VantageTrouble? trouble, bool cutOff, string expected)
    {
        AlertFacts facts = Facts(Pair(Make.Node("node-a", Role.Primary, NodeLink.Offline))) with { Vantages = [Standing(trouble)], Hub = new HubCondition { CutOff = cutOff ? new HubCutOff("The hub itself is cut off.", IPv4: true, IPv6: true) : null } };

        Finding[] found = Find(facts, Rule(AlertKind.VantageLost) with { Nodes = ["node-a"] });

        Assert.Equal(expected, Word(found));
        Assert.Equal(expected == "wrong", found is [{ About: "vantage point node-a", Node: "node-a", Pair: "web" }] && found[0].Text.StartsWith("node-a is lost as a vantage point: ", StringComparison.Ordinal));
        Assert.Equal("right", Word(Find(facts with { Hub = new HubCondition() }, Rule(AlertKind.VantageLost, trouble == VantageTrouble.Behind ? nameof(VantageTrouble.LinkDown) : nameof(VantageTrouble.Behind)) with { Nodes = ["node-a"] })));
    }

    [Theory]
    [InlineData(NodeLink.Connected, "right")]
    [InlineData(NodeLink.Offline, "unknown")]
    [InlineData(NodeLink.NeverSeen, "unknown")]
    [InlineData(NodeLink.Revoked, "right")]
    public void VantagePointOfBeforeTheHubWasStarted_IsNotJudgedUntilItsNodeIsBack(NodeLink link, string expected) =>
        Assert.Equal(expected, Word(Find(Facts(Pair(Make.Node("node-a", Role.Primary, link))), Rule(AlertKind.VantageLost) with { Nodes = ["node-a"] })));

    [Theory]
    [InlineData("host-1", "HOST-1", NodeLink.Connected, "wrong")]
    [InlineData("host-1", "host-2", NodeLink.Connected, "right")]
    [InlineData("host-1", null, NodeLink.Connected, "right")]
    [InlineData("host-1", null, NodeLink.Offline, "unknown")]
    public void PairOnOneHost_IsFound_AndNotJudgedWhileANodeIsSilent(string one, string? other, NodeLink link, string expected)
    {
        PairView pair = Make.Pair("web", PairState.Healthy, "Both announce.", "node-a", Make.Node("node-a", Role.Primary) with { Host = one }, Make.Node("node-b", Role.Secondary, link) with { Host = other });

        Finding[] found = Find(Facts(pair), Rule(AlertKind.SharedHost));

        Assert.Equal(expected, Word(found));
        Assert.Equal(expected == "wrong", found is [{ Text: "Nodes of web are on one physical host (host-1): node-a, node-b. When it breaks nobody can take over. Put them into a placement group with anti-affinity." }]);
    }

    private static VantageStanding Standing(VantageTrouble? trouble) => new()
    {
        Id = "id-a",
        Name = "node-a",
        Targets = ["target:shop"],
        OnlyTheHub = 0,
        LastToldAt = Make.At,
        Trouble = trouble,
        Since = trouble is null ? null : Make.At,
    };

    private static ProbedTarget Target(string name, ReachabilityState state, ImmutableArray<ProbeSample> samples, bool hasAnswered = true)
    {
        bool isNode = name.StartsWith("node-", StringComparison.Ordinal);
        return new ProbedTarget
        {
            Id = isNode ? $"node:{name}" : $"target:{name}", Kind = isNode ? ProbedKind.Node : ProbedKind.Named, Label = name, Node = isNode ? name : null, HasAnswered = hasAnswered, Prefix = null,
            Address = "192.0.2.1", Method = ProbeMethod.Icmp, Port = null, Way = "ICMP", Pair = null, Interval = TimeSpan.FromSeconds(1), State = state, Recent = samples, Problem = null,
        };
    }

    private static ImmutableArray<string> Split(string names) => [.. names.Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private static Finding[] Find(AlertFacts facts, AlertRule rule) => [.. AlertConditions.Find(facts, [rule])];

    // Of the node or pair that the test is about; the others of its pair are well.
    private static string Word(Finding[] found) => found switch { [] => "right", [{ IsKnown: false }, ..] => "unknown", _ => "wrong" };

    private static PairView Pair(NodeView node) => Make.Pair("web", PairState.Healthy, "Both announce.", "node-a", node, Standby);

    private static PairView Asked(PairView pair) => pair with { Members = [.. pair.Members.Select(m => m with { Node = m.Node with { IdentityPort = 7_790 } })] };

    private static CheckView Check(string name, Health verdict, string? output = null) => new()
    {
        Name = name, Kind = "http", Verdict = verdict, VerdictFor = null, LastRunAgo = null, LastRunTook = TimeSpan.Zero, LastOutput = output, Consequence = "withdraw", Prefixes = [],
    };

    private static Dictionary<IPNetwork, TargetReachability> Reached(ReachabilityState state, ImmutableArray<ProbeSample> samples) => new() { [Make.Prefix] = Make.Target(state, samples) };
}
