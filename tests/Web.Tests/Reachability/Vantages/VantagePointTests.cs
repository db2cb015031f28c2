using System.Collections.Immutable;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Vantages;

/// <summary>What is said of views that differ, and what vantage points are called.</summary>
public sealed class VantagePointTests
{
    [Theory]
    [InlineData("silent", "c:answered", "Answers c, not the hub.")]
    [InlineData("silent", "c:answered d:answered e:silent", "Answers c and d, not the hub.")]
    [InlineData("cut", "c:answered d:answered e:answered", "Answers c, d and e, while the hub itself cannot tell.")]
    [InlineData("answered", "c:silent d:answered", "Answers the hub, not c.")]
    [InlineData("answered", "c:answered", null)]
    [InlineData("silent", "c:silent", null)]
    [InlineData("silent", "c:unknown", null)]
    [InlineData("silent", "", null)]
    [InlineData("unknown", "c:answered", null)]
    [InlineData("answered", "c:once", null)]
    [InlineData("once", "c:answered", null)]
    [InlineData("silent", "c:before", null)]
    [InlineData("silent", "c:before d:answered", "Answers d, not the hub.")]
    [InlineData("before", "c:silent", null)]
    public void Difference_IsSaidWhenItIsKnown_AndOneLostProbeIsNone(string hub, string further, string? said) => Assert.Equal(
        said,
        VantagePoint.DifferenceOf(Seen("hub", hub), [.. further.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => Seen(f.Split(':')[0], f.Split(':')[1]))]));

    [Fact]
    public void NodeThatIsRenamed_IsFoundByItsNewNameAndItsProbesStayItsOwn()
    {
        var register = new NodeRegister();
        var names = new VantageNames(register);
        RegisteredNode node = new() { NodeId = "n1", Name = "node-c", JoinedAt = Make.At, Certificates = [], Renewals = 0 };
        register.Set(node);
        Assert.Equal(("node-c", "n1", "n1"), (names.Of("n1").Name, names.IdOf("NODE-C"), names.IdOf("n1")));

        register.Set(node with { Name = "node-z" });
        Assert.Equal(("node-z", "n1", "node-c"), (names.Of("n1").Name, names.IdOf("node-z"), names.IdOf("node-c")));

        register.Set(node with { Name = "node-z", RemovedAt = Make.At });
        Assert.Equal(("node-z (removed)", "n1"), (names.Of("n1").Name, names.IdOf("n1")));
    }

    [Fact]
    public void NodeThatIsCalledHub_IsNotTheHub()
    {
        var register = new NodeRegister();
        register.Set(new RegisteredNode { NodeId = "n1", Name = "hub", JoinedAt = Make.At, Certificates = [], Renewals = 0 });

        Assert.Equal("hub", new VantageNames(register).IdOf("hub"));
    }

    [Fact]
    public void Target_SeenFromANode_IsAsThatNodeSeesIt()
    {
        ProbedTarget target = Target(Seen("node-c", "silent"));

        ProbedTarget seen = target.SeenFrom("NODE-C")!;
        Assert.Equal((ReachabilityState.Unreachable, "Answers the hub, not node-c.", ReachabilityState.Reachable), (seen.State, seen.Difference, seen.SeenFrom("hub")!.VantagePoints[0].State));
        Assert.Equal(ReachabilityState.Reachable, target.SeenFrom("hub")!.State);
        Assert.Null(target.SeenFrom("node-d"));
        Assert.Equal(["hub", "node-c"], target.VantagePoints.Select(v => v.Name));
    }

    internal static VantagePoint Seen(string name, string how) => new()
    {
        Id = name,
        Name = name,
        State = how switch { "answered" or "before" => ReachabilityState.Reachable, "silent" or "once" => ReachabilityState.Unreachable, _ => ReachabilityState.Unknown },
        Recent = how switch { "answered" => Probes(true, true), "before" => [new ProbeSample(Make.At.AddSeconds(-2.5), TimeSpan.FromMilliseconds(1), null)], "silent" => Probes(true, false, false), "once" => Probes(true, true, false), _ => [] },
        Problem = how == "cut" ? "The hub itself is cut off." : null,
    };

    internal static ProbedTarget Target(params ImmutableArray<VantagePoint> further) => new()
    {
        Id = "203.0.113.10/32",
        Kind = ProbedKind.Shared,
        Label = "203.0.113.10",
        Prefix = Make.Prefix,
        Address = "203.0.113.10",
        Method = ProbeMethod.Icmp,
        Port = null,
        Way = "ICMP",
        Pair = "web",
        Interval = TimeSpan.FromSeconds(1),
        State = ReachabilityState.Reachable,
        Recent = Probes(true, true),
        Problem = null,
        Further = further,
    };

    private static ImmutableArray<ProbeSample> Probes(params bool[] answered) =>
        [.. answered.Select((yes, i) => new ProbeSample(Make.At.AddSeconds(i - answered.Length), yes ? TimeSpan.FromMilliseconds(1) : null, yes ? null : "no answer"))];
}
