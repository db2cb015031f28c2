using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Tests.Node;
using Google.Protobuf;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;
using Wire = FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Tests.Hub;

/// <summary>What the hub is told of a failback, and what it may say of one.</summary>
public sealed class HubMappingTests
{
    private readonly NodeUnderTest _node = new NodeUnderTest(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.AfterStable } }).Start(Shared);

    [Fact]
    public void Held_IsReportedWithItsCountdown_OrThatItDoesNotCount()
    {
        var waiting = Report();
        Assert.Equal((Wire.Role.Primary, Wire.Role.Secondary, true), (waiting.AssignedRole, waiting.ReportedRole, waiting.Announced));
        Assert.Equal((Wire.FailbackPolicy.AfterStable, 60u), (waiting.FailbackPolicy, waiting.StableSeconds));
        Assert.Equal(-1, waiting.FailbackHold.RemainingMs);
        Assert.Contains("not counting now, because no session is established", waiting.FailbackHold.Reason, StringComparison.Ordinal);

        _node.Establish(First).After(TimeSpan.FromSeconds(12.5));
        Assert.Equal(47_500, Report().FailbackHold.RemainingMs);
        Assert.Equal("it returned (start) and waits until it has been healthy and connected for 1 min 0 s without a break", Report().FailbackHold.Reason);

        _node.After(TimeSpan.FromSeconds(47.5)).Give(new NodeEvent.Tick());
        Assert.Null(Report().FailbackHold);
    }

    [Fact]
    public void Host_IsReportedAsSoonAsThePlatformHasNamedIt()
    {
        Assert.Equal("", HostReported());

        _node.Give(new NodeEvent.InstanceLearned(new Agent.Discovery.InstanceFacts { HostId = "aa11", ReadAt = DateTimeOffset.UnixEpoch }));
        Assert.Equal("aa11", HostReported());

        string HostReported() => Whole().Host;
    }

    [Fact]
    public void HostsOfThePeers_AreTakenFromTheWelcome_AndWhatIsNoneIsPassedOver()
    {
        var welcome = new Wire.Welcome();
        welcome.Peers.Add(new Wire.PeerHost { Node = "web-2", Host = "bb22" });
        welcome.Peers.Add(new Wire.PeerHost { Node = "web-3" });
        welcome.Peers.Add(new Wire.PeerHost { Node = "web 4", Host = "cc33" });
        welcome.Peers.Add(new Wire.PeerHost { Node = "web-5", Host = new string('d', 64) });

        Assert.Equal([new Agent.Identity.PeerHost("web-2", "bb22")], HubMapping.Peers(welcome));
    }

    [Fact]
    public void Damped_IsReported()
    {
        for (var flap = 0; flap < 4; flap++)
        {
            Assert.False(Report().Damped);
            _node.Give(new NodeEvent.AddressesChanged([])).Give(new NodeEvent.AddressesChanged([Shared]));
        }

        Assert.True(Report().Damped);
    }

    [Fact]
    public void Limits_AreReported_SoThatTheHubNeedNotAskInVain()
    {
        Assert.Equal(new Wire.IntentLimits(), Whole().Limits);

        _node.Limit(new IntentLimits { Drain = false, Demote = false });

        Assert.Equal(new Wire.IntentLimits { RefusesDrain = true, RefusesDemote = true }, Whole().Limits);
    }

    [Fact]
    public void Intent_CarriesThePolicy()
    {
        var sent = new Wire.NodeIntent { Revision = 3, LiftLocalDrain = true, Reason = "kernel\nWATCHDOG=trigger\u001b[2J" };
        sent.Prefixes.Add(new Wire.PrefixIntent { Prefix = Shared.ToString(), Role = Wire.Role.Primary, FailbackPolicy = Wire.FailbackPolicy.Manual, StableSeconds = 7, AtOnce = true });

        var intent = Assert.IsType<NodeEvent.IntentReceived>(HubMapping.Intent(sent)).Intent;

        Assert.True(intent.LiftLocalDrain);
        Assert.Equal("kernel WATCHDOG=trigger?[2J", intent.Reason);
        Assert.Equal(new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = FailbackPolicy.Manual, StableFor = TimeSpan.FromSeconds(7), AtOnce = true }, Assert.Single(intent.Prefixes));
    }

    [Fact]
    public void IntentOfAnOlderHub_LeavesThePolicyToTheConfiguration()
    {
        var sent = new Wire.NodeIntent { Revision = 3, Prefixes = { new Wire.PrefixIntent { Prefix = Shared.ToString(), Role = Wire.Role.Primary } } };

        Assert.Equal([new PrefixIntent(Shared, Role.Primary)], Assert.IsType<NodeEvent.IntentReceived>(HubMapping.Intent(sent)).Intent.Prefixes);
    }

    [Theory]
    [InlineData(86_401u, Wire.FailbackPolicy.AfterStable, "more than 86400")]
    [InlineData(0u, (Wire.FailbackPolicy)17, "no failback policy that this agent knows")]
    public void IntentThatMakesNoSense_IsMalformed(uint seconds, Wire.FailbackPolicy policy, string words)
    {
        var sent = new Wire.NodeIntent { Revision = 3, Prefixes = { new Wire.PrefixIntent { Prefix = Shared.ToString(), Role = Wire.Role.Primary, StableSeconds = seconds, FailbackPolicy = policy } } };

        Assert.Contains(words, Assert.IsType<NodeEvent.IntentMalformed>(HubMapping.Intent(sent)).Problem, StringComparison.Ordinal);
    }

    private Wire.PrefixReport Report() => Assert.Single(Whole().Prefixes);

    private Wire.NodeReport Whole() => HubMapping.Report(_node.State, _ => PeerMetrics.None, 1, new Moment(_node.Now, DateTimeOffset.UnixEpoch)).Report;

    [Fact]
    public void Welcome_WithKeysIsAGrant_AndWithoutThemOrWithOthersIsNone()
    {
        var welcome = new Wire.Welcome { Identity = new Wire.IdentityGrant { Label = "0198c0de", AnswerKey = ByteString.CopyFrom(new byte[32]), AskKey = ByteString.CopyFrom(new byte[32]) } };

        Assert.Equal("0198c0de", HubMapping.Grant(welcome)!.Label);
        Assert.Null(HubMapping.Grant(new Wire.Welcome()));
        welcome.Identity.AskKey = ByteString.CopyFrom(new byte[16]);
        Assert.Null(HubMapping.Grant(welcome));
    }
}
