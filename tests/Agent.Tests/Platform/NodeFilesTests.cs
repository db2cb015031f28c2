using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Tests.Platform;

/// <summary>What a restart reads, and what it presumes of what it cannot read: never that something may be announced which was drained.</summary>
public sealed class NodeFilesTests : IDisposable
{
    private static readonly IPNetwork _prefix = IPNetwork.Parse("203.0.113.10/32");
    private static readonly DateTimeOffset _at = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly LocalDrain _drain = new("root (uid 0)", "kernel update", _at, 7);
    private static readonly RoleOrder _asSecondary = new(Role.Secondary, "root (uid 0)", "", _at, 7, DespiteLostIntent: true);
    private static readonly NodeIntent _intent = new() { Revision = 7, Drained = false, Prefixes = [new PrefixIntent(_prefix, Role.Primary)] };

    private readonly TemporaryDirectory _directory = new();

    private NodeFiles Files => NodeFiles.In(_directory.Root, _ => { });

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void NothingKept_NothingIsPresumed()
    {
        var memory = Files.Load(_at);

        Assert.Equal((null, false, false), (memory.Intent, memory.IntentIsLost, memory.IntentDrainPresumed));
        Assert.True(memory.Orders.IsEmpty);
        Assert.Empty(memory.Problems);
    }

    [Fact]
    public void OrdersKept_AreReadByTheNextProcess()
    {
        Assert.Null(Files.Orders.TrySave(new LocalOrders { Drain = _drain, Roles = LocalOrders.None.Roles.Add(_prefix, _asSecondary), RolesLostAfter = 3 }, []));

        var orders = Files.Load(_at).Orders;

        Assert.Equal(_drain, orders.Drain);
        Assert.Equal(_asSecondary, orders.Roles[_prefix]);
        Assert.Equal(3ul, orders.RolesLostAfter);
        Assert.Equal([_directory.At("orders.json")], Directory.GetFiles(_directory.Root));
    }

