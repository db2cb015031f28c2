using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

// Nothing is written behind output that waits, and nothing that waits is told as fact.
public sealed class WaitingOutputTests
{
    private static readonly OpenMessage _restarting =
        ScriptedNeighbor.Open with { Capabilities = [.. ScriptedNeighbor.Open.Capabilities, new Capability.GracefulRestart(true, true, 120, [])] };

    [Fact]
    public void ChangesWhileOutputWaits_GoOutWhenItIsTaken_AsOneStateAndNotAsAll()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4(Announcements.Primary));
        neighbor.Give(SessionInput.OutputBlocked.Instance);

        Assert.Empty(neighbor.Announce(Announcements.Ipv4(Announcements.Secondary)));
        Assert.Empty(neighbor.Announce());
        Assert.Empty(neighbor.Announce(Announcements.Ipv4(Announcements.Secondary), Announcements.Ipv6(Announcements.Secondary)));
        Assert.Empty(neighbor.Give(SessionInput.OutputProgress.Some));
        neighbor.Give(SessionInput.OutputProgress.All);

        var updates = neighbor.Sent<UpdateMessage>();
        Assert.Equal(2, updates.Count);
        Assert.All(updates, update => Assert.Equal([Announcements.Secondary], update.Attributes!.Communities));
        Assert.Equal(2, Assert.IsType<SessionEffect.AdvertisementsSent>(neighbor.Effects[^1]).Announced);
    }

    [Fact]
    public void ChangesThatCancelEachOther_LeaveNothingToSend_AndItIsToldAllTheSame()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Announce();
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Give(SessionInput.OutputProgress.All);

        Assert.IsType<SessionEffect.AdvertisementsSent>(Assert.Single(neighbor.Effects));
        Assert.Empty(neighbor.Give(SessionInput.OutputProgress.All));
    }

    [Fact]
    public void WhatWaits_IsNotCountedAsAnnouncedUntilItIsTaken()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());
        Assert.Equal(1, neighbor.Diagnostics.Announced);

        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Announce();
        Assert.Equal(1, neighbor.Diagnostics.Announced);
        neighbor.Give(SessionInput.OutputProgress.Some);
        Assert.Equal(1, neighbor.Diagnostics.Announced);
        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());
        neighbor.Give(SessionInput.OutputProgress.All);

        Assert.Equal(2, neighbor.Diagnostics.Announced);
    }

    [Fact]
    public void OutputWaitsBeforeEstablished_TheRoutesAndTheirEndComeWhenItIsTaken()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.AgentOptions with { GracefulRestartHelper = true });
        neighbor.Announce(Announcements.Ipv6());
        neighbor.InOpenConfirm(_restarting);
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Says(KeepaliveMessage.Instance);
        Assert.Empty(neighbor.Sent<UpdateMessage>());
        Assert.Empty(neighbor.Effects.OfType<SessionEffect.AdvertisementsSent>());
        Assert.Equal((SessionState.Established, 0), (neighbor.State, neighbor.Diagnostics.Announced));

        neighbor.Give(SessionInput.OutputProgress.All);

        // The route, then End-of-RIB for each family.
        Assert.Equal(3, neighbor.Sent<UpdateMessage>().Count);
        Assert.Single(neighbor.Effects.OfType<SessionEffect.AdvertisementsSent>());
        Assert.Equal(1, neighbor.Diagnostics.Announced);
    }

    [Fact]
    public void StopWhileOutputWaits_WithdrawsWhatWasWrittenAllTheSame()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv6());
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Announce();

        neighbor.Give(new SessionInput.Stop("maintenance"));

        Assert.Single(neighbor.Sent<UpdateMessage>());
        Assert.Single(neighbor.Sent<NotificationMessage>());
    }

    [Fact]
    public void ChangesThatWaited_AreForgottenWithTheConnection()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Announce(Announcements.Ipv4());
        neighbor.Give(new SessionInput.Disconnected("connection reset by the neighbor"));
        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        neighbor.Give(SessionInput.OutputBlocked.Instance);

        Assert.Empty(neighbor.Give(SessionInput.OutputProgress.All));
    }
}
