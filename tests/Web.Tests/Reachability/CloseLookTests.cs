using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability;

/// <summary>When the hub probes ten times a second where it makes no bursts, and when it does not believe what it sees.</summary>
public sealed class CloseLookTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(5);
    private static readonly IPAddress Gateway = IPAddress.Parse("192.0.2.1");
    private static readonly ProbeTarget Web = Target(0);

    private readonly ProbeBoard _board = new(ProbePace.Default with { MostBursting = 0 }, new Random(1));
    private readonly List<(ProbeTarget Target, TimeSpan At)> _sent = [];
    private readonly List<(ReachabilityChange Change, TimeSpan KnownAt)> _changes = [];
    private readonly List<ProbeSample> _counted = [];
    private readonly PriorityQueue<(ProbeTarget Target, ProbeSample Sample, TimeSpan SentAt), TimeSpan> _under = new();
    private TimeSpan _now;
    private TimeSpan _cutOffFor;

    [Fact]
    public void AddressThatFallsSilent_IsProbedTenTimesASecondUntilHalfAMinuteAfterItsReturn()
    {
        _board.SetTargets([Web], [], _now);

        Run(10 * Second, _ => true);
        Run(5 * Second, _ => false);
        Run(60 * Second, _ => true);

        Assert.InRange(SentBetween(2 * Second, 10 * Second), 8, 9);
        Assert.InRange(SentBetween(12 * Second, 15 * Second), 28, 31);
        Assert.InRange(SentBetween(16 * Second, 44 * Second), 275, 285);
        Assert.InRange(SentBetween(60 * Second, 75 * Second), 14, 16);
    }

    [Fact]
    public void OutageOfFiveSeconds_IsMeasuredToATenthOfASecondAndKnownWithinTwo()
    {
        _board.SetTargets([Web], [], _now);
        Run(10 * Second, _ => true);
        Run(5 * Second, _ => false);
        Run(5 * Second, _ => true);

        Assert.Equal([true, false], _changes.Select(c => c.Change.Lost));
        Assert.InRange(_changes[0].KnownAt, 10 * Second, 13 * Second);
        Assert.InRange(_changes[1].KnownAt, 15 * Second, 15.2 * Second);

        // From the last answer, which may be a second before the cut, to the first one, which is at most a tenth behind the return.
        Assert.InRange(_changes[1].Change.Silence!.Value, 5 * Second, 6.11 * Second);
        MeasuredOutage measured = MeasuredOutage.Of(Web.Prefix, [.. _counted.OrderBy(s => s.At)]);
        Assert.InRange(measured.Longest!.Value, 5 * Second, 6.11 * Second);
    }

    [Fact]
    public void SlowAnswer_ThatComesAfterANewerOne_IsNoOutage()
    {
        _board.SetTargets([Web], [], _now);
        _board.Record(Web, new ProbeSample(Make.At, RoundTrip, null), Second);
        _board.Record(Web, new ProbeSample(Make.At + Second, RoundTrip, null), 2 * Second);

        Assert.Null(_board.Record(Web, new ProbeSample(Make.At + (0.5 * Second), null, "no answer"), 1.5 * Second));
        Assert.Null(_board.Record(Web, new ProbeSample(Make.At + (0.6 * Second), null, "no answer"), 1.6 * Second));

        KnownTarget known = Assert.Single(_board.Snapshot());
        Assert.Equal(ReachabilityState.Reachable, known.StateAt(2 * Second));
        Assert.Equal(known.Recent.OrderBy(s => s.At), known.Recent);
    }

    [Fact]
    public void OperationUnderWay_IsLookedAtClosely_FromTheNextTenthOfASecondOn()
    {
        _board.SetTargets([Web], [], _now);
        Run(5 * Second, _ => true);

        _board.SetTargets([Web with { Changing = true }], [], _now);
        Run(Second, _ => true);
        _board.SetTargets([Web], [], _now);
        Run(5 * Second, _ => true);

        Assert.InRange(SentBetween(5 * Second, 6 * Second), 9, 10);
        Assert.InRange(SentBetween(7 * Second, 11 * Second), 3, 5);
    }

    [Fact]
    public void WholeDataCenterChanging_IsLookedAtCloselyUpToTheLimitAndTheOthersOnceASecond()
    {
        ImmutableArray<ProbeTarget> many = [.. Enumerable.Range(0, 500).Select(i => Target(i) with { Changing = true })];
        _board.SetTargets(many, [], _now);

        Run(3 * Second, _ => true);

        int[] perTarget = [.. many.Select(t => _sent.Count(s => s.Target == t && s.At >= Second))];
        Assert.Equal(ProbePace.Default.MostClose, perTarget.Count(n => n > 10));
        Assert.All(perTarget, n => Assert.InRange(n, 1, 21));
    }

    [Theory]
    [InlineData("operation", true)]
    [InlineData("session just lost", true)]
    [InlineData("session lost a minute ago", false)]
    [InlineData("silent node", false)]
    [InlineData("quiet", false)]
    public void WhatChanges_IsKnownFromTheFleet(string what, bool changing)
    {
        PairView pair = Make.HealthyPair("web");
        SessionView lost = Make.Session(1, BgpSessionState.Active) with { StateSince = Make.At - (what == "session lost a minute ago" ? 60 * Second : Second) };
        pair = what switch
        {
            "operation" => pair with { OperationId = "op-1" },
            "quiet" => pair,
            _ => pair with { Members = [pair.Members[0] with { Node = pair.Members[0].Node with { Sessions = [lost], Link = what == "silent node" ? NodeLink.Stale : NodeLink.Connected } }, .. pair.Members.Skip(1)] },
        };

        Assert.Equal(changing, Assert.Single(ProbeTarget.Of(Make.Fleet(pair))).Changing);
    }

    [Fact]
    public void HubThatIsCutOffItself_KnowsNothingAndCallsNoAddressDown()
    {
        ImmutableArray<ProbeTarget> targets = [.. Enumerable.Range(0, 20).Select(Target)];
        _board.SetTargets(targets, [Gateway], _now);
        Run(5 * Second, _ => true);

        Run(20 * Second, _ => false);

        Assert.Empty(_changes);
        Assert.Contains("192.0.2.1, its gateway, does not answer", _board.HubProblem!.Text, StringComparison.Ordinal);
        Assert.All(_board.Snapshot(), known => Assert.Equal(ReachabilityState.Unknown, known.StateAt(_now)));

        Run(3 * Second, _ => true);
        Assert.Null(_board.HubProblem);
        Assert.Empty(_changes);

        // Nothing of all that is loss of an address: not what was lost before anybody could know, nor what came while the way was just opening.
        Assert.All(_counted, s => Assert.True(s.Answered));
        Assert.All(_board.Snapshot(), known => Assert.DoesNotContain(known.Recent, s => !s.Answered));
        Assert.All(_board.Snapshot(), known => Assert.Equal(ReachabilityState.Reachable, known.StateAt(_now)));
    }

    [Fact]
    public void AddressThatFallsSilent_WhileTheGatewayAnswers_IsCalledLost()
    {
        _board.SetTargets([Web], [Gateway], _now);
        Run(5 * Second, _ => true);

        Run(5 * Second, target => target != Web);

        Assert.True(Assert.Single(_changes).Change.Lost);
        Assert.InRange(_changes[0].KnownAt, 5 * Second, 8.1 * Second);
        Assert.Null(_board.HubProblem);
    }

    [Fact]
    public void LostProbes_WhileTheGatewayAnswers_AreKept_AndCountOnce()
    {
        _board.SetTargets([Web, Target(1)], [Gateway], _now);
        Run(5 * Second, _ => true);

        Run(5 * Second, target => target != Web);
        Run(3 * Second, _ => true);

        int lost = _sent.Count(s => s.Target.Prefix.Equals(Web.Prefix) && s.At >= 5 * Second && s.At < 10 * Second);
        Assert.Equal(lost, _counted.Count(s => !s.Answered));
        Assert.Equal(lost, _board.Snapshot()[0].Recent.Count(s => !s.Answered));
    }

    [Fact]
    public void GatewayThatStopsAnsweringPings_WhileAddressesBehindItAnswer_CutsNobodyOff()
    {
        _board.SetTargets([Web, Target(1)], [Gateway], _now);
        Run(5 * Second, _ => true);

        Run(60 * Second, target => !target.IsGateway);
        Assert.Equal(TimeSpan.Zero, _cutOffFor);

        // And what is really lost is known as before.
        Run(5 * Second, target => !target.IsGateway && target != Web);
        Assert.True(Assert.Single(_changes).Change.Lost);
        Assert.Equal([ReachabilityState.Unreachable, ReachabilityState.Reachable], _board.Snapshot().Select(k => k.StateAt(_now)));
        Assert.Contains(_counted, s => !s.Answered);
    }

    [Fact]
    public void GatewayThatWasTakenForMute_TellsAgainAsSoonAsItAnswers()
    {
        _board.SetTargets([Web, Target(1)], [Gateway], _now);
        Run(5 * Second, _ => true);
        Run(20 * Second, target => !target.IsGateway);
        Run(5 * Second, _ => true);

        Run(20 * Second, _ => false);

        Assert.NotNull(_board.HubProblem);
        Assert.Empty(_changes);
    }

    [Fact]
    public void AnswersFromTheHubsOwnNetwork_SayNothingOfTheWayOut()
    {
        _board.SetLinks([IPNetwork.Parse("198.51.0.1/32")]);
        _board.SetTargets([Web, Target(1)], [Gateway], _now);
        Run(5 * Second, _ => true);

        Run(20 * Second, target => target == Target(1));

        Assert.NotNull(_board.HubProblem);
        Assert.Empty(_changes);
    }

    [Fact]
    public void HubThatIsStartedWhileItIsCutOff_CallsNobodyLost_UntilSomethingHasAnswered()
    {
        _board.SetTargets([Web, Target(1)], [Gateway], _now);

        Run(60 * Second, _ => false);

        Assert.Empty(_changes);
        Assert.Empty(_counted);
        Assert.False(_board.HubHasHeard);
        Assert.All(_board.Snapshot(), known =>
        {
            Assert.Equal(ReachabilityState.Unknown, known.StateAt(_now));
            Assert.StartsWith("Nothing but the hub's own network has answered the hub since it was started", known.Problem, StringComparison.Ordinal);
        });

        // The way is open: whoever is silent now is silent himself.
        Run(5 * Second, target => target != Web);
        Assert.True(_board.HubHasHeard);
        Assert.Equal(Web, Assert.Single(_changes).Change.Target);
        Assert.Equal([ReachabilityState.Unreachable, ReachabilityState.Reachable], _board.Snapshot().Select(k => k.StateAt(_now)));
    }

    [Fact]
    public void GatewayThatNeverAnswers_ProvesNothing()
    {
        _board.SetTargets([Web], [Gateway], _now);
        Run(5 * Second, target => target == Web);

        Run(5 * Second, _ => false);

        Assert.True(Assert.Single(_changes).Change.Lost);
        Assert.Null(_board.HubProblem);
    }

    /// <summary>A link that is down, or a default route that is deleted, takes the gateway out of the kernel's table: the commonest way to be cut off.</summary>
    [Fact]
    public void HubWhoseRouteIsGone_KnowsNothingAndCallsNoAddressDown_UntilItIsBack()
    {
        ImmutableArray<ProbeTarget> targets = [.. Enumerable.Range(0, 20).Select(Target)];
        _board.SetTargets(targets, [Gateway], _now);
        Run(5 * Second, _ => true);

        Run(2 * Second, _ => false);
        _board.SetTargets(targets, [], _now);
        Run(60 * Second, _ => false);

        Assert.Empty(_changes);
        Assert.Equal("The hub itself is cut off: it has no IPv4 route out any more; the last one was by 192.0.2.1. Nothing is known of any IPv4 address until it has one: see to its link and its default route (ip link, ip route).", _board.HubProblem?.Text);
        Assert.All(_board.Snapshot(), known => Assert.Equal(ReachabilityState.Unknown, known.StateAt(_now)));
        Assert.All(_counted, s => Assert.True(s.Answered));

        // The link is back before what is behind it: the gateway is in the table, and as silent as before.
        _board.SetTargets(targets, [Gateway], _now);
        Run(10 * Second, _ => false);
        Assert.Empty(_changes);
        Assert.Contains("192.0.2.1, its gateway, does not answer", _board.HubProblem?.Text, StringComparison.Ordinal);

        Run(3 * Second, _ => true);
        Assert.Null(_board.HubProblem);
        Assert.Empty(_changes);
        Assert.All(_board.Snapshot(), known => Assert.Equal(ReachabilityState.Reachable, known.StateAt(_now)));
    }

    [Fact]
    public void HubThatIsCutOffInOneFamily_StillKnowsTheOther()
    {
        ProbeTarget six = new(IPNetwork.Parse("2001:db8:1::1/128"), IPAddress.Parse("2001:db8:1::1"), "web");
        IPAddress gatewaySix = IPAddress.Parse("2001:db8::1");
        _board.SetTargets([Web, six], [Gateway, gatewaySix], _now);
        Run(5 * Second, _ => true);

        Run(20 * Second, target => target.Address.Equals(six.Address) || target.Address.Equals(gatewaySix));

        Assert.Empty(_changes);
        Assert.Equal((true, false), (_board.HubProblem?.IPv4, _board.HubProblem?.IPv6));
        Assert.Equal(
            [ReachabilityState.Reachable, ReachabilityState.Unknown],
            _board.Snapshot().OrderByDescending(k => k.Target.Address.AddressFamily).Select(k => k.StateAt(_now)));

        // And what is silent there while its own gateway answers is lost.
        Run(5 * Second, target => target.Address.Equals(gatewaySix));
        Assert.Equal(six, Assert.Single(_changes).Change.Target);
    }

    [Fact]
    public void GatewayThatIsGoneInAFamilyThatNobodyNeeds_IsNoProblem()
    {
        _board.SetTargets([Web], [Gateway, IPAddress.Parse("2001:db8::1")], _now);
        Run(5 * Second, _ => true);

        _board.SetTargets([Web], [Gateway], _now);
        Run(5 * Second, _ => true);

        Assert.Null(_board.HubProblem);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.0.2.254")]
    public void OtherWayOut_ThatDoesNotAnswer_ProvesNothing_HoweverTheOneBeforeIt(string way)
    {
        _board.SetTargets([Web], [Gateway], _now);
        Run(5 * Second, _ => true);
        _board.SetTargets([Web], [IPAddress.Parse(way)], _now);
        Run(5 * Second, target => target == Web);

        Run(5 * Second, _ => false);

        Assert.True(Assert.Single(_changes).Change.Lost);
        Assert.Null(_board.HubProblem);
    }

    [Fact]
    public void ProbeThatTheMachineDidNotLetOut_IsNoLossOfTheAddress_AndOfTheGatewayItIs()
    {
        _board.SetTargets([Web], [Gateway], _now);
        Run(5 * Second, _ => true);
        ProbeTarget gateway = _sent.Select(s => s.Target).First(t => t.IsGateway);

        for (int i = 0; i < 5; i++, _now += Second)
        {
            _board.TakeDue(_now, 10);
            bool news = _board.CouldNotAsk(Web, new ProbeSample(Make.At + _now, null, "no route"), _now, "The hub could not ask: no route.");
            Assert.Equal(i == 0, news);
            Assert.Equal(i < 3 ? "The hub could not ask: no route." : _board.HubProblem?.Text, Assert.Single(_board.Snapshot()).Problem);
            Assert.Equal(ReachabilityState.Unknown, Assert.Single(_board.Snapshot()).StateAt(_now));
            Assert.Equal(i >= 3, _board.HubProblem is not null);
            _board.CouldNotAsk(gateway, new ProbeSample(Make.At + _now, null, "no route"), _now, "The hub could not ask: no route.");
        }

        Assert.Empty(_changes);
        Assert.True(Assert.Single(_board.Snapshot()).Recent.All(s => s.Answered));
    }

    [Fact]
    public void NetworksWithoutAGateway_AreReadFromTheKernelsTables()
    {
        string[] four = ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT", "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0", "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", "eth0\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0"];
        string[] six =
        [
            "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo",
        ];

        Assert.Equal([IPNetwork.Parse("192.0.2.0/24")], LinkedNetworks.OfIPv4(four));
        Assert.Equal([IPNetwork.Parse("fd00::/64")], LinkedNetworks.OfIPv6(six));
        Assert.Contains(LinkedNetworks.Read(), n => n.Contains(IPAddress.Loopback));
    }

    [Fact]
    public void Gateways_AreReadFromTheKernelsTables()
    {
        string[] four = ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT", "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0", "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"];
        string[] six =
        [
            "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo",
        ];

        Assert.Equal([IPAddress.Parse("192.0.2.1")], DefaultGateways.OfIPv4(four));
        Assert.Equal([IPAddress.Any], DefaultGateways.OfIPv4([four[0], "wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0"]));
        Assert.Empty(DefaultGateways.OfIPv4([four[0], "*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0"]));
        Assert.Equal([new IPAddress(IPAddress.Parse("fe80::1").GetAddressBytes(), 7)], DefaultGateways.OfIPv6(six, _ => 7));
    }

    private static ProbeTarget Target(int number)
    {
        IPNetwork prefix = IPNetwork.Parse($"198.51.{number / 200}.{number % 200}/32");
        return new ProbeTarget(prefix, prefix.BaseAddress, "web");
    }

    private int SentBetween(TimeSpan from, TimeSpan to) => _sent.Count(s => s.Target.Prefix.Equals(Web.Prefix) && s.At >= from && s.At < to);

    /// <summary>Lets time pass in steps of 10 ms, as the prober's loop would; whoever answers does so within 5 ms.</summary>
    private void Run(TimeSpan length, Func<ProbeTarget, bool> answers)
    {
        for (TimeSpan end = _now + length; _now < end; _now += TimeSpan.FromMilliseconds(10))
        {
            while (_under.TryPeek(out var result, out TimeSpan at) && at <= _now)
            {
                _under.Dequeue();
                if (_board.Record(result.Target, result.Sample, result.SentAt) is { } change)
                {
                    _changes.Add((change, _now));
                }
            }

            _counted.AddRange(_board.TakeCounted(_now).Select(c => c.Sample));
            _cutOffFor += _board.HubProblem is null ? TimeSpan.Zero : TimeSpan.FromMilliseconds(10);

            foreach ((ProbeTarget target, _) in _board.TakeDue(_now, 10_000))
            {
                _sent.Add((target, _now));
                bool answered = answers(target);
                _under.Enqueue((target, new ProbeSample(Make.At + _now, answered ? RoundTrip : null, answered ? null : "no answer"), _now), _now + (answered ? RoundTrip : Timeout));
            }
        }
    }
}
