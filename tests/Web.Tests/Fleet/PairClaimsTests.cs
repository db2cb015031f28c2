using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>Nodes that report an address of a pair that they are not of.</summary>
public sealed class PairClaimsTests
{
    private static readonly IPNetwork Other = IPNetwork.Parse("203.0.113.99/32");

    private readonly List<EventDraft> _told = [];
    private ulong _sequence = 1;

    private FleetFacts Reports(FleetFacts facts, string node, Moment now, params PrefixView[] prefixes)
    {
        var effects = new List<FleetEffect>();
        facts = FleetReducer.Apply(facts, new FleetMessage.Reported(1, node, Report(prefixes) with { Sequence = ++_sequence }), now, () => "new", effects);
        _told.AddRange(effects.OfType<FleetEffect.Happened>().Select(h => h.Event));
        return facts;
    }

    private static FleetFacts WithStranger() => Facts(Pair("web-1", "web-2"), Node("web-1", Role.Primary), Node("web-2", Role.Secondary), Node("web-3", Report()));

    private static IEnumerable<(string Node, string Prefixes)> Claimants(FleetFacts facts) =>
        FleetProjection.Project(facts, Now, 1).Pairs.Single(p => p.Name == "web").Claimants.Select(c => (c.Node, string.Join(" ", c.Prefixes)));

    [Fact]
    public void AddressOfAPair_IsToldOnceAndShownAndChangesNothing()
    {
        var facts = Reports(WithStranger(), "web-3", Now, View(Role.Secondary, Role.Secondary));
        facts = Reports(facts, "web-3", Now.After(1), View(Role.Primary, Role.Primary));

        var told = Assert.Single(_told);
        Assert.Equal((EventKinds.PairClaimed, EventSeverity.Warning, "web-3", "web"), (told.Kind, told.Severity, told.Node, told.Pair));
        Assert.Contains("web-3 reports 203.0.113.10/32 of web (web-1 and web-2)", told.Text, StringComparison.Ordinal);
        Assert.Equal([("web-3", "203.0.113.10/32")], Claimants(facts));
        Assert.Equal(["web-1", "web-2"], facts.Pairs["p1"].Members);
    }

    [Fact]
    public void AddressThatOnlyANodeOfAPairHas_IsShownToo()
    {
        var facts = Reports(WithStranger(), "web-1", Now, View(Role.Primary, Role.Primary), View(Role.Primary, Role.Primary, prefix: Other));

        facts = Reports(facts, "web-3", Now, View(Role.Primary, Role.Primary, prefix: Other));

        Assert.Equal([("web-3", Other.ToString())], Claimants(facts));
        Assert.Single(_told);
    }

    [Fact]
    public void NodeThatReportsNowThisAndNowThat_IsToldOnceInTenMinutes()
    {
        var facts = WithStranger();
        for (var second = 0; second < 1_300; second++)
        {
            facts = Reports(facts, "web-3", Now.After(second), second % 2 == 0 ? [View(Role.Primary, Role.Primary)] : []);
        }

        // The same pair again is no news.
        Assert.Single(_told);
        var twoPairs = facts with { Pairs = facts.Pairs.Add("p2", Pair("db-1", "db-2") with { Id = "p2", Name = "db", Prefixes = [Other] }) };
        _told.Clear();
        twoPairs = Reports(twoPairs, "web-3", Now.After(1_301), View(Role.Primary, Role.Primary, prefix: Other));
        for (var second = 1_302; second < 2_500; second++)
        {
            twoPairs = Reports(twoPairs, "web-3", Now.After(second), View(Role.Primary, Role.Primary, prefix: second % 2 == 0 ? Other : Prefix));
        }

        Assert.InRange(_told.Count, 1, 3);
    }

    [Fact]
    public void ClaimantThatIsGone_StaysShownUntilItsCertificateIsRevoked()
    {
        var facts = Reports(WithStranger(), "web-3", Now, View(Role.Secondary, Role.Secondary));
        var gone = facts with { Nodes = facts.Nodes.SetItem("web-3", facts.Nodes["web-3"].Gone()) };
        Assert.Equal(["web-3"], Claimants(gone).Select(c => c.Node));

        var identity = new IdentityFacts { NodeId = "3", JoinedAt = Now.Wall, Serial = "1", IssuedAt = Now.Wall, NotAfter = Now.Wall, Renewals = 0, Valid = [], RevokedAt = Now.Wall };
        Assert.Empty(Claimants(gone with { Nodes = gone.Nodes.SetItem("web-3", gone.Nodes["web-3"] with { Identity = identity }) }));
    }

    [Theory]
    [InlineData(null, "web-1 web-2 web-3", "web-1", "")]
    [InlineData("web-2", "web-1 web-3", "web-1", "web-2")]
    [InlineData("WEB-1", "web-2 web-3", null, "web-1")]
    public void LetIn_IsOneOfThePairAndWhoLeavesIsSeenAsAClaimant(string? inPlaceOf, string members, string? preferred, string claimants)
    {
        var facts = Reports(WithStranger(), "web-3", Now, View(Role.Secondary, Role.Secondary));
        facts = facts with { Pairs = facts.Pairs.SetItem("p1", facts.Pairs["p1"] with { Active = facts.Pairs["p1"].Active.SetItem(Prefix.ToString(), "web-1") }) };
        var effects = new List<FleetEffect>();

        facts = FleetReducer.Apply(facts, new FleetMessage.MemberLetIn("p1", "web-3", inPlaceOf, 2), Now, () => "new", effects);

        var pair = facts.Pairs["p1"];
        Assert.Equal((members, preferred, 2L), (string.Join(" ", pair.Members), pair.PreferredNode, pair.Revision));
        Assert.Equal(inPlaceOf == "WEB-1" ? [] : ["web-1"], pair.Active.Values);
        Assert.Equal(claimants, string.Join(" ", Claimants(facts).Select(c => c.Node)));
        Assert.Equal(pair, Assert.IsType<FleetEffect.SavePair>(Assert.Single(effects)).Pair);
    }
}