    /// <summary>Killed before the entry of the command was written: the entry of the next start says who ordered what.</summary>
    [Fact]
    public void OrdersInForce_AreNamedByTheNextStart()
    {
        var other = IPNetwork.Parse("203.0.113.9/32");
        Files.Orders.TrySave(new LocalOrders { Drain = _drain, Roles = LocalOrders.None.Roles.Add(_prefix, _asSecondary).Add(other, _asSecondary) }, []);

        var text = Beginning();

        Assert.EndsWith(
            "; local orders in force: drained by root (uid 0) at 2026-01-02 03:04:05Z (kernel update), 203.0.113.9/32 and 203.0.113.10/32 secondary by root (uid 0) at 2026-01-02 03:04:05Z",
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void NoOrders_AreNotNamed() => Assert.EndsWith("runs by its configuration", Beginning(), StringComparison.Ordinal);

    [Fact]
    public void ManyOrders_AreCounted()
    {
        var prefixes = Enumerable.Range(1, 9).Select(number => IPNetwork.Parse($"203.0.113.{number}/32")).ToList();
        var inOne = LocalOrders.None with { Roles = LocalOrders.None.Roles.AddRange(prefixes.Select(prefix => KeyValuePair.Create(prefix, _asSecondary))) };
        var each = LocalOrders.None with { Roles = LocalOrders.None.Roles.AddRange(prefixes.Select((prefix, number) => KeyValuePair.Create(prefix, _asSecondary with { At = _at.AddMinutes(number) }))) };

        Assert.StartsWith("203.0.113.1/32 and 203.0.113.2/32 and 203.0.113.3/32 and 6 more secondary by", inOne.Describe(), StringComparison.Ordinal);
        Assert.EndsWith("and 6 more", each.Describe(), StringComparison.Ordinal);
    }

    private string Beginning() => AgentSettings.Beginning(
        new AgentOptions { StateDirectory = _directory.Root, ControlSocket = _directory.At("agent.sock"), Node = "node-a", Neighbors = [] },
        new RouterId(1),
        Files.Load(_at));

    [Fact]
    public void KilledBetweenANewerIntentAndWhatItEnds_TheOrdersAreEndedAllTheSame()
    {
        Files.Orders.TrySave(new LocalOrders { Drain = _drain, Roles = LocalOrders.None.Roles.Add(_prefix, _asSecondary) }, []);
        Files.Intents.TrySave(_intent with { Revision = 8, LiftLocalDrain = true }, null);

        Assert.True(Files.Load(_at).Orders.IsEmpty);
    }

    [Fact]
    public void OrdersCannotBeKept_SaysWhy_AndTheOldOnesAreStillThere()
    {
        Files.Orders.TrySave(new LocalOrders { Drain = _drain }, []);
        Directory.CreateDirectory(_directory.At("orders.json.new"));

        Assert.Contains("could not be kept on the node's disk", Files.Orders.TrySave(LocalOrders.None, []), StringComparison.Ordinal);
        Assert.Equal(_drain, Files.Load(_at).Orders.Drain);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"roles\":[null]}")]
    [InlineData("{\"roles\":[{\"prefix\":\"203.0.113.10/32\",\"role\":\"boss\",\"actor\":\"root\"}]}")]
    [InlineData("{\"drain\":{\"reason\":\"x\"},\"roles\":[]}")]
    public void OrdersDamaged_AndTheMarkStands_ItWasADrain(string content)
    {
        File.WriteAllText(_directory.At("orders.json"), content);
        Assert.Null(Files.DrainMark.TrySet());
        Files.Intents.TrySave(_intent, null);

        var memory = Files.Load(_at);

        Assert.True(memory.Orders.Drain!.IsPresumed);
        Assert.Equal(7ul, memory.Orders.Drain.AfterRevision);
        Assert.Equal(7ul, memory.Orders.RolesLostAfter);
        var problem = Assert.Single(memory.Problems);
        Assert.Contains("NOTHING IS ANNOUNCED: 'failoverhub-agent undrain' ends that", problem, StringComparison.Ordinal);

        // A stored intent that lifts drains is older than the drain that cannot be read.
        Files.Intents.TrySave(_intent with { LiftLocalDrain = true }, null);
        Assert.NotNull(Files.Load(_at).Orders.Drain);
    }

    [Fact]
    public void OrdersDamaged_AndNoMark_ItWasNoDrain_ButPerhapsADemotion()
    {
        File.WriteAllText(_directory.At("orders.json"), "{");

        var memory = Files.Load(_at);

        Assert.Null(memory.Orders.Drain);
        Assert.Equal(0ul, memory.Orders.RolesLostAfter);
        Assert.Contains("none is announced as primary", Assert.Single(memory.Problems), StringComparison.Ordinal);
    }

    /// <summary>Each start took the intent in force by then for the one at which the orders were lost, and demoted anew what the hub had settled long ago.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OrdersDamaged_TheNextStartKnowsSinceWhen_AndStillSaysSo(bool marked)
    {
        File.WriteAllText(_directory.At("orders.json"), "{\"roles\":");
        Files.Intents.TrySave(_intent, null);
        if (marked)
        {
            Files.DrainMark.TrySet();
        }

        var first = Files.Load(_at);
        Assert.Equal(7ul, first.Orders.RolesLostAfter);
        Assert.Contains($"is damaged, and kept as {_directory.At("orders.json.damaged")}", Assert.Single(first.Problems), StringComparison.Ordinal);
        Assert.Equal("{\"roles\":", File.ReadAllText(_directory.At("orders.json.damaged")));

        Files.Intents.TrySave(_intent with { Revision = 8 }, null);
        var next = Files.Load(_at.AddHours(1));

        Assert.Equal(7ul, next.Orders.RolesLostAfter);
        Assert.Equal(first.Orders.Drain, next.Orders.Drain);
        Assert.Equal(marked, next.Orders.Drain is { IsPresumed: true });
        Assert.Contains(marked ? "NOTHING IS ANNOUNCED" : "none is announced as primary", Assert.Single(next.Problems), StringComparison.Ordinal);
        Assert.StartsWith("what was ordered on this node itself was lost before an earlier start", next.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void OrdersDamaged_DiskTakesNothing_TheFileStays()
    {
        File.WriteAllText(_directory.At("orders.json"), "{");
        Directory.CreateDirectory(_directory.At("orders.json.new"));

        Assert.NotNull(Files.Load(_at).Orders.RolesLostAfter);

        Assert.Equal("{", File.ReadAllText(_directory.At("orders.json")));
    }

    /// <summary>A link to itself is to root what a directory without rights is to everybody else.</summary>
    [Fact]
    public void DirectoryInWhichNobodyCanLook_ItMayHaveBeenADrain()
    {
        File.CreateSymbolicLink(_directory.At("loop"), _directory.At("loop"));
        var files = NodeFiles.In(_directory.At("loop"), _ => { });

        var memory = files.Load(_at);

        Assert.True(memory.Orders.Drain!.IsPresumed);
        Assert.NotNull(memory.Orders.RolesLostAfter);
        Assert.True(memory.IntentDrainPresumed);
        Assert.Contains(memory.Problems, problem => problem.Contains("NOTHING IS ANNOUNCED", StringComparison.Ordinal));

        // Presumed is not kept.
        Assert.Contains("could not be kept", files.DrainMark.TrySet(), StringComparison.Ordinal);
        Assert.NotNull(files.DrainMark.TryClear());
    }

    [Fact]
    public void DirectoryThatWasNeverMade_WasNoDrain()
    {
        File.WriteAllText(_directory.At("file"), "");
        foreach (var place in new[] { "nothing", "file/below" })
        {
            var files = NodeFiles.In(_directory.At(place), _ => { });
            Assert.True(files.Load(_at).Orders.IsEmpty);
            Assert.False(files.DrainMark.IsSet);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void DirectoryInPlaceOfTheOrders_TheyAreLost(bool marked)
    {
        Directory.CreateDirectory(_directory.At("orders.json"));
        if (marked)
        {
            Directory.CreateDirectory(_directory.At("drained"));
        }

        var orders = Files.Load(_at).Orders;

        Assert.Equal(0ul, orders.RolesLostAfter);
        Assert.Equal(marked, orders.Drain is not null);
    }

    [Fact]
    public void IntentDamaged_TheMarkTellsWhetherItDrained()
    {
        File.WriteAllText(_directory.At("intent.json"), "{");
        Assert.Equal((true, false), (Files.Load(_at).IntentIsLost, Files.Load(_at).IntentDrainPresumed));

        Files.DrainMark.TrySet();
        var memory = Files.Load(_at);
        Assert.Equal((true, true), (memory.IntentIsLost, memory.IntentDrainPresumed));
        Assert.Contains("so nothing is announced: 'failoverhub-agent undrain' ends that", Assert.Single(memory.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void MarkOfANodeWhoseFilesAreWhole_MeansNothing()
    {
        Files.DrainMark.TrySet();
        Files.Intents.TrySave(_intent, null);

        var memory = Files.Load(_at);
        Assert.False(memory.Intent!.Drained);
        Assert.Null(memory.Orders.Drain);
        Assert.Empty(memory.Problems);
    }

    [Fact]
    public void Mark_IsSetAndCleared_AndSaysWhenItCannotBe()
    {
        var mark = Files.DrainMark;
        Assert.False(mark.IsSet);
        Assert.Null(mark.TrySet());
        Assert.True(Files.DrainMark.IsSet);
        Assert.Null(mark.TryClear());
        Assert.False(Files.DrainMark.IsSet);

        Assert.Contains("could not be kept", new DrainMark(_directory.At("no/such/place")).TrySet(), StringComparison.Ordinal);
    }

    [Fact]
    public void FailbackMissing_OnTheFirstStart_NothingWasHere()
    {
        Directory.CreateDirectory(_directory.At("journal"));

        var failback = Files.Load(_at).Failback;

        Assert.False(failback.Knows(_prefix));
        Assert.Equal("start", failback.Returned("start"));
    }

    /// <summary>A disk that was full for a whole life of the agent, or one that was never asked to keep it.</summary>
    [Theory]
    [InlineData("router-id.json")]
    [InlineData("intent.json")]
    [InlineData("orders.json")]
    [InlineData("journal/acknowledged.json")]
    [InlineData("journal/00000001-0123456789abcdef0123456789abcdef-000000000001.ndjson")]
    public void FailbackMissing_BesideWhatAnAgentLeft_ItMayHaveBeenHere_AndSaysWhyThatIsNotKnown(string left)
    {
        Directory.CreateDirectory(_directory.At("journal"));
        File.WriteAllText(_directory.At(left), "{}");

        var failback = Files.Load(_at).Failback;

        Assert.True(failback.Knows(_prefix));
        Assert.Equal("start; nobody can tell whether it was primary here before, because an agent has run here that did not keep it", failback.Returned("start"));
    }

    [Fact]
    public void FailbackSaysThatNothingWasHere_ItIsBelieved_WhateverElseThereIs_UnlessNothingCanBeKept()
    {
        File.WriteAllText(_directory.At("router-id.json"), "{}");
        Assert.Null(Files.Failback.TrySave(Agent.Node.Holding.FailbackMemory.None));
        Assert.False(Files.Load(_at).Failback.Knows(_prefix));

        // What became primary since then could not be added.
        var failback = (Files with { CannotBeWritten = true }).Load(_at).Failback;
        Assert.True(failback.Knows(_prefix));
        Assert.Contains("because the state directory cannot be written", failback.Returned("start"), StringComparison.Ordinal);
    }
}
