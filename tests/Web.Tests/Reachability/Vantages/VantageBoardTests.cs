using System.Collections.Immutable;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Targets;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static FailoverHub.Web.Tests.Reachability.Vantages.VantageCandidatesTests;

namespace FailoverHub.Web.Tests.Reachability.Vantages;

/// <summary>Plans and knowledge of nodes: a plan goes out when it is another, and what a node knew ends with its stream.</summary>
public sealed class VantageBoardTests
{
    private static readonly VantageTarget Address = new("203.0.113.10/32", "", []);

    private readonly VantageStreams _streams = new(new FakeTimeProvider(Make.At), NullLogger<VantageStreams>.Instance);
    private readonly VantageBoard _board = new(1, _ => new VantageWay.Icmp(), ProbePace.Default);
    private readonly VantageStream _node;
    private TimeSpan _now = TimeSpan.FromHours(1);

    public VantageBoardTests()
    {
        _node = _streams.Open("id-c", "node-c", _ => { })!;
        _board.SetStreams(_streams.Current);
        _board.SetKnown(Known(Shared()));
        _board.Assign(new VantageCandidates([Address], [new VantageNode("id-c", "node-c", "")], []), _now);
    }

    [Fact]
    public void Plan_ThatIsTheSame_IsSentOnce()
    {
        VantagePlan plan = Sent()!;

        VantageTask task = Assert.Single(plan.Tasks);
        Assert.Equal((1ul, "203.0.113.10/32", "203.0.113.10", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.9)), (plan.Revision, task.Target, $"{task.Address}", task.Interval, task.Timeout));
        Pass(5);
        Assert.Null(Sent());
    }

    [Fact]
    public void AddressThatTheHubLooksAtClosely_IsAskedTenTimesASecondUntilItIsNot()
    {
        VantageTask calm = Assert.Single(Sent()!.Tasks);
        _board.SetKnown([.. Known(Shared()).Select(k => k with { Close = true })]);
        Pass(0.5);
        Assert.Null(Sent());
        Pass(0.5);
        VantageTask close = Assert.Single(Sent()!.Tasks);
        _board.SetKnown(Known(Shared()));
        Pass(1);

        Assert.Equal(calm with { Interval = TimeSpan.FromMilliseconds(100) }, close);
        Assert.Equal(calm, Assert.Single(Sent()!.Tasks));
    }

    [Fact]
    public void ProbeThatOnlyTheNodeLoses_IsLookedAtCloselyByTheNode()
    {
        Sent();
        Tell(answered: true);
        Pass(1);
        Tell(answered: false);

        Assert.Equal(TimeSpan.FromMilliseconds(100), Assert.Single(Sent()!.Tasks).Interval);
        for (int i = 0; i < 40; i++)
        {
            Pass(1);
            Tell(answered: true);
        }

        Assert.Equal(TimeSpan.FromSeconds(1), Assert.Single(Sent()!.Tasks).Interval);
    }

    [Fact]
    public void NodeThatLosesEverything_IsLookedAtCloselyUpToABound()
    {
        VantageTarget[] targets = [.. Enumerable.Range(0, 200).Select(i => new VantageTarget($"10.0.0.{i}/32", "", []))];
        VantageStream other = _streams.Open("id-d", "node-d", _ => { })!;
        _board.SetStreams(_streams.Current);
        _board.SetKnown(Known([.. targets.Select(t => Shared(t.Id))]));
        var board = new VantageBoard(2, _ => new VantageWay.Icmp(), ProbePace.Default);
        board.SetStreams(_streams.Current);
        board.SetKnown(Known([.. targets.Select(t => Shared(t.Id))]));
        board.Assign(new VantageCandidates([.. targets], [new VantageNode("id-c", "node-c", ""), new VantageNode("id-d", "node-d", "")], []), _now);
        foreach (VantageStream stream in (VantageStream[])[_node, other])
        {
            foreach (bool answered in (bool[])[true, false])
            {
                board.Record(stream, Batch([.. targets.Select(t => Probe(t.Id, answered))]), _now);
            }
        }

        VantagePlan[] plans = [.. board.TakePlans(_now).Select(p => p.Plan)];

        Assert.Equal(400, plans.Sum(p => p.Tasks.Length));
        Assert.Equal(ProbePace.Default.MostClose, plans.Sum(p => p.Tasks.Count(t => t.Interval < TimeSpan.FromSeconds(1))));
    }

    [Fact]
    public void TargetThatIsAskedInAnotherWay_IsAnotherTask()
    {
        ProbeTarget icmp = Added("shop", "198.51.100.7");
        var board = new VantageBoard(1, t => t.Named!.Draft.Kind == NamedTargetKind.Http ? new VantageWay.Http(t.Named) : new VantageWay.Icmp(), ProbePace.Default);
        board.SetStreams(_streams.Current);
        board.SetKnown(Known(icmp));
        board.Assign(new VantageCandidates([new VantageTarget(icmp.Id, "", [])], [new VantageNode("id-c", "node-c", "")], []), _now);
        VantageTask first = Assert.Single(Assert.Single(board.TakePlans(_now)).Plan.Tasks);
        board.SetKnown(Known(Added("shop", "https://shop.example/", NamedTargetKind.Http)));
        VantageTask second = Assert.Single(Assert.Single(board.TakePlans(_now + VantageBoard.PlanEvery)).Plan.Tasks);

        Assert.NotEqual(first.Id, second.Id);
        Assert.Null(second.Address);
        Assert.IsType<VantageWay.Http>(second.Way);
    }

    [Fact]
    public void StreamThatEnds_TakesWhatItsNodeKnewWithIt()
    {
        Sent();
        Tell(answered: true);
        Assert.Equal(ReachabilityState.Reachable, StateNow());

        _node.Dispose();
        Assert.True(_board.SetStreams(_streams.Current));

        Assert.Empty(_board.Snapshot().ByTarget);
        Assert.Empty(_board.Record(_node, Batch(Probe(Address.Id, true)), _now));
    }

    [Fact]
    public void NodeThatComesBack_BeginsAnewAndItsOldStreamIsHeardNoMore()
    {
        Sent();
        Tell(answered: true);
        VantageStream again = _streams.Open("id-c", "node-c", _ => { })!;
        _node.Dispose();
        _board.SetStreams(_streams.Current);
        _board.Assign(new VantageCandidates([Address], [new VantageNode("id-c", "node-c", "")], []), _now);

        (VantageStream to, VantagePlan plan) = Assert.Single(_board.TakePlans(_now));
        Assert.Same(again, to);
        Assert.Equal(1ul, plan.Revision);
        Assert.Empty(_board.Record(_node, Batch(Probe(Address.Id, true)), _now));
        Assert.Equal(ReachabilityState.Unknown, StateNow());
    }

    [Fact]
    public void TargetThatNobodyAsksAnyMore_LeavesAnEmptyPlan()
    {
        Sent();
        Tell(answered: true);
        _board.Assign(new VantageCandidates([Address with { NotFrom = ["node-c"] }], [new VantageNode("id-c", "node-c", "")], []), _now);
        Pass(1);

        Assert.Empty(Sent()!.Tasks);
        Assert.Empty(_board.Snapshot().ByTarget);
        Assert.Equal(VantageShortage.OnlyItsOwn, _board.Snapshot().Short[Address.Id]);
    }

    [Fact]
    public void SampleThatIsOld_IsUnknownAfterThreeSecondsAndTheOneThatANodeGathersFor()
    {
        Sent();
        Tell(answered: true);

        Pass(4);
        Assert.Equal(ReachabilityState.Reachable, StateNow());
        Pass(0.001);
        Assert.Equal(ReachabilityState.Unknown, StateNow());
    }

    [Fact]
    public void TargetThatANodeCannotAsk_IsUnknownWithItsReason()
    {
        Sent();
        Tell(answered: true);
        _board.Record(_node, Batch() with { Problems = ImmutableDictionary<string, string>.Empty.Add(Address.Id, "this node has the address itself") }, _now);

        KnownTarget known = Assert.Single(_board.Snapshot().ByTarget[Address.Id]).Known;
        Assert.Equal(("this node has the address itself", ReachabilityState.Unknown), (known.Problem, StateNow()));
        Tell(answered: true);
        Assert.Equal(ReachabilityState.Reachable, StateNow());
    }

    [Theory]
    [InlineData("hub")]
    [InlineData("HUB")]
    public void NodeThatIsCalledAsTheHubIs_IsNoVantagePoint(string id) => Assert.Null(_streams.Open(id, id, _ => { }));

    [Fact]
    public void NodeThatFloods_IsCountedAndNothingWaitsForIt()
    {
        for (int i = 0; i < 3_000; i++)
        {
            _node.Take(new VantageBatch([new VantageResult(1, TimeSpan.Zero, null, null)], []));
        }

        Assert.Equal(3_000, _streams.Refused(VantageRefusal.Task));
        Assert.Equal((0, 0), (_streams.Taken, _streams.Lost));
    }

    private VantagePlan? Sent() => _board.TakePlans(_now) is [var (to, plan)] && ReferenceEquals(to, _node) ? plan : null;

    private void Pass(double seconds) => _now += TimeSpan.FromSeconds(seconds);

    private void Tell(bool answered) => Assert.Single(_board.Record(_node, Batch(Probe(Address.Id, answered)), _now));

    private ReachabilityState StateNow() => Assert.Single(_board.Snapshot().ByTarget[Address.Id]).Known.StateAt(_now, TimeSpan.FromSeconds(1));

    private TakenProbe Probe(string target, bool answered) => new(target, new ProbeSample(Make.At + _now, answered ? TimeSpan.FromMilliseconds(1) : null, answered ? null : "no answer"), _now);

    private static TakenBatch Batch(params TakenProbe[] probes) => new([.. probes], ImmutableDictionary<string, string>.Empty, [.. new int[Enum.GetValues<VantageRefusal>().Length]]);
}
