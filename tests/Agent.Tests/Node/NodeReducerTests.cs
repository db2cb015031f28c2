using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

public sealed class NodeReducerTests
{
    [Fact]
    public void MayBeAnnounced_UntilTheLastSessionHasTheWithdrawalOnItsSocket()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp();
        Assert.True(node.State.MayBeAnnounced(Shared));

        node.Give(new NodeEvent.AddressesChanged([]));
        Assert.True(node.State.MayBeAnnounced(Shared));
        Assert.True(node.Written(First).State.MayBeAnnounced(Shared));
        Assert.False(node.Written(Second).State.MayBeAnnounced(Shared));
    }

    [Fact]
    public void MayBeAnnounced_SessionThatIsLost_HasNothingToTakeBack()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Give(new NodeEvent.AddressesChanged([])).Written(First);

        Assert.False(node.Lose(Second).State.MayBeAnnounced(Shared));
    }

    [Fact]
    public void Started_AddressOnAnInterface_HandsItsRouteToTheSessions()
    {
        var node = new NodeUnderTest().Start(Shared);

        var route = Assert.Single(node.Handed!.Value);
        Assert.Equal(Shared, route.Prefix);
        Assert.Equal([new Community(65000, 1)], route.Communities.ToArray());
        Assert.Equal(Origin.Incomplete, route.Origin);
        Assert.Equal([TransitionKind.Started, TransitionKind.Announced], node.Recorded);
    }

    [Fact]
    public void LargeCommunities_AreOnEveryAnnouncement()
    {
        LargeCommunity[] large = [new(64500, 1, 2), new(64500, 1, 3)];
        var node = new NodeUnderTest(settings => settings with { LargeCommunities = [.. large] }).Start(Shared, Other);

        Assert.Equal(2, node.Handed!.Value.Length);
        Assert.All(node.Handed.Value, route => Assert.Equal(large, route.LargeCommunities.ToArray()));
    }

    [Fact]
    public void Started_NothingToAnnounce_StillHandsTheSessionsAWholeSet()
    {
        var node = new NodeUnderTest().Start();

        Assert.Empty(node.Handed!.Value);
        Assert.Equal(1, node.State.Version);
    }

    [Fact]
    public void Started_GivenPrefixWithARoleOfItsOwn_IsAnnouncedInThatRole()
    {
        var node = new NodeUnderTest(Role.Primary, null, new ConfiguredPrefix(Other, Role.Secondary)).Start(Shared);

        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Shared));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Other));
    }

    [Fact]
    public void Started_NoRole_AnnouncesNothing()
    {
        var node = new NodeUnderTest(role: null).Start(Shared);

        Assert.Empty(node.Handed!.Value);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.NotAssigned), node.Decision(Shared));
    }

    [Fact]
    public void Started_StoredIntent_IsObeyedWithoutAHub()
    {
        var node = new NodeUnderTest(Role.Primary, Intent(7, prefixes: new PrefixIntent(Shared, Role.Secondary))).Start(Shared);

        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));
    }

    [Fact]
    public void Started_StoredIntentLost_NothingIsPrimary_UntilTheHubSpeaks()
    {
        var node = new NodeUnderTest(settings => settings with { Announce = [new ConfiguredPrefix(Other, Role.Primary)] }).LoseIntent().Start(Shared);

        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Other));

        node.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Secondary)));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Other));
    }

    [Fact]
    public void Started_StoredIntentLost_WhatHasNoRoleGetsNone()
    {
        var node = new NodeUnderTest(settings => settings with { DefaultRole = null }).LoseIntent().Start(Shared);

        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.NotAssigned), node.Decision(Shared));
    }

    [Fact]
    public void Started_StoredIntentDrained_StaysDrained()
    {
        var node = new NodeUnderTest(Role.Primary, Intent(7, drained: true)).Start(Shared);

        Assert.Empty(node.Handed!.Value);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Drained), node.Decision(Shared));
    }

    [Fact]
    public void AddressAppears_IsAnnounced()
    {
        var node = new NodeUnderTest().Start().BothUp().Give(new NodeEvent.AddressesChanged([Shared]));

        Assert.Equal(Shared, Assert.Single(node.Handed!.Value).Prefix);
        Assert.Equal([TransitionKind.Announced], node.Recorded);
    }

    [Fact]
    public void AddressDisappears_IsWithdrawn_AndStaysKnownAsMissing()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Give(new NodeEvent.AddressesChanged([]));

        Assert.Empty(node.Handed!.Value);
        Assert.Equal([TransitionKind.Withdrawn], node.Recorded);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.AddressMissing), node.Decision(Shared));
        Assert.False(node.State.Prefixes[0].AddressPresent);
    }

    [Fact]
    public void AddressesReadAgain_TheSame_NothingHappens()
    {
        var node = new NodeUnderTest().Start(Shared).Give(new NodeEvent.AddressesChanged([Shared]));

        Assert.Empty(node.Effects);
    }

    [Fact]
    public void SessionEstablished_SaysWhatItMeans()
    {
        var node = new NodeUnderTest().Start(Shared).Establish(First);

        var record = Assert.IsType<NodeEffect.Record>(Assert.Single(node.Effects));
        Assert.Equal("session with 192.0.2.1 established: hold 9 s, 1 prefix announced as primary", record.Text);
        Assert.Equal("192.0.2.1", record.Neighbor);
        Assert.Equal(9, node.State.Session(First)!.HoldTime!.Value.Seconds);
    }

    [Fact]
    public void SessionLost_CountsAFlap_AndForgetsWhatWasWritten()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().After(TimeSpan.FromSeconds(90)).Lose(First, "connection reset by the neighbor");

        var record = Assert.IsType<NodeEffect.Record>(Assert.Single(node.Effects));
        Assert.Equal("session with 192.0.2.1 lost after 1 min 30 s: connection reset by the neighbor; 1 of 2 sessions remain", record.Text);
        var session = node.State.Session(First)!;
        Assert.Equal((1, 0L, null), (session.Flaps, session.WrittenVersion, session.HoldTime));
        Assert.Equal("connection reset by the neighbor", session.LastTrouble!.Text);
        Assert.Equal(1, node.State.SessionsCarrying(node.State.Prefixes[0]));
    }

    [Fact]
    public void SessionThatCannotCarryAPrefix_IsAWarningOnce_AlsoAcrossReconnects()
    {
        var skipped = new SkippedPrefix(Shared, SkipReason.NoNextHop);
        var node = new NodeUnderTest().Start(Shared).Establish(First).Written(First, skipped);

        var warning = Assert.IsType<NodeEffect.Log>(Assert.Single(node.Effects));
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Equal("203.0.113.10/32 is not announced to 192.0.2.1, which takes no IPv4 routes on an IPv6 session (RFC 8950)", warning.Text);

        node.Lose(First).Establish(First).Written(First, skipped);
        Assert.Empty(node.Effects);
        Assert.Equal(0, node.State.SessionsCarrying(node.State.Prefixes[0]));
    }

    [Fact]
    public void MalformedUpdate_IsAWarningAndChangesNothing()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp();
        var before = node.State;

        node.Give(new NodeEvent.UpdateMalformed(First, "ORIGIN is malformed (198.51.100.0/24)"));

        var warning = Assert.IsType<NodeEffect.Log>(Assert.Single(node.Effects));
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Equal("192.0.2.1 sent a malformed UPDATE: ORIGIN is malformed (198.51.100.0/24); the session goes on, 'failoverhub-agent trace' shows the message", warning.Text);
        Assert.Equal(before, node.State);
    }

    [Fact]
    public void SessionThatDoesNotComeUp_IsLoggedWithWhatToDo()
    {
        var node = new NodeUnderTest().Start(Shared);

        node.Give(new NodeEvent.SessionFailed(First, new SessionError("the neighbor says Cease/Connection Rejected", true, 6, 5) { Advice = "is the address shared?" }));

        Assert.StartsWith(
            "no session with 192.0.2.1 yet: the neighbor says Cease/Connection Rejected (is the address shared?); trying again",
            Assert.Single(node.Effects.OfType<NodeEffect.Log>()).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void DialsThatGoOnFailing_AreSaidOnce_AndAreNoTransitions()
    {
        var node = new NodeUnderTest().Start(Shared);
        var refused = new NodeEvent.SessionFailed(First, new SessionError("connection refused", false, 0, 0));

        node.Give(refused);
        Assert.IsType<NodeEffect.Log>(Assert.Single(node.Effects));
        node.Give(refused);
        Assert.Empty(node.Effects);
        node.Give(refused with { Error = refused.Error with { Text = "no answer" } });
        Assert.IsType<NodeEffect.Log>(Assert.Single(node.Effects));
        Assert.Equal(0, node.State.Session(First)!.Flaps);
    }

    [Fact]
    public void DialsWhoseReasonsAlternate_AreEachSaidOnce_AndAgainAfterTenMinutes()
    {
        var node = new NodeUnderTest().Start(Shared);
        int Lines(string text) => node.Give(new NodeEvent.SessionFailed(First, new SessionError(text, false, 0, 0))).Effects.Length;
        Assert.Equal([1, 1, 0, 0], [Lines("no answer"), Lines("refused"), Lines("no answer"), Lines("refused")]);

        node.After(TimeSpan.FromMinutes(10));
        Assert.Equal([1, 0], [Lines("refused"), Lines("refused")]);

        node.Establish(First).Lose(First);
        Assert.Equal(1, Lines("refused"));
    }

    /// <summary>An operator's own reload was four warnings and four flaps.</summary>
    [Fact]
    public void SessionThatTheAgentItselfRestarts_IsNotLost()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp();

        node.Give(new NodeEvent.SessionChanged(First, SessionState.Idle, "stopped: its options were changed") { Asked = true });

        Assert.Equal(0, node.State.Session(First)!.Flaps);
        var entry = Assert.Single(node.Effects.OfType<NodeEffect.Record>());
        Assert.Equal(TransitionKind.SessionReset, entry.Kind);
        Assert.EndsWith("stopped: its options were changed; 1 of 2 sessions remain", entry.Text, StringComparison.Ordinal);
        Assert.Equal(1, node.Establish(First).Lose(First).State.Session(First)!.Flaps);
    }

    [Fact]
    public void DialsThatGoOn_DoNotRestartTheTimeSinceTheLoss()
    {
        var node = new NodeUnderTest().Start(Shared).Establish(First).After(TimeSpan.FromSeconds(30)).Lose(First);
        var lost = node.State.Session(First)!.Since;

        node.After(TimeSpan.FromSeconds(5)).Give(new NodeEvent.SessionChanged(First, SessionState.Connect, "tries again"));
        node.After(TimeSpan.FromSeconds(5)).Give(new NodeEvent.SessionChanged(First, SessionState.Active, "refused"));
        Assert.Equal(lost, node.State.Session(First)!.Since);

        node.After(TimeSpan.FromSeconds(5)).Establish(First);
        Assert.Equal(lost.At + TimeSpan.FromSeconds(15), node.State.Session(First)!.Since.At);
    }

    [Fact]
    public void StopRequested_TellsTheSessionsFirst_AndSaysWhoAndWhere()
    {
        var node = new NodeUnderTest().Start(Shared).BothUp().Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.Equal(new NodeEffect.StopSessions("failoverhub-agent stopping: SIGTERM on node-a"), node.Effects[0]);
        Assert.Equal([TransitionKind.Stopping, TransitionKind.Withdrawn], node.Recorded);
        Assert.Null(node.Handed);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Stopping), node.Decision(Shared));

        node.Give(new NodeEvent.SessionChanged(First, SessionState.Idle, "stopped"));
        Assert.Equal(0, node.State.Session(First)!.Flaps);
        Assert.Empty(node.Recorded);
    }

    [Fact]
    public void StopRequestedTwice_IsOneStop()
    {
        var node = new NodeUnderTest().Start(Shared).Give(new NodeEvent.StopRequested("SIGTERM")).Give(new NodeEvent.StopRequested("SIGINT"));

        Assert.Empty(node.Effects);
    }
}
