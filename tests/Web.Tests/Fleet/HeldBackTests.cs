using System.Net;
using FailoverHub.Web.Fleet;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>What a pair is called when a node itself holds something back: its failback policy, a local command, its checks, damping.</summary>
public sealed class HeldBackTests
{
    private static readonly NodeFacts Standby2 = Node("web-2", Role.Secondary);
    private static readonly Failback AfterAMinute = new(FailbackPolicy.AfterStable, TimeSpan.FromSeconds(60));
    private static readonly Failback ByHand = new(FailbackPolicy.Manual, TimeSpan.Zero);

    private static PrefixView Held(double? seconds, Failback? failback = null) => View(Role.Primary, Role.Secondary) with
    {
        Failback = failback ?? AfterAMinute,
        Hold = new FailbackHold(seconds is { } s ? TimeSpan.FromSeconds(s) : null, "No session is up."),
    };

    private static CheckView Check(Health verdict, string? output = "HTTP 503", params IPNetwork[] prefixes) => new()
    {
        Name = "web",
        Kind = "http",
        Verdict = verdict,
        VerdictFor = TimeSpan.FromSeconds(5),
        LastRunAgo = TimeSpan.FromSeconds(1),
        LastRunTook = TimeSpan.FromMilliseconds(12),
        LastOutput = output,
        Consequence = "withdraw",
        Prefixes = [.. prefixes],
    };

