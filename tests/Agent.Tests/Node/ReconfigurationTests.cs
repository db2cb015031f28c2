using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>Another configuration while the node runs.</summary>
public sealed class ReconfigurationTests
{
    private static readonly NeighborEndpoint _third = new(IPAddress.Parse("192.0.2.3"), 179);

    [Fact]
    public void RoleChanges_IsOneUpdate_WithAnEntryOfItsCause()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);

        node.Give(Changed(node.State.Settings with { DefaultRole = Role.Secondary }));

        Assert.Equal([new Community(65000, 2)], Assert.Single(node.Handed!.Value).Communities);
        Assert.Equal([TransitionKind.ConfigurationLoaded, TransitionKind.RoleChanged], node.Recorded);
        Assert.Contains(node.Effects.OfType<NodeEffect.Record>(), record => record.Text.EndsWith(": the configuration was changed", StringComparison.Ordinal));
    }

    [Fact]
    public void NothingOfTheRoutesChanges_NoneAreHanded_AndOnlyTheLoadIsRecorded()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);

        node.Give(Changed(node.State.Settings with { GracefulShutdown = TimeSpan.FromSeconds(5) }));

        Assert.Null(node.Handed);
        Assert.Equal([TransitionKind.ConfigurationLoaded], node.Recorded);
    }

    [Fact]
    public void NeighborsChange_TheSessionsThatStayAreKept_AndTheSpeakerIsToldBeforeTheRoutes()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);
        node.Give(new NodeEvent.SessionChanged(NodeUnderTest.Second, SessionState.Established, "up"));
        var kept = node.State.Session(NodeUnderTest.Second);

        node.Give(Changed(node.State.Settings with { Neighbors = [NodeUnderTest.Second, _third], DefaultRole = Role.Secondary }));

        Assert.Equal([NodeUnderTest.Second, _third], node.State.Sessions.Select(session => session.Neighbor));
        Assert.Same(kept, node.State.Sessions[0]);
        Assert.IsType<NodeEffect.ConfigureSessions>(node.Effects[0]);
        Assert.IsType<NodeEffect.SetAdvertisements>(node.Effects[1]);
    }

    [Fact]
    public void NewsOfANeighborThatWasTakenAway_ChangeNothing()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);
        node.Give(Changed(node.State.Settings with { Neighbors = [NodeUnderTest.Second] }));
        var state = node.State;

        node.Give(new NodeEvent.SessionEstablished(NodeUnderTest.First, new NegotiatedParameters { PeerAs = 65000, PeerRouterId = new RouterId(1), HoldTime = new HoldTime(9), Families = [], FourOctetAs = true, Ipv4WithIpv6NextHop = true, RouteRefresh = true }));
        node.Give(new NodeEvent.SessionChanged(NodeUnderTest.First, SessionState.Idle, "gone"));

        Assert.Equal(state, node.State);
        Assert.Empty(node.Effects);
    }

    [Theory]
    [InlineData(Role.Primary)]
    [InlineData(Role.Secondary)]
    public void ManagedPrefixIsTakenOutOfTheConfiguration_ItIsWithdrawn_AndNeverAnnouncedInTheDefaultRole(object assigned)
    {
        var role = (Role)assigned;
        var node = Managed(Role.Primary, new ConfiguredPrefix(NodeUnderTest.Shared, role) { Present = false });
        node.Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]) { Own = [NodeUnderTest.Shared] });
        Assert.Equal(new AdvertisementDecision.Announce(role), node.Decision(NodeUnderTest.Shared));

        // The agent still has it on the interface.
        node.Give(Changed(node.State.Settings with { Announce = [] }));

        Assert.Empty(node.Handed!.Value);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.NotAssigned), node.Decision(NodeUnderTest.Shared));
        node.Give(new NodeEvent.AddressesChanged([]));
        Assert.Null(node.Handed);
    }

    [Fact]
    public void ManagedPrefixIsNamedByNoIntentAnyMore_ItIsWithdrawn_AndAnnouncedAgainWhenOneNamesIt()
    {
        var node = Managed(Role.Primary).Keep(NodeUnderTest.Intent(1, false, new PrefixIntent(NodeUnderTest.Shared, Role.Secondary)));
        node.Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]) { Own = [NodeUnderTest.Shared] });
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(NodeUnderTest.Shared));

        node.Keep(NodeUnderTest.Intent(2));
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.NotAssigned), node.Decision(NodeUnderTest.Shared));

        node.Keep(NodeUnderTest.Intent(3, false, new PrefixIntent(NodeUnderTest.Shared, Role.Secondary)));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(NodeUnderTest.Shared));
    }

    [Fact]
    public void AddressThatSomebodyElseHasPutThere_KeepsTheDefaultRole()
    {
        var node = Managed(Role.Primary, new ConfiguredPrefix(NodeUnderTest.Shared, Role.Secondary) { Present = false });
        node.Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]));

        node.Give(Changed(node.State.Settings with { Announce = [] }));

        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(NodeUnderTest.Shared));
    }

    [Fact]
    public void OwnAddressAtTheStart_WithoutANameHasNoRole_ButALostIntentMayHaveNamedIt()
    {
        var started = new NodeEvent.Started([NodeUnderTest.Shared], "started") { Own = [NodeUnderTest.Shared] };

        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.NotAssigned), new NodeUnderTest(Role.Primary).Give(started).Decision(NodeUnderTest.Shared));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), new NodeUnderTest(Role.Primary).LoseIntent().Give(started).Decision(NodeUnderTest.Shared));
    }

    [Fact]
    public void PrefixThatIsOnlyConfigured_IsNotPresent_UntilItsAddressIs()
    {
        var node = new NodeUnderTest(null, null, new ConfiguredPrefix(NodeUnderTest.Shared, Role.Primary) { Present = false }).Start();
        Assert.IsType<AdvertisementDecision.Withdraw>(Assert.Single(node.State.Prefixes).Decision);

        node.Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]));

        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), Assert.Single(node.State.Prefixes).Decision);
    }

    [Fact]
    public void IntentIsInForce_StaysSo()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);
        node.Keep(NodeUnderTest.Intent(1, drained: false, new PrefixIntent(NodeUnderTest.Shared, Role.Secondary)));

        node.Give(Changed(node.State.Settings with { DefaultRole = Role.Primary }));

        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), Assert.Single(node.State.Prefixes).Decision);
    }

    [Fact]
    public void LostIntent_StaysLost_WhateverTheNewSettingsSay()
    {
        var node = new NodeUnderTest(settings => settings).LoseIntent().Start(NodeUnderTest.Shared);

        node.Give(Changed(node.State.Settings with { Damping = null }));

        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), Assert.Single(node.State.Prefixes).Decision);
    }

    [Fact]
    public void Refused_NothingChangesButTheProblem_SaidOnceForEach()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);

        node.Give(new NodeEvent.ConfigurationRefused("agent.json:1:1: node: is wrong."));
        Assert.Equal("agent.json:1:1: node: is wrong.", node.State.ConfigurationProblem);
        Assert.Equal([TransitionKind.ConfigurationRejected], node.Recorded);
        Assert.Null(node.Handed);

        node.Give(new NodeEvent.ConfigurationRefused("agent.json:1:1: node: is wrong."));
        Assert.Empty(node.Effects);

        node.Give(Changed(node.State.Settings));
        Assert.Null(node.State.ConfigurationProblem);
    }

    [Fact]
    public void AddressTrouble_IsInTheJournalOnce_AndItsEndToo()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);

        node.Give(new NodeEvent.AddressTrouble("203.0.113.11/32 stays on lo"));
        Assert.Equal("203.0.113.11/32 stays on lo", node.State.AddressProblem);
        Assert.Equal([TransitionKind.AddressProblem], node.Recorded);
        Assert.Null(node.Handed);

        node.Give(new NodeEvent.AddressTrouble("203.0.113.11/32 stays on lo"));
        Assert.Empty(node.Effects);

        node.Give(new NodeEvent.AddressTrouble(null));
        Assert.Null(node.State.AddressProblem);
        Assert.Equal([TransitionKind.AddressProblem], node.Recorded);
    }

    [Fact]
    public void Stopping_IsLeftForTheNextStart()
    {
        var node = new NodeUnderTest(Role.Primary).Start(NodeUnderTest.Shared);
        node.Give(new NodeEvent.StopRequested("SIGTERM"));

        node.Give(Changed(node.State.Settings with { DefaultRole = Role.Secondary }));

        Assert.Empty(node.Effects.Where(effect => effect is not NodeEffect.Log));
    }

    private static NodeUnderTest Managed(Role role, params ConfiguredPrefix[] announce) =>
        new NodeUnderTest(settings => settings with { ManagesAddresses = true, DefaultRole = role, Announce = [.. announce] }).Start().BothUp();

    private static NodeEvent.Reconfigured Changed(NodeSettings settings) => new(settings, ImmutableArray<PeerOptions>.Empty, "the configuration was read again");
}
