using System.Net;
using FailoverHub.Web.Fleet;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

public sealed class PairDiscoveryTests
{
    private static readonly IPNetwork Other = IPNetwork.Parse("203.0.113.99/32");

    private static List<PairFacts> Find(params NodeFacts[] nodes) => Find(Facts(null, nodes));

    private static List<PairFacts> Find(FleetFacts facts)
    {
        var next = 0;
        return [.. PairDiscovery.Find(facts, () => $"id{++next}").Values];
    }

    [Fact]
    public void TwoNodesWithACommonPrefix_AreAPairNamedByWhatTheirNamesShare()
    {
        var pair = Assert.Single(Find(Node("web-1", Role.Primary), Node("web-2", Role.Secondary)));

        Assert.Equal(("web", "web-1"), (pair.Name, pair.PreferredNode));
        Assert.Equal(["web-1", "web-2"], pair.Members);
        Assert.Equal([Prefix], pair.Prefixes);
    }

    [Fact]
    public void NamesWithoutACommonStem_GiveThePairTheAddressAsName() =>
        Assert.Equal("203.0.113.10", Assert.Single(Find(Node("alpha", Role.Primary), Node("beta", Role.Secondary))).Name);

    [Fact]
    public void TakenName_GetsANumber() =>
        Assert.Equal("web-2", PairDiscovery.NameFor(["web-8", "web-9"], Prefix, ["WEB"]));

    [Fact]
    public void DifferentDataCenters_AreNoPair() =>
        Assert.Empty(Find(Node("web-1", Role.Primary) with { DataCenter = "6" }, Node("web-2", Role.Secondary) with { DataCenter = "18" }));

    [Fact]
    public void NodeAlone_IsNoPair() => Assert.Empty(Find(Node("web-1", Role.Primary)));

    [Fact]
    public void ChainOfCommonPrefixes_IsAPairOfTwoAndSomebodyElse()
    {
        var middle = Node("web-2", Report(View(Role.Secondary, Role.Secondary), View(Role.Primary, Role.Primary, prefix: Other)));

        var pair = Assert.Single(Find(Node("web-1", Role.Primary), middle, Node("web-3", Report(View(Role.Secondary, Role.Secondary, prefix: Other)))));

        Assert.Equal(["web-1", "web-2"], pair.Members);
        Assert.Equal([Prefix], pair.Prefixes);
    }

    [Fact]
    public void OfSeveralThatShareAPrefix_ThoseThatJoinedTheHubFirstAreThePair()
    {
        NodeFacts Joined(string name, int day) => Node(name, Role.Secondary) with
        {
            Identity = new IdentityFacts { NodeId = name, JoinedAt = new DateTimeOffset(2026, 1, day, 0, 0, 0, TimeSpan.Zero), Serial = "1", IssuedAt = Now.Wall, NotAfter = Now.Wall, Renewals = 0, Valid = ["1"] },
        };

        Assert.Equal(["web-2", "web-3"], Assert.Single(Find(Joined("a-new-one", 9), Joined("web-2", 2), Joined("web-3", 3), Node("without", Role.Primary))).Members);
    }

    [Fact]
    public void NodesThatShareAPrefixOfAPairAndOneOfTheirOwn_AreAPairOfTheirOwnPrefixOnly()
    {
        var both = Report(View(Role.Primary, Role.Primary), View(Role.Primary, Role.Primary, prefix: Other));

        var pairs = Find(Facts(Pair("web-1", "web-2"), Node("web-1", Role.Primary), Node("web-2", Role.Secondary), Node("db-1", both), Node("db-2", Report(View(Role.Secondary, Role.Secondary, prefix: Other)))));

        Assert.Equal([["web-1", "web-2"], ["db-1", "db-2"]], pairs.OrderBy(p => p.Id == "p1" ? 0 : 1).Select(p => p.Members.ToArray()));
        Assert.Equal([Other], pairs.Single(p => p.Id != "p1").Prefixes);
    }

    [Fact]
    public void BothPrimary_HasNoPreferredNode() =>
        Assert.Null(Assert.Single(Find(Node("web-1", Role.Primary), Node("web-2", Role.Primary))).PreferredNode);

    [Fact]
    public void KnownPair_KeepsIdNamePreferredNodeAndSilentMembers()
    {
        var known = Pair("web-1", "web-2") with { Name = "shop" };

        var pair = Assert.Single(Find(Facts(known, Node("web-2", Role.Primary), new NodeFacts { Name = "web-1" })));

        Assert.Equal(("p1", "shop", "web-1"), (pair.Id, pair.Name, pair.PreferredNode));
        Assert.Equal([Prefix], pair.Prefixes);
    }

    [Fact]
    public void NodeThatComesLater_NeverJoinsByItself()
    {
        Assert.Equal(["web-1", "web-2"], Assert.Single(Find(Facts(Pair("web-1", "web-2"), Node("web-1", Role.Primary), Node("web-2", Role.Secondary), Node("web-3", Role.Secondary)))).Members);

        // Neither where a place is free, nor where the members have said nothing since the hub started.
        Assert.Equal(["web-1"], Assert.Single(Find(Facts(Pair("web-1"), Node("web-1", Role.Primary), Node("web-3", Role.Secondary)))).Members);
        Assert.Equal(["web-1", "web-2"], Assert.Single(Find(Facts(Pair("web-1", "web-2"), Node("web-0", Role.Primary), Node("web-3", Role.Secondary), new NodeFacts { Name = "web-1" }, new NodeFacts { Name = "web-2" }))).Members);
    }

    [Fact]
    public void LastPrefixOfAPair_StaysAlsoWhenEveryMemberGaveItUp() =>
        Assert.Equal([Prefix], Assert.Single(Find(Facts(Pair("web-1", "web-2"), Node("web-1", Report()), Node("web-2", Report())))).Prefixes);

    [Fact]
    public void PrefixThatEveryMemberGaveUp_LeavesThePairAndSilenceRemovesNothing()
    {
        var moved = Report(View(Role.Primary, Role.Primary, prefix: Other));

        Assert.Equal([Other], Assert.Single(Find(Facts(Pair("web-1", "web-2"), Node("web-1", moved), Node("web-2", moved)))).Prefixes);
        Assert.Equal([Prefix], Assert.Single(Find(Facts(Pair("web-1", "web-2"), Node("web-1", moved), new NodeFacts { Name = "web-2" }))).Prefixes);
    }
}
