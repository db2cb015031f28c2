using System.Collections.Immutable;
using System.Diagnostics;
using CsCheck;
using FailoverHub.Web.Reachability.Vantages;

namespace FailoverHub.Web.Tests.Reachability.Vantages;

/// <summary>Who asks what, whatever there is: within bounds, never a node about its own address, and nobody else is moved when one comes or goes.</summary>
public sealed class VantageAssignmentTests
{
    private static readonly Gen<Fleet> Fleets = Gen.Select(Gen.Int[0, 12], Gen.Int[0, 60], Gen.Int[0, 3], Gen.Int[1, 4], Gen.Int[0, 1_000_000], (nodes, targets, perTarget, dataCenters, salt) =>
    {
        var random = new Random(salt);
        ImmutableArray<VantageNode> all = [.. Enumerable.Range(0, nodes).Select(i => new VantageNode($"id-{salt}-{i}", $"node-{i}", random.Next(5) == 0 ? "" : $"{random.Next(dataCenters)}"))];
        return new Fleet(
            [.. Enumerable.Range(0, targets).Select(i => new VantageTarget($"203.0.113.{i}/32", random.Next(4) == 0 ? "" : $"{random.Next(dataCenters)}", [.. all.Where(_ => random.Next(4) == 0).Select(n => n.Name)]))],
            all,
            perTarget);
    });

    [Fact]
    public void Assignment_OfAnyFleet_IsWithinItsBoundsAndNeverFromWhoHasTheAddress() => Fleets.Sample(
        fleet =>
        {
            AssignedVantages assigned = fleet.Assign();
            foreach (VantageTarget target in fleet.Targets)
            {
                string[] askers = AskersOf(assigned, target.Id);
                string[] may = [.. fleet.Nodes.Where(n => !target.NotFrom.Contains(n.Name)).Select(n => n.Id)];
                Assert.Equal(Math.Min(fleet.PerTarget, may.Length), askers.Length);
                Assert.Subset(may.ToHashSet(), askers.ToHashSet());
                Assert.Equal(askers.Length == 0, assigned.Short.ContainsKey(target.Id));

                // No stranger while one of its own data center has nothing to ask of it.
                string[] near = [.. fleet.Nodes.Where(n => may.Contains(n.Id) && n.DataCenter.Length > 0 && n.DataCenter == target.DataCenter).Select(n => n.Id)];
                Assert.Equal(Math.Min(askers.Length, near.Length), askers.Count(near.Contains));
            }
        },
        iter: 3_000);

    [Fact]
    public void NodeThatGoes_LeavesEverybodyElseWhereTheyWere() => Fleets.Sample(
        fleet =>
        {
            if (fleet.Nodes.IsEmpty)
            {
                return;
            }

            AssignedVantages before = fleet.Assign();
            VantageNode gone = fleet.Nodes[^1];
            AssignedVantages after = (fleet with { Nodes = fleet.Nodes.Remove(gone) }).Assign();
            foreach (VantageTarget target in fleet.Targets)
            {
                (string[] then, string[] now) = (AskersOf(before, target.Id), AskersOf(after, target.Id));
                Assert.Subset(now.ToHashSet(), then.Where(id => id != gone.Id).ToHashSet());
                Assert.True(then.Contains(gone.Id) || then.SequenceEqual(now), $"{target.Id} was moved though {gone.Name} had nothing to do with it.");
            }
        },
        iter: 3_000);

    [Fact]
    public void OrderInWhichNodesAreNamed_DoesNotMatter() => Fleets.Sample(
        fleet => Assert.All(fleet.Targets, t => Assert.Equal(AskersOf(fleet.Assign(), t.Id), AskersOf((fleet with { Nodes = [.. fleet.Nodes.Reverse()] }).Assign(), t.Id))),
        iter: 300);

    [Fact]
    public void ManyTargets_AreSharedOutEvenly()
    {
        AssignedVantages assigned = new Fleet(Shared(1_000), Nodes(10), 1).Assign();

        Assert.All(assigned.ByNode.Values, targets => Assert.InRange(targets.Length, 60, 140));
    }

    [Fact]
    public void MoreTargetsThanNodesMayHave_AreAskedOnceEachBeforeAnyIsAskedTwice()
    {
        AssignedVantages assigned = new Fleet(Shared(350), Nodes(2), 2).Assign();

        Assert.All(assigned.ByNode.Values, targets => Assert.Equal(VantageAssignment.MostTasks, targets.Length));
        Assert.Empty(assigned.Short);
    }

    [Fact]
    public void LargestFleet_HasEachTargetAskedByItsNodes()
    {
        var fleet = new Fleet(Shared(5_000), Nodes(2_000), VantageAssignment.MostPerTarget);
        long began = Stopwatch.GetTimestamp();
        AssignedVantages assigned = fleet.Assign();
        TestContext.Current.TestOutputHelper?.WriteLine($"5,000 targets, 2,000 nodes of one data center, three each: decided in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");

        Assert.Equal(15_000, assigned.ByNode.Values.Sum(t => t.Length));
        Assert.Empty(assigned.Short);
    }

    [Fact]
    public void TargetsBeyondWhatNodesMayHave_AreSaidToBeSo()
    {
        AssignedVantages assigned = new Fleet(Shared(201), Nodes(1), 1).Assign();

        Assert.Equal([KeyValuePair.Create("10.0.0.200/32", VantageShortage.AllBusy)], assigned.Short);
    }

    [Fact]
    public void TargetThatNobodyAsks_HasItsReason()
    {
        var target = new VantageTarget("203.0.113.10/32", "", ["node-0", "node-1"]);

        Assert.Equal(VantageShortage.TurnedOff, new Fleet([target], Nodes(3), 0).Assign().Short[target.Id]);
        Assert.Equal(VantageShortage.NoNode, new Fleet([target], [], 1).Assign().Short[target.Id]);
        Assert.Equal(VantageShortage.OnlyItsOwn, new Fleet([target], Nodes(2), 1).Assign().Short[target.Id]);
        Assert.Empty(new Fleet([target], Nodes(3), 1).Assign().Short);
    }

    private static ImmutableArray<VantageTarget> Shared(int count) => [.. Enumerable.Range(0, count).Select(i => new VantageTarget($"10.0.{i / 250}.{i % 250}/32", "", []))];

    private static ImmutableArray<VantageNode> Nodes(int count) => [.. Enumerable.Range(0, count).Select(i => new VantageNode($"id-{i}", $"node-{i}", ""))];

    private static string[] AskersOf(AssignedVantages assigned, string target) => [.. assigned.ByNode.Where(n => n.Value.Contains(target)).Select(n => n.Key).Order(StringComparer.Ordinal)];

    private sealed record Fleet(ImmutableArray<VantageTarget> Targets, ImmutableArray<VantageNode> Nodes, int PerTarget)
    {
        public AssignedVantages Assign() => VantageAssignment.Assign(Targets, Nodes, PerTarget);
    }
}
