using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Vantages;

/// <summary>Who is lost as a vantage point, when that is told, and when it is over.</summary>
public sealed class VantageWatchTests
{
    private const string Address = "203.0.113.10/32";

    private readonly VantageWatch _watch = new();
    private TimeSpan _now = TimeSpan.FromHours(1);
    private VantagePresence _presence = VantagePresence.Reporting;
    private bool _alone;

    [Fact]
    public void NodeWhoseStreamEnds_IsLostAtOnce_AndToldAfterTenSeconds_Once()
    {
        Look(Seat());
        _presence = VantagePresence.Silent;
        _alone = true;
        Pass(1);
        VantageChange[] first = Look();
        VantageStanding lost = Assert.Single(_watch.Standings);
        Pass(9.9);
        VantageChange[] early = Look();
        Pass(0.1);
        VantageChange[] told = Look();
        Pass(60);
        VantageChange[] later = Look();

        Assert.Empty(first.Concat(early).Concat(later));
        Assert.Equal((VantageTrouble.LinkDown, 1, 1, Wall(1)), (lost.Trouble, lost.Targets.Length, lost.OnlyTheHub, lost.Since));
        EventDraft draft = VantageRunner.ToDraft(Assert.Single(told), Wall(11));
        Assert.Equal(("vantage-lost", EventSeverity.Warning, "node-c", Wall(1)), (draft.Kind, draft.Severity, draft.Node, draft.At));
        Assert.Equal("node-c is lost as a vantage point: its link to the hub is down. It asked 1 target for the hub; only the hub asks it now.", draft.Text);
    }

    [Fact]
    public void NodeThatIsBackWithinTenSeconds_IsNoNews()
    {
        Look(Seat());
        Pass(5);
        Look();
        Pass(4);

        Assert.Empty(Look(Seat()));
        Pass(60);
        Assert.Empty(Look(Seat()));
        Assert.Null(Assert.Single(_watch.Standings).Trouble);
    }

    [Fact]
    public void NodeThatIsBack_HasToTellSomethingFirst_AndThenThatIsToldWithHowLongItWasLost()
    {
        Look(Seat());
        _presence = VantagePresence.Silent;
        Pass(1);
        Look();
        Pass(20);
        Assert.Single(Look());
        Pass(9);
        VantageChange[] connected = Look(Seat() with { ToldAt = null, Expected = 0, Current = 0 });
        VantageTrouble? until = Assert.Single(_watch.Standings).Trouble;
        Pass(1);
        VantageChange back = Assert.Single(Look(Seat()));

        Assert.Empty(connected);
        Assert.Equal(VantageTrouble.LinkDown, until);
        Assert.Equal(TimeSpan.FromSeconds(30), back.LostFor);
        Assert.Equal(("vantage-back", "node-c is there again as a vantage point, 30 s after it was lost. What it would have seen meanwhile is not known."), (VantageRunner.ToDraft(back, Wall(0)).Kind, VantageRunner.ToDraft(back, Wall(0)).Text));
    }

    [Fact]
    public void NodeThatIsBackAndAskedForNothing_IsNoVantagePointAnyMore_AndThatItIsThereIsTold()
    {
        Look(Seat());
        Pass(1);
        Look();
        Pass(20);
        Look();
        VantageSeat idle = new("id-c", [], null, 0, 0, null);
        Assert.Empty(Look(idle));
        Pass(5);

        Assert.NotNull(Assert.Single(Look(idle)).LostFor);
        Look(idle);
        Assert.Empty(_watch.Standings);
    }

    [Fact]
    public void NodeThatIsConnectedWithoutOfferingItself_IsLostForThat_UntilADayHasPassed()
    {
        Look(Seat());
        Pass(11);
        Look();
        VantageTrouble? first = Assert.Single(_watch.Standings).Trouble;
        Pass(11);
        string text = VantageRunner.ToDraft(Assert.Single(Look()), Wall(0)).Text;
        Pass(24 * 3600);
        Look();

        Assert.Equal(VantageTrouble.LinkDown, first);
        Assert.Contains("does not offer itself any more (its probing is off). It asked 1 target for the hub; others ask what it asked.", text, StringComparison.Ordinal);
        Assert.Empty(_watch.Standings);
    }

    [Fact]
    public void NodeThatTellsTooLate_HasFallenBehind()
    {
        Look(Seat());
        Pass(1);
        Look(Seat() with { Expected = 3, Current = 2 });
        VantageTrouble? most = Assert.Single(_watch.Standings).Trouble;
        Look(Seat() with { Expected = 3, Current = 1 });
        Pass(10);

        Assert.Null(most);
        Assert.Equal(VantageTrouble.Behind, Assert.Single(Look(Seat() with { Expected = 3, Current = 1 })).Standing.Trouble);
    }

    [Fact]
    public void NodeThatCannotAskAnything_SaysWhy()
    {
        Look(Seat() with { Problem = "no ICMP socket: Operation not permitted." });
        Pass(10);

        string text = VantageRunner.ToDraft(Assert.Single(Look(Seat() with { Problem = "no ICMP socket: Operation not permitted." })), Wall(0)).Text;
        Assert.Contains("it cannot ask any of its targets: no ICMP socket: Operation not permitted. It asked", text, StringComparison.Ordinal);
    }

    [Fact]
    public void NodeThatIsRemovedOrNeverAskedAnything_IsNotMissed()
    {
        Look(new VantageSeat("id-d", [], null, 0, 0, null));
        Look(Seat());
        Pass(60);
        _presence = VantagePresence.Gone;

        Assert.Empty(Look());
        Assert.Empty(_watch.Standings);
    }

    private static VantageSeat Seat() => new("id-c", [Address], TimeSpan.FromHours(1), 1, 1, null);

    private static DateTimeOffset Wall(double seconds) => Make.At.AddSeconds(seconds);

    private void Pass(double seconds) => _now += TimeSpan.FromSeconds(seconds);

    private VantageChange[] Look(params VantageSeat[] seats) =>
        [.. _watch.Look(seats, (_, _) => _alone, _ => ("node-c", _presence), new Moment(Make.At + (_now - TimeSpan.FromHours(1)), _now))];
}
