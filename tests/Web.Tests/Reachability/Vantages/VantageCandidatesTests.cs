using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Targets;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Vantages;

/// <summary>From which nodes asking a target says something.</summary>
public sealed class VantageCandidatesTests
{
    private static readonly VantageName[] Offered = [.. new[] { "node-a", "node-b", "node-c", "node-d" }.Select(n => new VantageName($"id-{n}", n))];

    [Fact]
    public void SharedAddress_IsNotAskedByThePairNorByWhoClaimsItNorByWhoReportsIt()
    {
        PairView pair = Make.HealthyPair() with { Claimants = [new ClaimantView("node-c", [Make.Prefix])] };
        FleetSnapshot fleet = With(Make.Fleet(pair), Bare("node-c"), Bare("node-d") with { Prefixes = [Make.PrefixOn(null, null)] });

        VantageTarget target = Assert.Single(VantageCandidates.Of(fleet, Known(Shared()), Offered).Targets);

        Assert.Equal(["node-a", "node-b", "node-c", "node-d"], target.NotFrom);
        Assert.Equal("18", target.DataCenter);
    }

    [Fact]
    public void NodeThatDoesNotOfferItself_IsNoCandidateAndMakesNoDifference()
    {
        FleetSnapshot fleet = With(Make.Fleet(Make.HealthyPair()), Bare("node-c"));

        VantageCandidates found = VantageCandidates.Of(fleet, Known(Shared()), Offered.Where(o => o.Name is "node-c"));

        Assert.Equal(["id-node-c"], found.Nodes.Select(n => n.Id));
        Assert.Empty(Assert.Single(found.Targets).NotFrom);
    }

    [Fact]
    public void AddedTarget_IsNotAskedByWhoHasItsAddressOrConnectsFromIt()
    {
        FleetSnapshot fleet = With(
            Make.Fleet(),
            Bare("node-a") with { RemoteAddress = "198.51.100.7" },
            Bare("node-b") with { RemoteAddress = "::ffff:198.51.100.7" },
            Bare("node-c") with { Prefixes = [Make.PrefixOn(null, null, IPNetwork.Parse("2001:db8:1::/56"))] },
            Bare("node-d"));

        VantageCandidates found = VantageCandidates.Of(fleet, Known(Added("v4", "198.51.100.7"), Added("v6", "2001:db8:1:ab::5"), Added("shop", "https://shop.example/", NamedTargetKind.Http)), Offered);

        Assert.Equal(["node-a", "node-b"], found.Targets[0].NotFrom);
        Assert.Equal(["node-c"], found.Targets[1].NotFrom);
        Assert.Empty(found.Targets[2].NotFrom);
    }

    [Fact]
    public void NodesAndAddressesWithAZone_AreAskedByTheHubAlone()
    {
        FleetSnapshot fleet = With(Make.Fleet(), Bare("node-a"));
        var ofNode = new ProbeTarget(ProbeTarget.Alone(IPAddress.Parse("198.51.100.9")), IPAddress.Parse("198.51.100.9"), "") { Id = "node:node-a", Node = "node-a" };

        VantageCandidates found = VantageCandidates.Of(fleet, Known(ofNode, Added("zone", "2001:db8::1%3")), Offered);

        Assert.Empty(found.Targets);
        Assert.Equal(["target:zone"], found.OnlyHere);
    }

    [Fact]
    public void SameFleetAgain_AsksForTheSame()
    {
        FleetSnapshot fleet = With(Make.Fleet(Make.HealthyPair()), Bare("node-c"));
        VantageCandidates one = VantageCandidates.Of(fleet, Known(Shared(), Added("v4", "198.51.100.7")), Offered);

        Assert.True(one.IsTheSameAs(VantageCandidates.Of(fleet with { Version = 2 }, Known(Shared(), Added("v4", "198.51.100.7")), Offered)));
        Assert.False(one.IsTheSameAs(VantageCandidates.Of(fleet, Known(Shared()), Offered)));
        Assert.False(one.IsTheSameAs(VantageCandidates.Of(With(Make.Fleet(Make.HealthyPair())), Known(Shared(), Added("v4", "198.51.100.7")), Offered)));
    }

    internal static NodeView Bare(string name) => Make.Node(name, Role.Secondary) with { Prefixes = [], RemoteAddress = null };

    internal static FleetSnapshot With(FleetSnapshot fleet, params NodeView[] nodes) => fleet with { Nodes = [.. fleet.Nodes, .. nodes] };

    internal static ProbeTarget Shared(string prefix = "203.0.113.10/32", string pair = "web") => new(IPNetwork.Parse(prefix), ProbeTarget.AddressOf(IPNetwork.Parse(prefix)), pair);

    internal static ProbeTarget Added(string name, string address, NamedTargetKind kind = NamedTargetKind.Icmp)
    {
        NamedTarget target = NamedTarget.TryCreate(new NamedTargetDraft { Name = name, Kind = kind, Address = address, Interval = TimeSpan.FromSeconds(5) }, out _)!;
        IPAddress host = target.Host ?? IPAddress.Any;
        return new ProbeTarget(ProbeTarget.Alone(host), host, "") { Id = target.Id, Named = target };
    }

    internal static ImmutableArray<KnownTarget> Known(params ProbeTarget[] targets) => [.. targets.Select(t => new KnownTarget(t, [], null, null))];
}
