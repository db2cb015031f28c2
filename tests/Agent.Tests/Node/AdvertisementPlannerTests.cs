using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>A test per row of the table.</summary>
public sealed class AdvertisementPlannerTests
{
    private static readonly AdvertisementFacts _ready = new(Stopping: false, Drained: false, AddressPresent: true, Role.Primary, Health.Healthy);

    [Fact]
    public void PrimaryAssigned_AnnouncesAsPrimary() =>
        Assert.Equal(Announce(Role.Primary), AdvertisementPlanner.Decide(_ready));

    [Fact]
    public void SecondaryAssigned_AnnouncesAsSecondary() =>
        Assert.Equal(Announce(Role.Secondary), AdvertisementPlanner.Decide(_ready with { Assigned = Role.Secondary }));

    [Fact]
    public void HealthUnknown_ChangesNothing() =>
        Assert.Equal(Announce(Role.Primary), AdvertisementPlanner.Decide(_ready with { Health = Health.Unknown }));

    [Fact]
    public void Unhealthy_Withdraws() =>
        Assert.Equal(Withdraw(WithdrawnReason.Unhealthy), AdvertisementPlanner.Decide(_ready with { Health = Health.Unhealthy }));

    [Fact]
    public void NoRole_Withdraws_AsNotAssigned() =>
        Assert.Equal(Withdraw(WithdrawnReason.NotAssigned), AdvertisementPlanner.Decide(_ready with { Assigned = null }));

    [Fact]
    public void AddressMissing_Withdraws_WhateverElseIsAmiss() =>
        Assert.Equal(Withdraw(WithdrawnReason.AddressMissing), AdvertisementPlanner.Decide(_ready with { AddressPresent = false, Assigned = null, Health = Health.Unhealthy }));

    [Fact]
    public void Drained_Withdraws_AndNamesTheOperatorsReasonFirst() =>
        Assert.Equal(Withdraw(WithdrawnReason.Drained), AdvertisementPlanner.Decide(_ready with { Drained = true, AddressPresent = false, Assigned = null }));

    [Fact]
    public void Stopping_Withdraws_BeforeEverything() =>
        Assert.Equal(Withdraw(WithdrawnReason.Stopping), AdvertisementPlanner.Decide(_ready with { Stopping = true, Drained = true, AddressPresent = false }));

    [Fact]
    public void Damped_Withdraws_AsUnhealthy() =>
        Assert.Equal(Withdraw(WithdrawnReason.Unhealthy), AdvertisementPlanner.Decide(_ready with { Damped = true }));

    [Fact]
    public void Damped_NamesWhatIsReallyMissingFirst() =>
        Assert.Equal(Withdraw(WithdrawnReason.AddressMissing), AdvertisementPlanner.Decide(_ready with { Damped = true, AddressPresent = false }));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Leaving_AnnouncesInItsRole_WithGracefulShutdown(bool drained) =>
        Assert.Equal(Announce(Role.Primary) with { GracefulShutdown = true }, AdvertisementPlanner.Decide(_ready with { Drained = drained, Leaving = true }));

    [Fact]
    public void Leaving_ButLost_Withdraws()
    {
        var leaving = _ready with { Drained = true, Leaving = true };

        Assert.Equal(Withdraw(WithdrawnReason.Drained), AdvertisementPlanner.Decide(leaving with { AddressPresent = false }));
        Assert.Equal(Withdraw(WithdrawnReason.Drained), AdvertisementPlanner.Decide(leaving with { Assigned = null }));
        Assert.Equal(Withdraw(WithdrawnReason.Drained), AdvertisementPlanner.Decide(leaving with { Health = Health.Unhealthy }));
    }

    [Fact]
    public void AwaitsVerdict_Withdraws_AsUnhealthy() =>
        Assert.Equal(Withdraw(WithdrawnReason.Unhealthy), AdvertisementPlanner.Decide(_ready with { Health = Health.Unknown, AwaitsVerdict = true }));

    [Fact]
    public void UnhealthyThatOnlyDemotes_AnnouncesAsSecondary() =>
        Assert.Equal(Announce(Role.Secondary), AdvertisementPlanner.Decide(_ready with { Health = Health.Unhealthy, OnlyDemotes = true }));

    [Fact]
    public void StaysDemoted_AnnouncesAsSecondary() =>
        Assert.Equal(Announce(Role.Secondary), AdvertisementPlanner.Decide(_ready with { StaysDemoted = true }));

    [Fact]
    public void EveryCombination_AnnouncesOnlyWhenNothingSpeaksAgainstIt()
    {
        foreach (var (stopping, drained, present, leaving, damped) in from a in Both() from b in Both() from c in Both() from d in Both() from e in Both() select (a, b, c, d, e))
        {
            foreach (var role in new Role?[] { null, Role.Primary, Role.Secondary })
            {
                foreach (var health in Enum.GetValues<Health>())
                {
                    var decision = AdvertisementPlanner.Decide(new AdvertisementFacts(stopping, drained, present, role, health) { Leaving = leaving, Damped = damped });

                    var able = !stopping && present && role is not null && health != Health.Unhealthy;
                    var expected = able && (leaving || (!drained && !damped));
                    Assert.Equal(expected, decision is AdvertisementDecision.Announce);
                    Assert.Equal(expected && leaving, decision is AdvertisementDecision.Announce { GracefulShutdown: true });
                }
            }
        }
    }

    private static bool[] Both() => [false, true];

    private static AdvertisementDecision.Announce Announce(Role role) => new(role);

    private static AdvertisementDecision.Withdraw Withdraw(WithdrawnReason reason) => new(reason);
}
