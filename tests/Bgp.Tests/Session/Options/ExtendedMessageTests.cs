using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session.Options;

// RFC 8654.
public sealed class ExtendedMessageTests
{
    private static readonly SessionOptions _on = SessionPair.AgentOptions with { ExtendedMessages = true };

    private static readonly OpenMessage _openWith = ScriptedNeighbor.Open with { Capabilities = [.. ScriptedNeighbor.Open.Capabilities, Capability.ExtendedMessage.Instance] };

    [Fact]
    public void BothOffer_ManyPrefixesFillOneMessage()
    {
        var pair = SessionPair.Up(_on, SessionPair.RouterOptions with { ExtendedMessages = true });
        pair.Agent.Announce(Prefixes(5000));
        pair.Run(TimeSpan.FromSeconds(1));

        Assert.True(pair.Agent.Diagnostics.Negotiated!.ExtendedMessages);
        var update = Assert.Single(pair.Agent.Sent(BgpMessageType.Update));
        Assert.InRange(update.Length, 25_000, 65_535);
        Assert.Equal(1, pair.Agent.Diagnostics.Sent.Update);
        Assert.Equal(5000, Assert.Single(pair.Router.Seen<SessionEffect.RoutesReceived>()).Update.Announced.Length);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void OneDoesNotOffer_NoMessageIsLongerThan4096(bool weOffer, bool theyOffer)
    {
        var pair = SessionPair.Up(_on with { ExtendedMessages = weOffer }, SessionPair.RouterOptions with { ExtendedMessages = theyOffer });
        pair.Agent.Announce(Prefixes(5000));
        pair.Run(TimeSpan.FromSeconds(1));

        Assert.False(pair.Agent.Diagnostics.Negotiated!.ExtendedMessages);
        Assert.All(pair.Agent.Trace.Where(entry => entry.Type == BgpMessageType.Update), entry => Assert.InRange(entry.Length, 23, 4096));
        Assert.Equal(5000, pair.Router.Seen<SessionEffect.RoutesReceived>().Sum(routes => routes.Update.Announced.Length));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WeOffered_LongMessagesAreRead(bool theyOffered)
    {
        // RFC 8654 4: whoever has offered it is able to read it, and only that decides.
        var neighbor = new ScriptedNeighbor(_on).InEstablished(theyOffered ? _openWith : ScriptedNeighbor.Open);

        neighbor.Says(Withdrawing(5000));

        Assert.Equal(5000, Assert.Single(neighbor.Effects.OfType<SessionEffect.RoutesReceived>()).Update.Withdrawn.Length);
    }

    [Fact]
    public void WeDidNotOffer_LongMessageEndsTheSession()
    {
        var neighbor = new ScriptedNeighbor().InEstablished(_openWith);
        var message = Withdrawing(5000);

        neighbor.Says(message);

        Assert.Equal(message[16..18], neighbor.AssertFailsWith(NotificationCode.BadMessageLength).Data.ToArray());
    }

    [Fact]
    public void LongMessageBeforeTheOpen_EndsTheSession()
    {
        var neighbor = new ScriptedNeighbor(_on).InOpenSent();

        neighbor.Says(Withdrawing(5000));

        neighbor.AssertFailsWith(NotificationCode.BadMessageLength);
    }

    [Fact]
    public void NextConnectionWithoutIt_IsShortAgain()
    {
        var neighbor = new ScriptedNeighbor(_on).InOpenSent();
        neighbor.Says(new NotificationMessage(NotificationCode.UnsupportedOptionalParameter, default));
        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        neighbor.Says(ScriptedNeighbor.Open with { Capabilities = [] });
        neighbor.Says(KeepaliveMessage.Instance);

        neighbor.Says(Withdrawing(5000));

        neighbor.AssertFailsWith(NotificationCode.BadMessageLength);
    }

    private static Advertisement[] Prefixes(int count) =>
        [.. Enumerable.Range(0, count).Select(number => Announcements.Ipv4(prefix: $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}/32"))];

    private static byte[] Withdrawing(int count)
    {
        var update = new UpdateMessage { Withdrawn = [.. Prefixes(count).Select(advertisement => advertisement.Prefix)] };
        return Codec.Encode(update, Codec.Extended);
    }
}
