using CsCheck;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node.Holding;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>The rows of the failback: where a prefix stood, what happened, where it stands.</summary>
public sealed class FailbackTests
{
    private static readonly TimeSpan _now = TimeSpan.FromSeconds(1000);
    private static readonly FailbackOptions _afterStable = new() { Policy = FailbackPolicy.AfterStable, StableFor = TimeSpan.FromSeconds(60) };
    private static readonly FailbackStatus _counting = new(FailbackPhase.Held, "start", _now - TimeSpan.FromSeconds(10));
    private static readonly FailbackStatus _waiting = new(FailbackPhase.Held, "start");

    [Theory]
    [InlineData("immediate", nameof(FailbackPhase.Settled))]
    [InlineData("sticky", nameof(FailbackPhase.Settled))]
    [InlineData("manual", nameof(FailbackPhase.Held))]
    [InlineData("after-stable", nameof(FailbackPhase.Held))]
    public void WasHereAndReturns(string policy, string phase) =>
        Assert.Equal(phase, Failback.Next(FailbackStatus.Away, Facts(policy)).Phase.ToString());

    [Theory]
    [InlineData("immediate", nameof(FailbackPhase.Settled))]
    [InlineData("sticky", nameof(FailbackPhase.Settled))]
    [InlineData("manual", nameof(FailbackPhase.Settled))]
    [InlineData("after-stable", nameof(FailbackPhase.Held))]
    public void WasNeverHere_IsNoReturn_ButHasToProveItselfWhereThatIsThePolicy(string policy, string phase) =>
        Assert.Equal(phase, Failback.Next(FailbackStatus.Fresh, Facts(policy)).Phase.ToString());

    [Theory]
    [InlineData("immediate", nameof(FailbackPhase.Settled))]
    [InlineData("sticky", nameof(FailbackPhase.Settled))]
    [InlineData("manual", nameof(FailbackPhase.Held))]
    [InlineData("after-stable", nameof(FailbackPhase.Held))]
    public void SettledAndCutOff_HasToReturn(string policy, string phase) =>
        Assert.Equal(phase, Failback.Next(FailbackStatus.Settled, Facts(policy) with { Connected = false, Disconnected = true }).Phase.ToString());

    [Theory]
    [InlineData("immediate")]
    [InlineData("sticky")]
    [InlineData("manual")]
    [InlineData("after-stable")]
    public void Settled_StaysSo_UntilSomethingHappensToIt(string policy)
    {
        Assert.Equal(FailbackStatus.Settled, Failback.Next(FailbackStatus.Settled, Facts(policy)));

        // Not connected yet is not cut off: a start under manual has not been connected either.
        Assert.Equal(FailbackStatus.Settled, Failback.Next(FailbackStatus.Settled, Facts(policy) with { Connected = false }));
    }

    [Theory]
    [InlineData("immediate")]
    [InlineData("manual")]
    [InlineData("after-stable")]
    public void NotReady_IsAway_FromWhereverItWas_UnlessItNeverCouldBe(string policy)
    {
        var lost = Facts(policy) with { Ready = false };

        Assert.Equal(FailbackStatus.Fresh, Failback.Next(FailbackStatus.Fresh, lost));
        foreach (var before in new[] { FailbackStatus.Away, FailbackStatus.Settled, _counting, _waiting })
        {
            Assert.Equal(FailbackStatus.Away, Failback.Next(before, lost));
        }
    }

    [Theory]
    [InlineData("manual")]
    [InlineData("after-stable")]
    public void AnOperatorsWord_EndsEveryHold_ButNoneOfWhatIsMissing(string policy)
    {
        var released = Facts(policy) with { Released = true };

        foreach (var before in new[] { FailbackStatus.Fresh, FailbackStatus.Away, FailbackStatus.Settled, _counting, _waiting })
        {
            Assert.Equal(FailbackStatus.Settled, Failback.Next(before, released));
            Assert.NotEqual(FailbackPhase.Held, Failback.Next(before, released with { Ready = false }).Phase);
        }
    }

