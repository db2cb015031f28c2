using CsCheck;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session;

// Whatever happens in whatever order: no exception, and what must always hold does.
public sealed class RandomSessionTests
{
    private static readonly Gen<SessionInput> AnyInput = Gen.Frequency(
        (2, Gen.Const<SessionInput>(new SessionInput.Start())),
        (1, Gen.String[0, 400].Select(text => (SessionInput)new SessionInput.Stop(text))),
        (4, Gen.Const<SessionInput>(new SessionInput.Connected(System.Net.IPAddress.IPv6Loopback, System.Net.IPAddress.IPv6Loopback))),
        (1, Gen.Const<SessionInput>(new SessionInput.ConnectFailed("connection refused"))),
        (1, Gen.Const<SessionInput>(new SessionInput.Disconnected("connection closed by the neighbor"))),
        (4, Gen.Const<SessionInput>(new SessionInput.Tick())),
        (4, Says(ScriptedNeighbor.Open)),
        (4, Says(KeepaliveMessage.Instance)),
        (2, Generators.Message.Select(message => (SessionInput)new SessionInput.Received(Codec.Encode(message)))),
        (2, Gen.Byte.Array[0, 40].Select(bytes => (SessionInput)new SessionInput.Received(bytes))),
        (2, Gen.OneOf(
            Gen.Const<Advertisement[]>([]),
            Gen.Const<Advertisement[]>([Announcements.Ipv4()]),
            Gen.Const<Advertisement[]>([Announcements.Ipv6(Announcements.Secondary), Announcements.Ipv4()]))
            .Select(all => (SessionInput)new SessionInput.SetAdvertisements([.. all]))));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnyInputsInAnyOrder_KeepTheRules(bool passive)
    {
        var options = SessionPair.AgentOptions with { Passive = passive };
        Gen.Select(AnyInput, Gen.Double[0, 6]).Array[1, 60].Sample(
            steps =>
            {
                var session = new BgpSession(options, new Random(3));
                var now = TimeSpan.Zero;
                var connected = false;
                foreach (var (input, wait) in steps)
                {
                    now += TimeSpan.FromSeconds(wait);
                    // What the owner does: a connection is only reported where there is none, and a loss only where there is one.
                    if ((input is SessionInput.Connected && connected) || (input is SessionInput.Disconnected or SessionInput.Received && !connected))
                    {
                        continue;
                    }

                    connected = (connected || input is SessionInput.Connected) && input is not SessionInput.Disconnected;
                    var state = session.State;
                    foreach (var effect in session.Handle(input, now))
                    {
                        switch (effect)
                        {
                            case SessionEffect.Send send:
                                Assert.True(connected, "sends without a connection");
                                Assert.All(Codec.DecodeAll(send.Bytes.Span), message => Assert.Equal(send.Type, message.Message.Type));
                                break;
                            case SessionEffect.Close:
                                Assert.True(connected, "closes what is not open");
                                connected = false;
                                break;
                            case SessionEffect.StateChanged changed:
                                Assert.Equal(state, changed.From);
                                Assert.NotEqual(state, changed.To);
                                state = changed.To;
                                break;
                            case SessionEffect.Dial or SessionEffect.AbandonDial:
                                Assert.False(passive);
                                Assert.False(connected);
                                break;
                        }
                    }

                    Assert.Equal(state, session.State);
                    Assert.Equal(connected, session.State >= SessionState.OpenSent);
                    // It never falls asleep: only a stopped session, or a passive one that waits to be dialled, has nothing to wait for.
                    Assert.True(
                        session.NextDeadline is not null || session.State is SessionState.Idle || passive || session.State is SessionState.Established,
                        $"no deadline in {session.State}");
                    Assert.True(session.NextDeadline is null || input is not SessionInput.Tick || session.NextDeadline > now, "a deadline that is never met");
                }
            },
            iter: 4000);
    }

    private static Gen<SessionInput> Says(BgpMessage message) => Gen.Const<SessionInput>(new SessionInput.Received(Codec.Encode(message)));
}
