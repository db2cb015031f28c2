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
        (1, Gen.Const<SessionInput>(new SessionInput.ConnectFailed("no answer") { Unanswered = true })),
        (1, Gen.Const<SessionInput>(new SessionInput.Disconnected("connection closed by the neighbor"))),
        (4, Gen.Const<SessionInput>(new SessionInput.Tick())),
        (4, Says(ScriptedNeighbor.Open)),
        (4, Says(KeepaliveMessage.Instance)),
        (2, Generators.Message.Select(message => (SessionInput)new SessionInput.Received(Codec.Encode(message)))),
        (2, Gen.Byte.Array[0, 40].Select(bytes => (SessionInput)new SessionInput.Received(bytes))),
        (2, Gen.OneOf<SessionInput>(
            Gen.Const<SessionInput>(SessionInput.OutputBlocked.Instance),
            Gen.Const<SessionInput>(SessionInput.OutputProgress.Some),
            Gen.Const<SessionInput>(SessionInput.OutputProgress.All))),
        (2, Gen.Select(Gen.UShort[1, 3], Gen.Byte[1, 2], Gen.Byte[0, 3]).Select(
            (afi, safi, subtype) => (SessionInput)new SessionInput.Received(Codec.Encode(new RouteRefreshMessage(new AfiSafi(afi, safi), (RouteRefreshSubtype)subtype))))),
        (1, Gen.Byte.Array[0, 30].Select(data => (SessionInput)new SessionInput.Received(Codec.Encode(new NotificationMessage(NotificationCode.HardReset, data))))),
        (1, Gen.Const<SessionInput>(new SessionInput.SetAdvertisements([Announcements.Ipv4() with { Communities = [.. Enumerable.Repeat(Announcements.Primary, 256)] }]))),
        (2, Gen.OneOf(
            Gen.Const<Advertisement[]>([]),
            Gen.Const<Advertisement[]>([Announcements.Ipv4()]),
            Gen.Const<Advertisement[]>([Announcements.Ipv6(Announcements.Secondary), Announcements.Ipv4()]))
            .Select(all => (SessionInput)new SessionInput.SetAdvertisements([.. all]))));

    // A neighbor that offers everything, with and without a hold time.
    private static readonly OpenMessage Everything = ScriptedNeighbor.Open with
    {
        Capabilities =
        [
            .. ScriptedNeighbor.Open.Capabilities,
            Capability.ExtendedMessage.Instance,
            Capability.EnhancedRouteRefresh.Instance,
            new Capability.GracefulRestart(true, true, 120, []),
        ],
    };

    private static readonly Gen<SessionInput> AnyInputOfACapableNeighbor = Gen.Frequency(
        (10, AnyInput),
        (2, Says(Everything)),
        (1, Says(Everything with { HoldTimeSeconds = 0 })),
        (1, Says(Everything with { HoldTimeSeconds = 3 })));

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void AnyInputsInAnyOrder_KeepTheRules(bool passive, bool everythingOn)
    {
        var options = SessionPair.AgentOptions with
        {
            Passive = passive,
            HoldTime = new HoldTime((ushort)(everythingOn && passive ? 0 : 9)),
            ExtendedMessages = everythingOn,
            EnhancedRouteRefresh = everythingOn,
            GracefulRestartHelper = everythingOn,
        };
        Gen.Select(AnyStep, Gen.Double[0, 6]).Array[1, 60].Sample(steps => new Watched(options).Run(steps), iter: 2000);
        Gen.Select(PeacefulStep, Gen.OneOf(Gen.Double[0, 0.3], Gen.Double[0, 6])).Array[1, 60].Sample(steps => new Watched(options).Run(steps), iter: 4000);
    }

    // Null: whatever brings the session nearer to Established. By chance alone it is seldom there.
    private static readonly Gen<SessionInput?> Onward = Gen.Int[0, 0].Select(_ => (SessionInput?)null);

    private static readonly Gen<SessionInput?> AnyStep = Gen.Frequency((6, AnyInputOfACapableNeighbor.Select(input => (SessionInput?)input)), (2, Onward));

    // Nothing that a neighbor says ends the session, so that what is left over from one connection has the time to do harm in the next.
    private static readonly Gen<SessionInput?> PeacefulStep = Gen.Frequency(
        (6, Onward),
        (4, Gen.Const<SessionInput?>(new SessionInput.Tick())),
        (4, Says(KeepaliveMessage.Instance).Select(input => (SessionInput?)input)),
        (4, Says(new RouteRefreshMessage(new AfiSafi(1, 1))).Select(input => (SessionInput?)input)),
        (2, Gen.Const<SessionInput?>(SessionInput.OutputBlocked.Instance)),
        (1, Gen.Const<SessionInput?>(SessionInput.OutputProgress.Some)),
        (2, Gen.Const<SessionInput?>(SessionInput.OutputProgress.All)),
        (1, Gen.Const<SessionInput?>(new SessionInput.SetAdvertisements([Announcements.Ipv4(Announcements.Secondary)]))),
        (1, Gen.Const<SessionInput?>(new SessionInput.Disconnected("connection reset by the neighbor"))));

    private static Gen<SessionInput> Says(BgpMessage message) => Gen.Const<SessionInput>(new SessionInput.Received(Codec.Encode(message)));

    // A session of which everything that must always hold is asked after every step.
    private sealed class Watched(SessionOptions options)
    {
        private readonly BgpSession _session = new(options, new Random(3));
        private TimeSpan _now;
        private bool _connected;

        public void Run((SessionInput? Input, double Wait)[] steps)
        {
            foreach (var (input, wait) in steps)
            {
                _now += TimeSpan.FromSeconds(wait);
                if (input is null)
                {
                    Onward();
                }
                else
                {
                    Give(input);
                }
            }
        }

        private void Onward() => Give(_session.State switch
        {
            SessionState.Idle => new SessionInput.Start(),
            SessionState.OpenSent => new SessionInput.Received(Codec.Encode(Everything)),
            SessionState.OpenConfirm => new SessionInput.Received(Codec.Encode(KeepaliveMessage.Instance)),
            SessionState.Connect or SessionState.Active when !_connected => new SessionInput.Connected(System.Net.IPAddress.IPv6Loopback, System.Net.IPAddress.IPv6Loopback),
            _ => new SessionInput.Tick(),
        });

        private void Give(SessionInput input)
        {
            // What the owner does: a connection is only reported where there is none, and a loss or bytes only where there is one.
            if (!((input is SessionInput.Connected && _connected) || (input is SessionInput.Disconnected or SessionInput.Received && !_connected)))
            {
                Handle(input);
                AssertAlive(input);
                AssertBounded();
            }
        }

        private void Handle(SessionInput input)
        {
            _connected = (_connected || input is SessionInput.Connected) && input is not SessionInput.Disconnected;
            var state = _session.State;
            IReadOnlyList<SessionEffect> effects;
            try
            {
                effects = _session.Handle(input, _now);
            }
            catch (ArgumentException) when (input is SessionInput.SetAdvertisements)
            {
                // The only exception there is; nothing has changed.
                Assert.Equal(state, _session.State);
                return;
            }

            foreach (var effect in effects)
            {
                switch (effect)
                {
                    case SessionEffect.Send send:
                        Assert.True(_connected, "sends without a connection");
                        Assert.All(Codec.DecodeAll(send.Bytes.Span), message => Assert.Equal(send.Type, message.Message.Type));
                        break;
                    case SessionEffect.Close:
                        Assert.True(_connected, "closes what is not open");
                        _connected = false;
                        break;
                    case SessionEffect.StateChanged changed:
                        Assert.Equal(state, changed.From);
                        Assert.NotEqual(state, changed.To);
                        state = changed.To;
                        break;
                    case SessionEffect.Dial or SessionEffect.AbandonDial:
                        Assert.False(options.Passive);
                        Assert.False(_connected);
                        break;
                }
            }

            Assert.Equal(state, _session.State);
            Assert.Equal(_connected, _session.State >= SessionState.OpenSent);
        }

        // It never falls asleep: only a stopped session, a passive one that waits to be dialled, and one that has agreed on no hold time have nothing to wait for.
        private void AssertAlive(SessionInput input)
        {
            var diagnostics = _session.Diagnostics;
            var mayWaitForEver = _session.State switch
            {
                SessionState.Idle => diagnostics.Since is null || diagnostics.Reason.StartsWith("stopped", StringComparison.Ordinal),
                SessionState.Active => options.Passive,
                SessionState.Established => diagnostics.Negotiated!.HoldTime.IsZero,
                _ => false,
            };
            Assert.Equal(mayWaitForEver, _session.NextDeadline is null || (_session.State == SessionState.Established && mayWaitForEver));
            Assert.True(_session.NextDeadline is null || input is not SessionInput.Tick || _session.NextDeadline > _now, "a deadline that is never met");
            Assert.True(_session.NextDeadline is null || _session.NextDeadline <= _now + TimeSpan.FromMinutes(4), "a deadline that is too far away");
        }

        private void AssertBounded()
        {
            var trace = _session.ReadTrace();
            Assert.InRange(trace.Length, 0, 200);
            Assert.InRange(trace.Sum(entry => entry.Body.Length), 0, 256 * 1024);
            Assert.All(trace, entry => Assert.InRange(entry.LastAt, entry.At, _now));
        }
    }
}