    [Fact]
    public void Counting_BeginsWithASession_AndAnewAfterEachBreak()
    {
        var held = Failback.Next(FailbackStatus.Away, Facts("after-stable") with { Connected = false });
        Assert.Null(held.StableSince);
        Assert.Equal(_now, Failback.Next(held, Facts("after-stable")).StableSince);

        Assert.Equal(_counting, Failback.Next(_counting, Facts("after-stable")));
        Assert.Null(Failback.Next(_counting, Facts("after-stable") with { Connected = false, Disconnected = true }).StableSince);
    }

    [Fact]
    public void Counting_EndsWhenItsTimeIsFull_AndNotBefore()
    {
        var full = _counting.StableSince!.Value + _afterStable.StableFor;

        Assert.Equal(full, _counting.ReleaseAt(_afterStable));
        Assert.True(Failback.Next(_counting, Facts("after-stable") with { Now = full - TimeSpan.FromTicks(1) }).IsHeld);
        Assert.Equal(FailbackStatus.Settled, Failback.Next(_counting, Facts("after-stable") with { Now = full }));
    }

    [Fact]
    public void PolicyChangedWhileHeld_TheNewOneDecides()
    {
        Assert.Equal(FailbackStatus.Settled, Failback.Next(_counting, Facts("immediate")));
        Assert.Equal(FailbackStatus.Settled, Failback.Next(_counting, Facts("sticky")));
        Assert.True(Failback.Next(_counting, Facts("manual") with { Now = _now + TimeSpan.FromDays(1) }).IsHeld);

        // What has been steady under manual counts.
        var steady = Failback.Next(_waiting, Facts("manual"));
        Assert.Null(steady.ReleaseAt(Facts("manual").Policy));
        Assert.Equal(FailbackStatus.Settled, Failback.Next(steady, Facts("after-stable") with { Now = _now + _afterStable.StableFor }));
        Assert.Equal(FailbackStatus.Settled, Failback.Next(_counting, Facts("after-stable") with { Policy = _afterStable with { StableFor = TimeSpan.FromSeconds(10) } }));
    }

    [Fact]
    public void Leaving_KeepsWhatWasHeld_AndCountsNothing()
    {
        var leaving = Facts("after-stable") with { Leaving = true };

        Assert.Equal(_waiting, Failback.Next(_counting, leaving));
        Assert.Equal(FailbackStatus.Settled, Failback.Next(FailbackStatus.Settled, leaving));
    }

    /// <summary>Random lives of a prefix: whoever is let go has been ready and connected for the whole time before, or an operator said so.</summary>
    [Fact]
    public void NobodyIsPrimaryBeforeItsTimeIsFull() =>
        Gen.Select(Gen.Bool.Select(manual => manual ? "manual" : "after-stable"), Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 50], Gen.Int[0, 30]).List[1, 60], Gen.Bool.Select(fresh => fresh ? FailbackStatus.Fresh : FailbackStatus.Away))
            .Sample((policy, life, first) =>
            {
                var (status, now, since, cutOff) = (first, _now, (TimeSpan?)null, false);
                foreach (var (health, network, word, seconds) in life)
                {
                    var (ready, connected) = (health > 0, network > 0);
                    now += TimeSpan.FromSeconds(seconds);
                    var disconnected = !connected && !cutOff;
                    cutOff = !connected;
                    since = ready && connected ? since ?? now : null;
                    var released = word == 0;
                    var before = status;
                    status = Failback.Next(status, Facts(policy) with { Ready = ready, Connected = connected, Disconnected = disconnected, Released = released, Now = now });

                    if (status.Phase == FailbackPhase.Settled && before.Phase != FailbackPhase.Settled && !released)
                    {
                        var isFirstStart = policy == "manual" && before.Phase == FailbackPhase.Fresh;
                        Assert.True(isFirstStart || (policy == "after-stable" && now - since >= _afterStable.StableFor), $"{before} became {status}");
                    }

                    Assert.False(status.IsHeld && !ready);
                    Assert.False(status.Phase == FailbackPhase.Settled && disconnected && before.Phase != FailbackPhase.Fresh && !released);
                }
            });

    private static FailbackFacts Facts(string policy)
    {
        Assert.True(FailbackPolicyWords.TryParse(policy, out var parsed));
        return new FailbackFacts(_afterStable with { Policy = parsed }, Ready: true, Connected: true, "start", _now);
    }
}
