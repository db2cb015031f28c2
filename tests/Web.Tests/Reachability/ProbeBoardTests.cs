using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Targets;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability;

public sealed class ProbeBoardTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly ProbeTarget Web = new(Make.Prefix, Make.Prefix.BaseAddress, "web");

    [Theory]
    [InlineData("203.0.113.10/32", "203.0.113.10")]
    [InlineData("2001:db8:1:2::/64", "2001:db8:1:2::1")]
    [InlineData("2001:db8:1:200::/56", "2001:db8:1:200::1")]
    [InlineData("2001:db8::7/128", "2001:db8::7")]
    public void Target_IsTheAddressItselfOrTheFirstHost(string prefix, string address) =>
        Assert.Equal(IPAddress.Parse(address), ProbeTarget.AddressOf(IPNetwork.Parse(prefix)));

    [Fact]
    public void Targets_AreEverySharedPrefixOnce()
    {
        FleetSnapshot fleet = Make.Fleet(Make.HealthyPair("web"), Make.HealthyPair("other"));

        ProbeTarget target = Assert.Single(ProbeTarget.Of(fleet));

        Assert.Equal("web", target.Pair);
    }

    [Fact]
    public void Targets_AreTheSameWhileNothingButThePairsStateChanges()
    {
        PairView pair = Make.HealthyPair("web");
        FleetSnapshot before = Make.Fleet(pair);

        Assert.True(ProbeTarget.AreTheSame(before, before with { Pairs = [pair with { State = PairState.Degraded }] }));
        Assert.False(ProbeTarget.AreTheSame(before, before with { Pairs = [pair with { OperationId = "op-1" }] }));
        Assert.False(ProbeTarget.AreTheSame(before, before with { Pairs = [pair with { Name = "other" }] }));
        Assert.False(ProbeTarget.AreTheSame(before, before with { Pairs = [pair with { Prefixes = [IPNetwork.Parse("198.51.100.1/32")] }] }));
        Assert.False(ProbeTarget.AreTheSame(before, before with { Pairs = [pair, Make.HealthyPair("other")] }));
        Assert.False(ProbeTarget.AreTheSame(before, before with { Pairs = [] }));
    }

    [Fact]
    public void Target_SharedAgainWhileItsProbeIsOut_IsStillProbedOnceASecond()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);
        Assert.Single(board.TakeDue(Second, 10));
        board.SetTargets([], [], Second);
        board.SetTargets([Web], [], Second);

        board.Record(Web, Answered(Second), Second);

        Assert.Single(board.TakeDue(2 * Second, 10));
        Assert.Empty(board.TakeDue(2 * Second, 10));
    }

    [Fact]
    public void Probes_ComeOncePerSecondWhileEachIsAnswered()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);
        var sent = new List<TimeSpan>();

        for (TimeSpan now = TimeSpan.Zero; now < TimeSpan.FromSeconds(10); now += TimeSpan.FromMilliseconds(10))
        {
            foreach ((ProbeTarget target, _) in board.TakeDue(now, 10))
            {
                sent.Add(now);
                board.Record(target, Answered(now), now);
            }
        }

        Assert.Equal(10, sent.Count);
        Assert.All(sent.Zip(sent.Skip(1)), pair => Assert.Equal(Second, pair.Second - pair.First));
    }

    [Fact]
    public void Targets_ManyOfThem_AreSpreadOverTheSecond()
    {
        var board = NewBoard();
        board.SetTargets([.. Enumerable.Range(0, 100).Select(i => Target($"198.51.100.{i}/32"))], [], TimeSpan.Zero);

        int inTheFirstTenth = board.TakeDue(TimeSpan.FromMilliseconds(100), 1_000).Length;
        int inAll = inTheFirstTenth + board.TakeDue(Second, 1_000).Length;

        Assert.InRange(inTheFirstTenth, 0, 30);
        Assert.Equal(100, inAll);
    }

    [Fact]
    public void Prober_ThatWasHeldUp_LeavesOutWhatItMissedAndSaysHowLateItIs()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);
        TimeSpan phase = board.NextDue!.Value;

        (ProbeTarget target, TimeSpan lateness) = Assert.Single(board.TakeDue(phase + TimeSpan.FromSeconds(3.5), 10));
        board.Record(target, Answered(phase), phase + TimeSpan.FromSeconds(3.5));

        Assert.Equal(TimeSpan.FromSeconds(3.5), lateness);
        Assert.Equal(phase + TimeSpan.FromSeconds(4), board.NextDue);
    }

    [Fact]
    public void MoreTargetsThanSlots_TheLongestOverdueGoFirst()
    {
        var board = NewBoard();
        board.SetTargets([.. Enumerable.Range(0, 20).Select(i => Target($"198.51.100.{i}/32"))], [], TimeSpan.Zero);

        TimeSpan[] lateness = [.. board.TakeDue(Second, 5).Concat(board.TakeDue(Second, 100)).Select(d => d.Lateness)];

        Assert.Equal(lateness.OrderDescending(), lateness);
        Assert.Equal(20, lateness.Length);
    }

    [Fact]
    public void OneLostProbe_IsNoOutage()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);

        Assert.Null(board.Record(Web, Answered(Second), Second));
        Assert.Null(board.Record(Web, Lost(2 * Second), 2 * Second));
        Assert.Null(board.Record(Web, Answered(3 * Second), 3 * Second));
    }

    [Fact]
    public void TwoLostProbes_AreAnOutageOnceAndTheFirstAnswerEndsIt()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);
        board.Record(Web, Answered(Second), Second);

        ReachabilityChange?[] changes =
        [
            board.Record(Web, Lost(2 * Second), 2 * Second),
            board.Record(Web, Lost(3 * Second), 3 * Second),
            board.Record(Web, Lost(4 * Second), 4 * Second),
            board.Record(Web, Answered(5 * Second), 5 * Second),
        ];

        Assert.Null(changes[0]);
        Assert.True(changes[1]!.Lost);
        Assert.Null(changes[2]);
        Assert.False(changes[3]!.Lost);
        Assert.Equal(4 * Second, changes[3]!.Silence);
        Assert.Equal("203.0.113.10 answers the hub again, 4.0 s after its last answer.", ReachabilityEvents.ToDraft(changes[3]!).Text);
        Assert.Equal("203.0.113.10 does not answer the hub: no answer.", ReachabilityEvents.ToDraft(changes[1]!).Text);
    }

    [Fact]
    public void Sample_OlderThanThreeSeconds_SaysNothingAboutNow()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);
        board.Record(Web, Answered(Second), Second);

        KnownTarget known = Assert.Single(board.Snapshot());

        Assert.Equal(ReachabilityState.Reachable, known.StateAt(4 * Second));
        Assert.Equal(ReachabilityState.Unknown, known.StateAt(4 * Second + TimeSpan.FromTicks(1)));
    }

    [Fact]
    public void HubThatCannotProbe_KnowsNothingAndNeverCallsTheAddressDown()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);
        board.TakeDue(Second, 1);

        bool news = board.CannotProbe(Web, "no socket");
        bool again = board.CannotProbe(Web, "no socket");

        KnownTarget known = Assert.Single(board.Snapshot());
        Assert.True(news);
        Assert.False(again);
        Assert.Equal("no socket", known.Problem);
        Assert.Equal(ReachabilityState.Unknown, known.StateAt(Second));
        Assert.Empty(known.Recent);
    }

    [Fact]
    public void ManySamples_OnlyThoseOfTwoMinutesAreKept()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);
        for (int i = 1; i <= 150; i++)
        {
            board.Record(Web, Answered(i * Second), i * Second);
        }

        KnownTarget known = Assert.Single(board.Snapshot());

        Assert.Equal(120, known.Recent.Length);
        Assert.Equal(Answered(150 * Second).At, known.Recent[^1].At);
        Assert.Equal(Answered(31 * Second).At, known.Recent[0].At);
    }

    [Fact]
    public void Target_NoLongerShared_IsForgottenAndItsLateAnswerToo()
    {
        var board = NewBoard();
        board.SetTargets([Web], [], TimeSpan.Zero);

        Assert.True(board.SetTargets([], [], Second));
        Assert.Null(board.Record(Web, Answered(Second), Second));
        Assert.Empty(board.Snapshot());
        Assert.Null(board.NextDue);
    }

    [Fact]
    public void Targets_AreWhatIsShared_ThenWhatWasAdded_ThenNodesThatAreNotTheHubsOwnMachine_AndNoMoreThanTheBound()
    {
        PairView pair = Make.HealthyPair();
        FleetSnapshot fleet = Make.Fleet(pair);
        fleet = fleet with { Nodes = [fleet.Nodes[0] with { RemoteAddress = "::ffff:192.0.2.7" }, fleet.Nodes[1] with { RemoteAddress = "127.0.0.1" }] };
        ImmutableArray<ProbeTarget> added = [.. Enumerable.Range(0, 6_000).Select(i => Added($"t{i}", TimeSpan.FromSeconds(1)))];

        ImmutableArray<ProbeTarget> few = ProbeTarget.Of(fleet, [added[0]]);
        ImmutableArray<ProbeTarget> many = ProbeTarget.Of(fleet, added);

        Assert.Equal(["203.0.113.10/32", "target:t0", $"node:{fleet.Nodes[0].Name}"], few.Select(t => t.Id));
        Assert.Equal([true, false, false], few.Select(t => t.IsShared));
        Assert.Equal(IPAddress.Parse("192.0.2.7"), few[2].Address);
        Assert.Equal((ProbeTarget.Most, "203.0.113.10/32"), (many.Length, many[0].Id));
    }

    [Fact]
    public void Target_ThatWasAdded_IsProbedAtItsOwnInterval_HoweverMuchHappens()
    {
        var board = NewBoard();
        board.SetTargets([Added("slow", TimeSpan.FromSeconds(10))], [], TimeSpan.Zero);
        int sent = 0;
        for (TimeSpan now = TimeSpan.Zero; now < TimeSpan.FromSeconds(100); now += TimeSpan.FromMilliseconds(50))
        {
            foreach ((ProbeTarget target, _) in board.TakeDue(now, 10))
            {
                sent++;
                board.Record(target, sent % 3 == 0 ? Lost(now) : Answered(now), now);
            }
        }

        KnownTarget known = Assert.Single(board.Snapshot());
        Assert.Equal(10, sent);
        Assert.Equal(10, known.Recent.Length);
        Assert.Equal(ReachabilityState.Reachable, known.StateAt(TimeSpan.FromSeconds(115)));
    }

    [Fact]
    public void Target_ThatIsProbedSeldom_IsLostAfterTwoAllTheSame()
    {
        var board = NewBoard();
        ProbeTarget hourly = Added("hourly", TimeSpan.FromHours(1));
        board.SetTargets([hourly], [], TimeSpan.Zero);

        Assert.Null(board.Record(hourly, Answered(Second), Second));
        Assert.Null(board.Record(hourly, Lost(TimeSpan.FromHours(1)), TimeSpan.FromHours(1)));
        ReachabilityChange change = board.Record(hourly, Lost(TimeSpan.FromHours(2)), TimeSpan.FromHours(2))!;

        Assert.True(change.Lost);
        Assert.Equal((EventSeverity.Warning, null, "hourly does not answer the hub: no answer."), (ReachabilityEvents.ToDraft(change).Severity, ReachabilityEvents.ToDraft(change).Prefix, ReachabilityEvents.ToDraft(change).Text));
    }

    // Without chance, so that moments can be told to the millisecond; what chance does has a test of its own.
    private static ProbeBoard NewBoard() => new(ProbePace.Default with { Jitter = 0 }, new Random(1));

    private static ProbeTarget Added(string name, TimeSpan interval)
    {
        NamedTarget target = NamedTarget.TryCreate(new NamedTargetDraft { Name = name, Kind = NamedTargetKind.Icmp, Address = "192.0.2.1", Interval = interval }, out _)!;
        return new ProbeTarget(ProbeTarget.Alone(target.Host!), target.Host!, "") { Id = target.Id, Named = target };
    }

    private static ProbeTarget Target(string prefix) => new(IPNetwork.Parse(prefix), ProbeTarget.AddressOf(IPNetwork.Parse(prefix)), "web");

    private static ProbeSample Answered(TimeSpan at) => new(Make.At + at, TimeSpan.FromMilliseconds(1), null);

    private static ProbeSample Lost(TimeSpan at) => new(Make.At + at, null, "no answer");
}
