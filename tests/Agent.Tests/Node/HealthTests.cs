using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using Microsoft.Extensions.Logging;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>What verdicts of health checks do to the announcements.</summary>
public sealed class HealthTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly AdvertisementDecision _primary = new AdvertisementDecision.Announce(Role.Primary);
    private static readonly AdvertisementDecision _secondary = new AdvertisementDecision.Announce(Role.Secondary);
    private static readonly AdvertisementDecision _unhealthy = new AdvertisementDecision.Withdraw(WithdrawnReason.Unhealthy);

    [Fact]
    public void Start_AnnouncesNothing_BeforeTheFirstVerdict_AndSaysThatItWaits()
    {
        var node = With(Check("web")).Start(Shared);

        Assert.Equal(_unhealthy, node.Decision(Shared));
        Assert.True(node.State.Prefixes[0] is { AwaitsVerdict: true, Health: Health.Unknown });
        Assert.Contains(node.Effects.OfType<NodeEffect.Log>(), log => log.Text == "203.0.113.10/32 is not announced (it waits for the first verdict of its checks): start");

        node.BothUp().Give(Healthy(Check("web")));

        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([TransitionKind.HealthChanged, TransitionKind.Announced], node.Recorded);
        Assert.Equal("check web (tcp 127.0.0.1:80) is healthy: connected; 1 prefix announced as primary", node.Effects.OfType<NodeEffect.Record>().First().Text);
        Assert.True(node.State.Prefixes[0] is { AwaitsVerdict: false, Health: Health.Healthy });
    }

    [Theory]
    [InlineData(nameof(InitialVerdict.Healthy), nameof(HealthConsequence.Withdraw), "primary")]
    [InlineData(nameof(InitialVerdict.Unhealthy), nameof(HealthConsequence.Withdraw), null)]
    [InlineData(nameof(InitialVerdict.Unhealthy), nameof(HealthConsequence.Demote), "secondary")]
    [InlineData(nameof(InitialVerdict.Hold), nameof(HealthConsequence.Demote), null)]
    public void Start_AnnouncesBeforeTheFirstVerdict_AsItIsToldTo(string initial, string consequence, string? role)
    {
        var node = With(Check("web") with { Initial = Enum.Parse<InitialVerdict>(initial), Consequence = Enum.Parse<HealthConsequence>(consequence) }).Start(Shared);

        Assert.Equal(role, (node.Decision(Shared) as AdvertisementDecision.Announce)?.Role.Word());
    }

    [Fact]
    public void Unhealthy_Withdraws_WithTheCause_AndHealthyAgain_Announces()
    {
        var node = Announcing();

        node.Give(Unhealthy(Check("web"), "connection refused, 3 times in a row"));
        Assert.Equal(_unhealthy, node.Decision(Shared));
        Assert.Empty(node.Handed!.Value);
        var records = node.Effects.OfType<NodeEffect.Record>().ToList();
        Assert.Equal([TransitionKind.HealthChanged, TransitionKind.Withdrawn], records.Select(record => record.Kind));
        Assert.Equal("check web (tcp 127.0.0.1:80) is unhealthy: connection refused, 3 times in a row; 1 prefix withdrawn", records[0].Text);
        Assert.Equal(LogLevel.Warning, records[0].Level);
        Assert.Equal("203.0.113.10/32 withdrawn (unhealthy), it was announced as primary on 2 sessions: check web is unhealthy: connection refused, 3 times in a row", records[1].Text);

        node.Give(Healthy(Check("web")));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void SameVerdictAgain_ChangesNothing()
    {
        var node = Announcing();

        node.Give(Healthy(Check("web")));

        Assert.Empty(node.Effects);
    }

    [Fact]
    public void Demote_AnnouncesAsSecondary_OnTheLiveSession()
    {
        var check = Check("disk") with { Consequence = HealthConsequence.Demote };
        var node = With(check).Start(Shared).BothUp().Give(Healthy(check));

        node.Give(Unhealthy(check, "full"));
        Assert.Equal(_secondary, node.Decision(Shared));
        Assert.True(node.State.Prefixes[0] is { Demoted: true, Health: Health.Unhealthy });
        Assert.Equal([TransitionKind.HealthChanged, TransitionKind.RoleChanged], node.Recorded);
        Assert.Contains("1 prefix announced as secondary", node.Effects.OfType<NodeEffect.Record>().First().Text, StringComparison.Ordinal);
        Assert.Single(node.Handed!.Value);

        node.Give(Healthy(check));
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.False(node.State.Prefixes[0].Demoted);
    }

    [Fact]
    public void AnyCheckUnhealthy_IsUnhealthy_AndWithdrawingComesBeforeDemoting()
    {
        var web = Check("web");
        var disk = Check("disk") with { Consequence = HealthConsequence.Demote };
        var node = With(web, disk).Start(Shared).BothUp().Give(Healthy(web));
        Assert.Equal(_unhealthy, node.Decision(Shared));
        node.Give(Healthy(disk));
        Assert.Equal(_primary, node.Decision(Shared));

        node.Give(Unhealthy(disk, "full"));
        Assert.Equal(_secondary, node.Decision(Shared));
        node.Give(Unhealthy(web, "refused"));
        Assert.Equal(_unhealthy, node.Decision(Shared));
        node.Give(Healthy(disk));
        Assert.Equal(_unhealthy, node.Decision(Shared));
        node.Give(Healthy(web));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void CheckOfOnePrefix_LeavesTheOthersAlone()
    {
        var check = Check("web") with { Prefixes = [Shared] };
        var node = With(check).Start(Shared, Other).BothUp();
        Assert.Equal(_primary, node.Decision(Other));
        Assert.Equal(Health.Unknown, node.State.Prefixes.Single(prefix => prefix.Prefix.Equals(Other)).Health);

        node.Give(Healthy(check)).Give(Unhealthy(check, "refused"));

        Assert.Equal(_unhealthy, node.Decision(Shared));
        Assert.Equal(_primary, node.Decision(Other));
        Assert.Equal("203.0.113.10/32", node.Effects.OfType<NodeEffect.Record>().First().Prefix);
    }

    [Fact]
    public void OperatorsReason_ComesBeforeTheHealth()
    {
        var node = Announcing().Give(Unhealthy(Check("web"), "refused")).Keep(Intent(1, drained: true));

        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.Drained), node.Decision(Shared));
        node.Give(Healthy(Check("web")));
        Assert.Equal("check web (tcp 127.0.0.1:80) is healthy: connected; nothing that is announced changes", node.Effects.OfType<NodeEffect.Record>().First().Text);
    }

    [Fact]
    public void VerdictOfACheckThatIsNoMore_IsNotTaken()
    {
        var node = Announcing();

        node.Give(Unhealthy(Check("other"), "refused"));
        node.Give(Unhealthy(Check("web") with { Probe = new ProbeOptions.Tcp("127.0.0.1", 8080) }, "refused"));

        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Empty(node.Effects);
    }

    [Fact]
    public void CheckThatIsNewWhileAnnounced_TakesNothingBack_BeforeItsVerdict()
    {
        var node = Announcing();
        var added = Check("disk");
        node.Reconfigure(settings => settings with { Checks = [Check("web"), added] });

        Assert.Equal(_primary, node.Decision(Shared));
        node.Give(Unhealthy(added, "full"));
        Assert.Equal(_unhealthy, node.Decision(Shared));
    }

    [Fact]
    public void Reconfigured_KeepsTheVerdictOfWhatIsProbedStill_AndForgetsTheOthers()
    {
        var web = Check("web");
        var disk = Check("disk");
        var node = With(web, disk).Start(Shared).BothUp().Give(Healthy(web)).Give(Unhealthy(disk, "full"));

        node.Reconfigure(settings => settings with { Checks = [web with { Rise = 7 }, disk with { Probe = new ProbeOptions.Process("nginx", null) }] });

        Assert.Equal(["web"], node.State.Verdicts.Keys);
    }

    [Fact]
    public void FlappingCheck_IsHeldBack_AsAnAddressThatFlaps()
    {
        var node = Announcing();
        for (var flap = 0; flap < 4; flap++)
        {
            node.After(_second).Give(Unhealthy(Check("web"), "refused"));
            Assert.Equal(_unhealthy, node.Decision(Shared));
            node.After(_second).Give(Healthy(Check("web")));
        }

        Assert.Equal(_unhealthy, node.Decision(Shared));
        Assert.True(node.State.Prefixes[0] is { HeldBack: true, Flaps.Suppression: not null, Health: Health.Healthy });

        node.After(node.State.NextDeadline!.Value - node.Now).Give(new NodeEvent.Tick());
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([TransitionKind.DampingEnded, TransitionKind.Announced], node.Recorded);
    }

    [Fact]
    public void FlappingCheckThatDemotes_IsHeldBackAsSecondary_AndNothingIsWithdrawn()
    {
        var check = Check("disk") with { Consequence = HealthConsequence.Demote };
        var node = With(check).Start(Shared).BothUp().Give(Healthy(check));
        for (var flap = 0; flap < 4; flap++)
        {
            node.After(_second).Give(Unhealthy(check, "full"));
            Assert.Equal(_secondary, node.Decision(Shared));
            if (flap == 3)
            {
                Assert.Contains("it stays announced as secondary for 1 min 5", node.Effects.OfType<NodeEffect.Record>().Single(record => record.Kind == TransitionKind.Damped).Text, StringComparison.Ordinal);
            }

            node.After(_second).Give(Healthy(check));
            Assert.Equal(flap < 3 ? _primary : _secondary, node.Decision(Shared));
        }

        Assert.True(node.State.Prefixes[0] is { HeldBack: true, Demoted: true });
        var penalty = node.State.Prefixes[0].Flaps!.Flaps;
        node.After(_second).Give(Unhealthy(check, "full"));
        Assert.Equal(penalty + 1, node.State.Prefixes[0].Flaps!.Flaps);
        node.After(_second).Give(Healthy(check));

        node.After(node.State.NextDeadline!.Value - node.Now).Give(new NodeEvent.Tick());
        Assert.Equal(_primary, node.Decision(Shared));
        Assert.Equal([TransitionKind.DampingEnded, TransitionKind.RoleChanged], node.Recorded);
    }

    [Fact]
    public void UnhealthyForLong_IsOneFlap()
    {
        var node = Announcing().After(_second).Give(Unhealthy(Check("web"), "refused"));

        Assert.Equal(1, node.State.Prefixes[0].Flaps!.Flaps);
        node.After(TimeSpan.FromHours(1)).Give(Healthy(Check("web")));
        Assert.Equal(_primary, node.Decision(Shared));
    }

    [Fact]
    public void LeavingWhileDemoted_IsAnnouncedAsSecondary_WithGracefulShutdown()
    {
        var check = Check("disk") with { Consequence = HealthConsequence.Demote };
        var node = new NodeUnderTest(settings => settings with { Checks = [check], GracefulShutdown = TimeSpan.FromSeconds(20) })
            .Start(Shared).BothUp().Give(Healthy(check)).Give(Unhealthy(check, "full"));

        node.Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary) { GracefulShutdown = true }, node.Decision(Shared));
    }

    [Fact]
    public void NodesHealth_IsTheWorstOfItsChecks()
    {
        var node = With(Check("web"), Check("disk")).Start(Shared);
        Assert.Equal(Health.Unknown, HealthVerdicts.Of(node.State));
        node.Give(Healthy(Check("web"))).Give(Healthy(Check("disk")));
        Assert.Equal(Health.Healthy, HealthVerdicts.Of(node.State));
        node.Give(Unhealthy(Check("disk"), "full"));
        Assert.Equal(Health.Unhealthy, HealthVerdicts.Of(node.State));
        Assert.Equal(Health.Unknown, HealthVerdicts.Of(new NodeUnderTest().Start(Shared).State));
    }

    private static NodeUnderTest Announcing() => With(Check("web")).Start(Shared).BothUp().Give(Healthy(Check("web")));

    private static NodeUnderTest With(params CheckOptions[] checks) => new(settings => settings with { Checks = [.. checks] });

    private static CheckOptions Check(string name) => new() { Name = name, Probe = new ProbeOptions.Tcp("127.0.0.1", 80) };

    private static NodeEvent.HealthChanged Healthy(CheckOptions check) => new(check, Health.Healthy, "connected");

    private static NodeEvent.HealthChanged Unhealthy(CheckOptions check, string text) => new(check, Health.Unhealthy, text);
}
