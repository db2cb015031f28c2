using CsCheck;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>A prefix that is lost by itself again and again is held back; nothing that is announced is ever withdrawn for it.</summary>
public sealed class DampingTests
{
    private static readonly DampingSettings _settings = new();
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public void ThreeFlapsInARow_AreFree()
    {
        var node = Started();

        for (var flap = 0; flap < 3; flap++)
        {
            Lose(node);
            Return(node);
            Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Shared));
        }
    }

    [Fact]
    public void FourthFlapInARow_IsHeldBack_AsUnhealthy_AndSaysSoOnce()
    {
        var node = FlapUntilDamped();

        Assert.Equal([TransitionKind.Withdrawn, TransitionKind.Damped], node.Recorded);
        var text = node.Effects.OfType<NodeEffect.Record>().Last().Text;
        Assert.Equal("203.0.113.10/32 damped, it was lost 4 times lately: it stays withdrawn for 1 min 57 s if it is steady, for 5 min 0 s at most, or until an operator's command: no interface has its address any more", text);

        Return(node);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Unhealthy), node.Decision(Shared));
        Assert.True(node.State.Prefixes[0] is { HeldBack: true, AddressPresent: true, Flaps.Suppression: not null });
        Assert.Empty(node.Effects);

        Lose(node);
        Assert.Empty(node.Effects);
    }

    [Fact]
    public void Steady_IsAnnouncedAgain_WhenThePenaltyHasDecayed()
    {
        var node = FlapUntilDamped();
        Return(node);
        var until = node.State.NextDeadline!.Value;
        Assert.Equal(1000, node.State.Prefixes[0].Flaps!.PenaltyAt(until, _settings), 0.001);

        node.After(until - _second - node.Now).Give(new NodeEvent.Tick());
        Assert.Empty(node.Effects);
        node.After(_second).Give(new NodeEvent.Tick());

        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Shared));
        Assert.Equal([TransitionKind.DampingEnded, TransitionKind.Announced], node.Recorded);
        Assert.Contains("no longer damped after 1 min 57 s: it was steady for long enough", node.Effects.OfType<NodeEffect.Record>().First().Text, StringComparison.Ordinal);
        Assert.Null(node.State.NextDeadline);
    }

    [Fact]
    public void UnsteadyAllTheTime_IsHeldBackForTheLongestTime_AndAtOnceAgainAfterTheNextFlap()
    {
        var node = FlapUntilDamped();
        var since = node.Now;
        while (node.Now < since + _settings.Longest - (3 * _second))
        {
            Return(node);
            Lose(node);
            Assert.NotNull(node.State.Prefixes[0].Flaps!.Suppression);
        }

        Return(node);
        Assert.Equal(since + _settings.Longest, node.State.NextDeadline);
        node.After(node.State.NextDeadline!.Value - node.Now).Give(new NodeEvent.Tick());
        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Shared));

        Lose(node);
        Return(node);
        Assert.True(node.State.Prefixes[0].HeldBack);
    }

    [Fact]
    public void EndedWhileTheAddressIsMissing_SaysSo_AndTheAddressIsAnnouncedAsSoonAsItIsBack()
    {
        var node = FlapUntilDamped();

        node.After(node.State.NextDeadline!.Value - node.Now).Give(new NodeEvent.Tick());
        Assert.Equal([TransitionKind.DampingEnded], node.Recorded);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.AddressMissing), node.Decision(Shared));
        Return(node);
        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Shared));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OperatorsCommand_ForgivesAtOnce(bool drained)
    {
        var role = drained ? Role.Primary : Role.Secondary;
        var node = FlapUntilDamped();
        Return(node);

        node.Keep(Intent(1, drained, new PrefixIntent(Shared, role)));

        Assert.Contains(TransitionKind.DampingEnded, node.Recorded);
        Assert.Equal("op-1", node.Effects.OfType<NodeEffect.Record>().Single(record => record.Kind == TransitionKind.DampingEnded).OperationId);
        Assert.Null(node.State.Prefixes[0].Flaps);
        AdvertisementDecision expected = drained ? new AdvertisementDecision.Withdraw(WithdrawnReason.Drained) : new AdvertisementDecision.Announce(Role.Secondary);
        Assert.Equal(expected, node.Decision(Shared));
    }

    [Fact]
    public void IntentAboutAnotherPrefix_ForgivesNothing()
    {
        var node = FlapUntilDamped();
        Return(node);

        node.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Primary), new PrefixIntent(Other, Role.Secondary)));

        Assert.True(node.State.Prefixes.Single(prefix => prefix.Prefix.Equals(Shared)).HeldBack);
    }

    [Fact]
    public void OperatorsDrainsAndUndrains_AreNoFlaps()
    {
        var node = Started();

        for (var revision = 1ul; revision <= 20; revision++)
        {
            node.After(_second).Keep(Intent(revision, drained: revision % 2 == 1));
            Assert.Null(node.State.Prefixes[0].Flaps);
        }

        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Shared));
    }

    [Fact]
    public void AddressThatComesAndGoesWhileDrained_IsNoFlap()
    {
        var node = Started().Keep(Intent(1, drained: true));

        for (var flap = 0; flap < 10; flap++)
        {
            Lose(node);
            Return(node);
        }

        Assert.Null(node.State.Prefixes[0].Flaps);
    }

    [Fact]
    public void SwitchedOff_NothingIsHeldBack()
    {
        var node = new NodeUnderTest(settings => settings with { Damping = null }).Start(Shared).BothUp();

        for (var flap = 0; flap < 20; flap++)
        {
            Lose(node);
            Return(node);
            Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Shared));
        }
    }

    [Fact]
    public void OtherPrefix_IsNotHeldBackWithIt()
    {
        var node = new NodeUnderTest(settings => settings).Start(Shared, Other).BothUp();

        for (var flap = 0; flap < 5; flap++)
        {
            node.After(_second).Give(new NodeEvent.AddressesChanged([Other]));
            node.After(_second).Give(new NodeEvent.AddressesChanged([Other, Shared]));
        }

        Assert.Equal(new AdvertisementDecision.Announce(Role.Primary), node.Decision(Other));
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Unhealthy), node.Decision(Shared));
    }

    [Fact]
    public void StoppedWhileDamped_IsAnOrdinaryStop()
    {
        var node = FlapUntilDamped().Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.IsType<NodeEffect.StopSessions>(node.Effects[0]);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Stopping), node.Decision(Shared));
    }

    /// <summary>
    /// Whatever the address does: the announcements are bounded, nothing announced is withdrawn while the address is there, and in the end,
    /// when the address stays, it is announced.
    /// </summary>
    [Fact]
    public void RandomFlaps_AnnouncementsAreBounded_AndInTheEndItIsAnnounced() =>
        Gen.Select(Gen.Int[0, 3].SelectMany(pace => Gen.Int[50, 200 * (int)Math.Pow(7, pace)].Array[1, 400]), Gen.Bool).Sample((waits, presentAtFirst) =>
        {
            var node = presentAtFirst ? Started() : new NodeUnderTest(settings => settings).Start().BothUp();
            var begin = node.Now;
            var present = presentAtFirst;
            var announcements = presentAtFirst ? 1 : 0;
            void Pass(TimeSpan time)
            {
                var at = node.Now + time;
                while (node.State.NextDeadline is { } deadline && deadline <= at)
                {
                    node.After(deadline - node.Now);
                    Count(() => node.Give(new NodeEvent.Tick()));
                    Assert.True(node.State.NextDeadline is null || node.State.NextDeadline > node.Now);
                }

                node.After(at - node.Now);
            }

            void Count(Action act)
            {
                var before = Announced(node);
                act();
                announcements += !before && Announced(node) ? 1 : 0;
                Assert.False(before && present && !Announced(node), "withdrawn although its address is there");
            }

            foreach (var wait in waits)
            {
                Pass(TimeSpan.FromMilliseconds(wait));
                present = !present;
                Count(() => node.Give(new NodeEvent.AddressesChanged(present ? [Shared] : [])));
            }

            // A flap that is not held back leaves at most 3000, of which ln 2 / 60 s decay each second: one flap in 28.8 s.
            var most = 5 + ((node.Now - begin).TotalSeconds / 28.8);
            Assert.True(announcements <= most, $"{announcements} announcements in {node.Now - begin}");

            if (!present)
            {
                present = true;
                Count(() => node.Give(new NodeEvent.AddressesChanged([Shared])));
            }

            Pass(_settings.Longest);
            Assert.True(Announced(node));
        });

    private static bool Announced(NodeUnderTest node) => node.State.Advertisements.Length > 0;

    private static NodeUnderTest Started() => new NodeUnderTest(settings => settings).Start(Shared).BothUp();

    private static void Lose(NodeUnderTest node) => node.After(_second).Give(new NodeEvent.AddressesChanged([]));

    private static void Return(NodeUnderTest node) => node.After(_second).Give(new NodeEvent.AddressesChanged([Shared]));

    // Ends with the loss that was one too many.
    private static NodeUnderTest FlapUntilDamped()
    {
        var node = Started();
        for (var flap = 0; flap < 3; flap++)
        {
            Lose(node);
            Return(node);
        }

        Lose(node);
        return node;
    }
}