    public static TheoryData<string, PairState, string?, string> Rows { get; } = new()
    {
        { "held, counting, other was there", PairState.FailedOver, "web-2", "203.0.113.10/32 is on web-2 instead of web-1: web-1 is back and fails back in 42 s if it stays well." },
        { "held, counting, hub does not know who was there", PairState.FailedOver, "web-2", "web-1 is back and fails back in 42 s" },
        { "held by hand", PairState.FailedOver, "web-2", "web-1 is back and waits for an operator to fail back." },
        { "held, not counting", PairState.FailedOver, "web-2", "web-1 is back and is held back: No session is up." },
        { "held, and the other was made primary", PairState.FailedOver, "web-2", "web-1 is back and fails back in 42 s" },
        { "held, the other drained", PairState.Degraded, "web-1", "web-1 fails back in 42 s if it stays well; web-2 is drained" },
        { "drained on the node itself", PairState.FailedOver, "web-2", "web-1 is drained on the node itself." },
        { "standby drained on the node itself", PairState.Degraded, "web-1", "web-2 is drained on the node itself" },
        { "drained by both", PairState.FailedOver, "web-2", "web-1 is drained." },
        { "silent, was drained on the node itself", PairState.Degraded, null, "web-1 is silent: if it is down, 203.0.113.10/32 is on web-2" },
        { "silent, was drained by both", PairState.FailedOver, "web-2", "web-1 is silent" },
        { "check fails", PairState.FailedOver, "web-2", "web-1 withdrew 203.0.113.10/32 because check 'web' fails (HTTP 503)." },
        { "check fails and demotes", PairState.FailedOver, "web-2", "web-1 announces it as secondary while check 'web' fails (HTTP 503)." },
        { "check of the standby fails", PairState.Degraded, "web-1", "on web-2 check 'web' fails (HTTP 503)" },
        { "check of another prefix fails", PairState.Healthy, "web-1", "All nodes announce" },
        { "no verdict yet", PairState.FailedOver, "web-2", "web-1 has no verdict of its checks yet and withholds 203.0.113.10/32." },
        { "damped", PairState.FailedOver, "web-2", "web-1 withdrew 203.0.113.10/32 because it came and went too often." },
        { "made secondary on the node itself", PairState.FailedOver, "web-2", "web-1 was made secondary on the node itself. Fail back to web-1 to move it back." },
        { "made primary on the node itself", PairState.DualPrimary, null, "as primary, and web-2 was made so on the node itself." },
        { "two primaries, sticky set", PairState.Degraded, null, "web-2 announces 203.0.113.10/32 as primary but secondary is wanted" },
        { "two primaries, sticky by configuration", PairState.Healthy, null, "All nodes are assigned primary" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Pair_WhoseNodeHoldsBack_SaysWhatItIsAndWhatItWaitsFor(string row, PairState state, string? active, string reason)
    {
        var view = View(FactsOf(row));

        Assert.Equal((state, active), (view.State, view.ActiveNode));
        Assert.Contains(reason, view.StateReason, StringComparison.OrdinalIgnoreCase);
    }

    private static FleetFacts FactsOf(string row)
    {
        var locally = Report(View(Role.Primary, null, WithdrawnReason.Drained)) with { Drained = true, LocallyDrained = true };
        var drainIntent = Intent(Role.Primary) with { Drained = true };
        var elsewhere = IPNetwork.Parse("203.0.113.99/32");
        return row switch
        {
            "held, counting, other was there" => There(PairOf(A(Held(42)), Standby2)),
            "held, counting, hub does not know who was there" => PairOf(A(Held(42)), Standby2),
            "held by hand" => There(PairOf(A(Held(null, ByHand)), Standby2)),
            "held, not counting" => There(PairOf(A(Held(null)), Standby2)),
            "held, and the other was made primary" => PairOf(A(Held(42)), Node("web-2", Role.Primary)),
            "held, the other drained" => PairOf(A(Held(42)), B(Report(View(Role.Secondary, null, WithdrawnReason.Drained)) with { Drained = true })),
            "drained on the node itself" => PairOf(Node("web-1", locally), Standby2),
            "standby drained on the node itself" => PairOf(Node("web-1", Role.Primary), B(locally with { Prefixes = [View(Role.Secondary, null, WithdrawnReason.Drained)] })),
            "drained by both" => PairOf(Node("web-1", locally) with { Intent = drainIntent }, Standby2),
            "silent, was drained on the node itself" => PairOf(Node("web-1", locally).Gone(), Standby2),
            "silent, was drained by both" => PairOf(Node("web-1", locally).Gone() with { Intent = drainIntent }, Standby2),
            "check fails" => PairOf(A(View(Role.Primary, null, WithdrawnReason.Unhealthy), Check(Health.Unhealthy)), Standby2),
            "check fails and demotes" => There(PairOf(A(View(Role.Primary, Role.Secondary), Check(Health.Unhealthy)), Standby2)),
            "check of the standby fails" => PairOf(Node("web-1", Role.Primary), B(Report(View(Role.Secondary, Role.Secondary)) with { Checks = [Check(Health.Unhealthy)] })),
            "check of another prefix fails" => PairOf(Node("web-1", Role.Primary), B(Report(View(Role.Secondary, Role.Secondary)) with { Health = Health.Unhealthy, Checks = [Check(Health.Unhealthy, "x", elsewhere)] })),
            "no verdict yet" => PairOf(A(View(Role.Primary, null, WithdrawnReason.Unhealthy), Check(Health.Unknown)), Standby2),
            "damped" => PairOf(A(View(Role.Primary, null, WithdrawnReason.Unhealthy) with { Damped = true }), Standby2),
            "made secondary on the node itself" => There(PairOf(A(View(Role.Secondary, Role.Secondary)) with { Intent = Intent(Role.Primary) }, Standby2)),
            "made primary on the node itself" => PairOf(Node("web-1", Role.Primary), Node("web-2", Role.Primary) with { Intent = Intent(Role.Secondary) }),
            "two primaries, sticky set" => With(PairOf(Node("web-1", Role.Primary), B(Report(View(Role.Secondary, Role.Primary)))), p => p with { Failback = new Failback(FailbackPolicy.Sticky, TimeSpan.Zero) }),
            "two primaries, sticky by configuration" => PairOf(A(Sticky()), B(Report(Sticky()))),
            _ => throw new ArgumentOutOfRangeException(nameof(row), row, "no such row"),
        };
    }

    [Fact]
    public void Countdown_GoesOnWithTheAgeOfTheReportAndStopsWhenTheNodeIsSilent()
    {
        var facts = There(PairOf(A(Held(42)), Standby2));

        Assert.Equal(TimeSpan.FromSeconds(40), HoldAt(2)!.Remaining);
        Assert.Null(HoldAt(4)!.Remaining);
        Assert.Equal(TimeSpan.Zero, FleetProjection.Project(There(PairOf(A(Held(1)), Standby2)), Now.After(2), 1).FindNode("web-1")!.Prefixes[0].Hold!.Remaining);

        FailbackHold? HoldAt(double seconds) => FleetProjection.Project(facts, Now.After(seconds), 1).FindNode("web-1")!.Prefixes[0].Hold;
    }

    [Fact]
    public void ReportThatOnlyCountsDown_SaysTheSame()
    {
        Assert.True(Report(Held(42)).SaysTheSameAs(Report(Held(41))));
        Assert.False(Report(Held(42)).SaysTheSameAs(Report(Held(null))));
        Assert.True((Report() with { Checks = [Check(Health.Healthy, "a")] }).SaysTheSameAs(Report() with { Checks = [Check(Health.Healthy, "b")] }));
        Assert.False((Report() with { Checks = [Check(Health.Healthy)] }).SaysTheSameAs(Report() with { Checks = [Check(Health.Unhealthy)] }));
        Assert.False(Report().SaysTheSameAs(Report() with { LocallyDrained = true }));
    }

    [Fact]
    public void LocallyDrainedNode_IsNotDrainedByTheHub()
    {
        var node = FleetProjection.Project(FactsOf("drained on the node itself"), Now, 1).FindNode("web-1")!;

        Assert.Equal((true, true, false), (node.Drained, node.LocallyDrained, node.AssignedDrained));
    }

    public static TheoryData<string?, string?, string> Policies { get; } = new()
    {
        { null, null, "AfterStable 60" },
        { null, "Immediate 0", "AfterStable 60" },
        { null, "Manual 0", "Manual 0" },
        { null, "AfterStable 300", "AfterStable 300" },
        { "Immediate 0", "Manual 0", "Immediate 0" },
        { "AfterStable 10", null, "AfterStable 10" },
    };

    /// <summary>What somebody has chosen counts, for the pair before the node; nobody's choice becomes after-stable.</summary>
    [Theory]
    [MemberData(nameof(Policies))]
    public void FailbackThatIntentsName_IsSomebodysChoiceOrTheDefault(string? set, string? reported, string wanted)
    {
        var facts = With(PairOf(A(View(Role.Primary, Role.Primary) with { Failback = Policy(reported) }), Standby2), p => p with { Failback = Policy(set) });

        Assert.Equal((Policy(wanted), set is not null), (View(facts).Failback, View(facts).FailbackIsSet));

        static Failback? Policy(string? text) =>
            text is null ? null : new Failback(Enum.Parse<FailbackPolicy>(text.Split(' ')[0]), TimeSpan.FromSeconds(int.Parse(text.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static PrefixView Sticky() => View(Role.Primary, Role.Primary) with { Failback = new Failback(FailbackPolicy.Sticky, TimeSpan.Zero) };

    private static NodeFacts A(PrefixView view, params CheckView[] checks) => Node("web-1", Report(view) with { Checks = [.. checks] });

    private static NodeFacts B(ReportFacts report) => Node("web-2", report);

    private static IntentFacts Intent(Role role) => new() { Revision = 0, Drained = false, Roles = IntentFacts.RolesFrom([(Prefix, role)]) };

    private static FleetFacts There(FleetFacts facts) => With(facts, p => p with { Active = p.Active.SetItem(Prefix.ToString(), "web-2") });

    private static FleetFacts With(FleetFacts facts, Func<PairFacts, PairFacts> change) => facts with { Pairs = facts.Pairs.SetItem("p1", change(facts.Pairs["p1"])) };
}
