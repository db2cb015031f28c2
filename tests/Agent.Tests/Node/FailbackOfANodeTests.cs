using System.Net;
using CsCheck;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>What a failback policy makes of a node: what is on the wire, what is recorded, what is kept.</summary>
public sealed class FailbackOfANodeTests
{
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);
    private static readonly AdvertisementDecision _primary = new AdvertisementDecision.Announce(Role.Primary);
    private static readonly AdvertisementDecision _secondary = new AdvertisementDecision.Announce(Role.Secondary);

    [Fact]
    public void Immediate_ByDefault_KeepsNothing_AndHoldsNothing()
    {
        var node = new NodeUnderTest(settings => settings).Start(Shared);

        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Empty(node.Effects.OfType<NodeEffect.PersistFailback>());
        node.BothUp().Lose(First).Lose(Second);
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void AfterStable_Start_IsSecondary_UntilTheMinuteIsOver()
    {
        var node = Node(FailbackPolicy.AfterStable, Shared).Start(Shared);
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal([TransitionKind.Started, TransitionKind.Announced, TransitionKind.FailbackHeld], node.Recorded);
        Assert.Equal("203.0.113.10/32 returned and is held back as secondary until it has been healthy and connected for 1 min 0 s without a break: start", node.Effects.OfType<NodeEffect.Record>().Last().Text);

        // Without a session nothing is proved.
        Assert.Null(node.State.NextDeadline);
        node.After(TimeSpan.FromHours(1)).Establish(First);
        Assert.Equal(node.Now + _minute, node.State.NextDeadline);

        node.After(_minute - TimeSpan.FromTicks(1)).Give(new NodeEvent.Tick());
        Assert.Equal(_secondary, node.Decision(Shared));
        node.After(TimeSpan.FromTicks(1)).Give(new NodeEvent.Tick());
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([TransitionKind.FailbackReleased, TransitionKind.RoleChanged], node.Recorded);
        Assert.Null(node.State.NextDeadline);
    }

    [Fact]
    public void AfterStable_OneSessionOfSeveralIsEnough_AndTheLastOneIsNot()
    {
        var node = Node(FailbackPolicy.AfterStable, Shared).Start(Shared).Establish(First).Establish(Second);
        node.After(_minute / 2).Lose(First);
        node.After(_minute / 2).Give(new NodeEvent.Tick());
        Assert.Equal(_primary, node.Decision(Shared));

        node.Lose(Second);
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Contains(TransitionKind.FailbackHeld, node.Recorded);
        node.Establish(First);
        node.After(_minute).Give(new NodeEvent.Tick());
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void AfterStable_SessionsLostWhileCounting_CountsAnew()
    {
        var node = Node(FailbackPolicy.AfterStable, Shared).Start(Shared).Establish(First);
        node.After(_minute - TimeSpan.FromSeconds(1)).Lose(First);
        Assert.Null(node.State.NextDeadline);
        node.After(TimeSpan.FromSeconds(1)).Establish(First);
        node.After(TimeSpan.FromSeconds(1)).Give(new NodeEvent.Tick());
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal(node.Now + _minute - TimeSpan.FromSeconds(1), node.State.NextDeadline);
    }

    [Fact]
    public void Manual_FirstStartEver_IsNoReturn_AndIsWrittenDown()
    {
        var node = Node(FailbackPolicy.Manual).Start(Shared);

        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([Shared], Assert.IsType<NodeEffect.PersistFailback>(node.Effects[0]).Memory.Prefixes.ToArray());
        Assert.IsType<NodeEffect.SetAdvertisements>(node.Effects[1]);
    }

    [Fact]
    public void Manual_EveryLaterStart_WaitsForAnOperator_HoweverLong()
    {
        var node = Node(FailbackPolicy.Manual, Shared).Start(Shared).BothUp().After(TimeSpan.FromDays(400)).Give(new NodeEvent.Tick());

        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Null(node.State.NextDeadline);
    }

    [Fact]
    public void MemoryCannotBeSaved_IsTriedAgainUntilItIs_AndSaidOnce()
    {
        var node = Node(FailbackPolicy.Manual).Start(Shared).Give(new NodeEvent.FailbackPersisted("no space left"));
        Assert.Contains("no space left", Assert.Single(node.Effects.OfType<NodeEffect.Log>()).Text, StringComparison.Ordinal);

        var retry = Assert.NotNull(node.State.NextDeadline);
        node.After(retry - node.Now).Give(new NodeEvent.Tick());
        Assert.Equal([Shared], Assert.IsType<NodeEffect.PersistFailback>(Assert.Single(node.Effects)).Memory.Prefixes.ToArray());
        Assert.Null(node.State.NextDeadline);

        node.Give(new NodeEvent.FailbackPersisted("no space left"));
        Assert.Empty(node.Effects);
        Assert.Equal(node.Now + TimeSpan.FromSeconds(30), node.State.NextDeadline);

        node.After(TimeSpan.FromSeconds(30)).Give(new NodeEvent.Tick()).Give(new NodeEvent.FailbackPersisted(null));
        Assert.Null(node.State.NextDeadline);
        Assert.Single(node.Effects.OfType<NodeEffect.Log>());
    }

    [Fact]
    public void MemoryLost_IsReadAsHavingBeenHere()
    {
        var node = Node(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }, FailbackMemory.None with { IsLost = true }).Start(Shared);

        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal([Shared], node.Effects.OfType<NodeEffect.PersistFailback>().Single().Memory.Prefixes.ToArray());
    }

    [Fact]
    public void NobodyCanTellWhetherItWasHere_IsHeld_AndTheEntryAndTheStatusSayWhy()
    {
        var node = Node(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }, FailbackMemory.None with { IsLost = true, Doubt = "nobody can tell" }).Start(Shared);

        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.EndsWith("until an operator fails back: start; nobody can tell", node.Effects.OfType<NodeEffect.Record>().Single(record => record.Kind == TransitionKind.FailbackHeld).Text, StringComparison.Ordinal);
        Assert.Contains("start; nobody can tell", Failback.Describe(node.State.Prefixes[0]), StringComparison.Ordinal);

        // What is known since the start is not in doubt.
        node.BothUp().Give(new NodeEvent.AddressesChanged([])).Give(new NodeEvent.AddressesChanged([Shared]));
        Assert.DoesNotContain("nobody can tell", Failback.Describe(node.State.Prefixes[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void PolicyThatHolds_IsKeptBeforeAnythingIsPrimary_SoThatTheNextStartKnowsThatNothingWas()
    {
        var node = Node(settings => settings with { DefaultRole = Role.Secondary, Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }).Start(Shared);

        Assert.Empty(node.Effects.OfType<NodeEffect.PersistFailback>().Single().Memory.Prefixes);
        Assert.Empty(node.Give(new NodeEvent.AddressesChanged([])).Effects.OfType<NodeEffect.PersistFailback>());
    }

    [Fact]
    public void AddressBack_IsAReturn()
    {
        var node = Node(FailbackPolicy.Manual).Start(Shared).BothUp().Give(new NodeEvent.AddressesChanged([]));
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.AddressMissing), node.Decision(Shared));

        node.Give(new NodeEvent.AddressesChanged([Shared]));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal([TransitionKind.Announced, TransitionKind.FailbackHeld], node.Recorded);
        Assert.Equal("it returned (its address is on an interface now) and waits until an operator fails back", Failback.Describe(node.State.Prefixes[0]));
    }

    [Theory]
    [InlineData(nameof(HealthConsequence.Withdraw))]
    [InlineData(nameof(HealthConsequence.Demote))]
    public void HealthBack_IsAReturn_WhetherItWasWithdrawnOrDemoted(string consequence)
    {
        var check = new CheckOptions { Name = "web", Probe = new ProbeOptions.Tcp("127.0.0.1", 80), Initial = InitialVerdict.Healthy, Consequence = Enum.Parse<HealthConsequence>(consequence) };
        var node = Node(settings => settings with { Checks = [check], Failback = new FailbackOptions { Policy = FailbackPolicy.AfterStable } }, With(Shared)).Start(Shared).BothUp();
        node.After(_minute / 2).Give(new NodeEvent.HealthChanged(check, Health.Unhealthy, "gone"));
        Assert.Null(node.State.FailbackEnd);

        node.After(_minute).Give(new NodeEvent.HealthChanged(check, Health.Healthy, "there"));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal(node.Now + _minute, node.State.FailbackEnd);
        node.After(_minute).Give(new NodeEvent.Tick());
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void WaitsForTheFirstVerdict_TheTimeCountsFromThatOn()
    {
        var check = new CheckOptions { Name = "web", Probe = new ProbeOptions.Tcp("127.0.0.1", 80) };
        var node = Node(settings => settings with { Checks = [check], Failback = new FailbackOptions { Policy = FailbackPolicy.AfterStable } }, With(Shared)).Start(Shared).BothUp();
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Unhealthy), node.Decision(Shared));

        node.After(_minute).Give(new NodeEvent.HealthChanged(check, Health.Healthy, "there"));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal(node.Now + _minute, node.State.FailbackEnd);
    }

    [Fact]
    public void PolicyReloadedWhileHeld_TheNewOneDecides()
    {
        var node = Node(FailbackPolicy.Manual, Shared).Start(Shared).BothUp().After(_minute);
        var settings = node.State.Settings;

        node.Give(Reloaded(settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.AfterStable, StableFor = 2 * _minute } }));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal(node.Now + _minute, node.State.NextDeadline);
        node.Give(Reloaded(settings with { Failback = new FailbackOptions() }));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void RoleReloaded_FromSecondaryToPrimary_IsAnOperatorsWord()
    {
        var node = Node(settings => settings with { DefaultRole = Role.Secondary, Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }, With(Shared)).Start(Shared).BothUp();

        node.Give(Reloaded(node.State.Settings with { DefaultRole = Role.Primary }));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void LostAgainWhileHeld_LeavesNoEntryOfARelease()
    {
        var node = Node(FailbackPolicy.AfterStable, Shared).Start(Shared).BothUp().Give(new NodeEvent.AddressesChanged([]));

        Assert.Equal([TransitionKind.Withdrawn], node.Recorded);
        Assert.Null(node.State.NextDeadline);
    }

    [Fact]
    public void Undrained_IsAReturn()
    {
        var node = Node(FailbackPolicy.AfterStable, Shared).Start(Shared).BothUp().After(_minute).Give(new NodeEvent.Tick());
        node.Keep(Intent(1, drained: true)).Keep(Intent(2));

        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal(node.Now + _minute, node.State.FailbackEnd);
    }

    [Fact]
    public void UndrainedBeforeAnythingWasWithdrawn_IsNone()
    {
        var node = Node(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual }, GracefulShutdown = TimeSpan.FromSeconds(10) }).Start(Shared).BothUp();
        node.Keep(Intent(1, drained: true));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary) { GracefulShutdown = true }, node.Decision(Shared));

        node.Keep(Intent(2));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void StoppedWhileHeld_LeavesAsWhatItWas()
    {
        var node = Node(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual }, GracefulShutdown = TimeSpan.FromSeconds(10) }, With(Shared)).Start(Shared).BothUp();

        node.Give(new NodeEvent.StopRequested("SIGTERM"));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary) { GracefulShutdown = true }, node.Decision(Shared));
        node.Give(new NodeEvent.StopRequested("SIGTERM", AtOnce: true));
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Stopping), node.Decision(Shared));
    }

    [Fact]
    public void IntentThatChangesTheRoleToPrimary_IsAnOperatorsWord()
    {
        var node = Node(FailbackPolicy.Manual, Shared).Start(Shared).BothUp();
        node.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Secondary)));
        Assert.Equal(_secondary, node.Decision(Shared));

        node.Keep(Intent(2, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void IntentThatSaysPrimaryAgain_ReleasesNothing_ButAtOnceDoes()
    {
        var node = Node(FailbackPolicy.Manual, Shared).Start(Shared).BothUp();
        node.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(_secondary, node.Decision(Shared));

        node.Keep(Intent(2, false, new PrefixIntent(Shared, Role.Primary) { AtOnce = true }));
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([TransitionKind.IntentAccepted, TransitionKind.FailbackReleased, TransitionKind.RoleChanged], node.Recorded);
        Assert.Equal("op-2", node.Effects.OfType<NodeEffect.Record>().Single(record => record.Kind == TransitionKind.FailbackReleased).OperationId);
    }

    [Fact]
    public void AtOnce_HoldsForItsMoment_NotForTheNextStart()
    {
        var stored = Intent(2, false, new PrefixIntent(Shared, Role.Primary) { AtOnce = true, FailbackPolicy = FailbackPolicy.Manual });
        var node = new NodeUnderTest(Role.Primary, stored).Remember(Shared).Start(Shared);

        Assert.Equal(_secondary, node.Decision(Shared));
    }

    [Fact]
    public void IntentNamesThePolicy_EachHalfOfItOverridesTheConfiguration()
    {
        var node = new NodeUnderTest(settings => settings).Start(Shared).BothUp();
        node.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = FailbackPolicy.AfterStable }));
        Assert.Equal(new FailbackOptions { Policy = FailbackPolicy.AfterStable, StableFor = _minute }, node.State.Prefixes[0].FailbackPolicy);
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([Shared], node.Effects.OfType<NodeEffect.PersistFailback>().Single().Memory.Prefixes.ToArray());

        node.Keep(Intent(2, false, new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = FailbackPolicy.AfterStable, StableFor = TimeSpan.FromSeconds(5) }));
        Assert.Equal(TimeSpan.FromSeconds(5), node.State.Prefixes[0].FailbackPolicy.StableFor);
        node.Lose(First).Lose(Second).Establish(First).After(TimeSpan.FromSeconds(4)).Give(new NodeEvent.Tick());
        Assert.Equal(_secondary, node.Decision(Shared));

        // Changed while it is held.
        node.Keep(Intent(3, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void PrefixOfItsOwnPolicy_IsHeld_WhileTheOtherIsNot()
    {
        var node = Node(
            settings => settings with { Announce = [new ConfiguredPrefix(Shared, null) { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }, new ConfiguredPrefix(Other, null)] },
            With(Shared, Other)).Start();

        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.Equal(_primary, node.Decision(Other));
    }

    [Fact]
    public void StoredIntentLost_TheHubsNextWord_IsNoRoleChange()
    {
        var node = Node(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }, With(Shared)).LoseIntent().Start(Shared).BothUp();
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.False(node.State.Prefixes[0].Failback.IsHeld);

        node.Keep(Intent(8, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.True(node.State.Prefixes[0].Failback.IsHeld);
    }

    [Fact]
    public void AssignedSecondary_IsNeverHeld()
    {
        var node = Node(settings => settings with { DefaultRole = Role.Secondary, Failback = new FailbackOptions { Policy = FailbackPolicy.Manual } }, With(Shared)).Start(Shared).BothUp();

        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.False(node.State.Prefixes[0].Failback.IsHeld);
    }

    [Fact]
    public void TenThousandPrefixesAndNothingThatHolds_SessionsThatComeAndGoDecideNothing()
    {
        var node = new NodeUnderTest(settings => settings).Start(Shared);

        node.Establish(First);
        Assert.Empty(node.Effects.OfType<NodeEffect.SetAdvertisements>());
        node.Lose(First);
        Assert.Empty(node.Effects.OfType<NodeEffect.SetAdvertisements>());
    }

    /// <summary>
    /// Random lives of a node with a policy that holds. Primary is on the wire only after its time was full, and a node with that policy has
    /// exactly the prefixes on the wire that one without it has.
    /// </summary>
    [Fact]
    public void RandomLives_NothingIsPrimaryTooEarly_AndNothingIsWithdrawnByAHold() =>
        Gen.Select(Gen.Bool.Select(manual => manual ? FailbackPolicy.Manual : FailbackPolicy.AfterStable), Gen.Select(Gen.Int[0, 7], Gen.Int[0, 40]).List[1, 80]).Sample((policy, life) =>
        {
            var held = Node(policy, Shared).Start(Shared);
            var free = Node(FailbackPolicy.Immediate).Start(Shared);
            var (revision, drained, since) = (0UL, false, (TimeSpan?)null);
            foreach (var (what, seconds) in life)
            {
                // The loop ticks when it is asked to.
                var until = held.Now + TimeSpan.FromSeconds(seconds);
                while (held.State.NextDeadline is { } deadline && deadline <= until)
                {
                    Both(node => node.After(deadline > node.Now ? deadline - node.Now : TimeSpan.Zero).Give(new NodeEvent.Tick()));
                    Judge();
                }

                Both(node => node.After(until - node.Now));
                switch (what)
                {
                    case 0:
                        Both(node => node.Give(new NodeEvent.AddressesChanged([])));
                        break;
                    case 1:
                        Both(node => node.Give(new NodeEvent.AddressesChanged([Shared])));
                        break;
                    case 2:
                        drained = !drained;
                        revision++;
                        Both(node => node.Keep(Intent(revision, drained)));
                        break;
                    case 3 or 4:
                        Both(node => node.Establish(what == 3 ? First : Second));
                        break;
                    case 5 or 6:
                        Both(node => node.Lose(what == 5 ? First : Second));
                        break;
                    default:
                        Both(node => node.Give(new NodeEvent.Tick()));
                        break;
                }

                Judge();
            }

            void Both(Action<NodeUnderTest> act)
            {
                act(held);
                act(free);
            }

            void Judge()
            {
                Assert.Equal(free.State.Advertisements.Length, held.State.Advertisements.Length);
                var stable = free.Decision(Shared) == _primary && held.State.EstablishedSessions > 0;
                since = stable ? since ?? held.Now : null;
                if (held.Decision(Shared) == _primary)
                {
                    Assert.Equal(FailbackPolicy.AfterStable, policy);
                    Assert.True(held.Now - since >= _minute);
                }
            }
        });

    private static NodeEvent.Reconfigured Reloaded(NodeSettings settings) => new(settings, [], "the configuration was read again");

    private static FailbackMemory With(params IPNetwork[] prefixes) => new([.. prefixes]);

    private static NodeUnderTest Node(FailbackPolicy policy, params IPNetwork[] remembered) =>
        Node(settings => settings with { Failback = new FailbackOptions { Policy = policy } }, With(remembered));

    private static NodeUnderTest Node(Func<NodeSettings, NodeSettings> with, FailbackMemory? memory = null) =>
        new NodeUnderTest(settings => with(settings with { Damping = null })).Remember(memory ?? FailbackMemory.None);
}
