using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Wire;
using static FailoverHub.Fuzz.CodecTarget;

namespace FailoverHub.Fuzz;

// A whole session whose neighbor says what the input says, after a handshake that is right or instead of one. The input is a list of   what (1) | length (1) | octets.
// A session never throws, whatever it hears; it sends only whole messages that a neighbor could read; its next deadline lies ahead; what it keeps for
// the operator can be read.
internal sealed class SessionTarget
{
    private const int MaxConnections = 6;
    private const int MaxSteps = 200;

    private readonly BgpSession _session;
    private readonly SessionOptions _neighbor;
    private readonly bool _capabilities;
    private readonly bool _handshake;
    private readonly IPAddress _local;
    private readonly IPAddress _remote;
    private readonly UpdateContext _sent;
    private readonly MessageFramer _output = new();
    private TimeSpan _now;
    private bool _dials;
    private bool _connected;
    private int _connections;

    public SessionTarget(byte options, byte more)
    {
        var same = (options & 2) != 0;
        var ours = new SessionOptions
        {
            LocalAs = 65001,
            PeerAs = same ? 65001u : 65000,
            RouterId = new RouterId(1),
            ExtendedMessages = (options & 4) != 0,
            EnhancedRouteRefresh = (options & 8) != 0,
            GracefulRestartHelper = (options & 16) != 0,
            Passive = (options & 32) != 0,
            HoldTime = new HoldTime((options & 64) != 0 ? (ushort)0 : (ushort)9),
        };
        _session = new BgpSession(ours, new Random(1));
        _capabilities = (more & 1) != 0;
        _handshake = (more & 16) == 0;
        _local = IPAddress.Parse((more & 32) != 0 ? "2001:db8::1" : "192.0.2.1");
        _remote = IPAddress.Parse((more & 32) != 0 ? "2001:db8::2" : "192.0.2.2");
        _neighbor = ours with
        {
            LocalAs = ours.PeerAs,
            PeerAs = ours.LocalAs,
            RouterId = new RouterId(2),
            ExtendedMessages = (more & 2) != 0,
            EnhancedRouteRefresh = (more & 4) != 0,
            GracefulRestartHelper = (more & 8) != 0,
        };
        _sent = new UpdateContext(_capabilities, true, true) { ExtendedMessages = true, InternalPeer = true };
        Give(new SessionInput.Start());
        if ((more & 64) != 0 && _dials)
        {
            _dials = false;
            Give(new SessionInput.ConnectFailed("refused"));
        }

        Connect();
    }

    public void Run(ReadOnlySpan<byte> script)
    {
        for (var step = 0; step < MaxSteps && script.Length >= 2; step++)
        {
            var (what, length) = (script[0], Math.Min((script[0] & 8) != 0 ? script[1] * 64 : script[1], script.Length - 2));
            var octets = script.Slice(2, length);
            script = script[(2 + length)..];
            Step(what, octets);
            if (!_connected)
            {
                Connect();
            }
        }

        foreach (var entry in _session.ReadTrace())
        {
            CheckText(entry.Text());
        }

        Require(_session.Diagnostics.ToString().Length < 100_000, "the diagnostics have no bound");
    }

    private void Step(byte what, ReadOnlySpan<byte> octets)
    {
        switch (what & 7)
        {
            case 0:
                Hear(octets);
                break;
            case 1 or 2:
                Hear(Frame(BgpMessageType.Update, octets));
                break;
            case 3:
                Hear(Frame((BgpMessageType)(what >> 4), octets));
                break;
            case 4:
                Give(new SessionInput.SetAdvertisements(Routes(octets)));
                break;
            case 5:
                LetTimePass(octets.Length);
                break;
            case 6 when _connected:
                _connected = false;
                Give(new SessionInput.Disconnected("gone"));
                break;
            case 7:
                Give((what >> 4) switch
                {
                    0 => SessionInput.OutputBlocked.Instance,
                    1 => SessionInput.OutputProgress.Some,
                    2 => SessionInput.OutputProgress.All,
                    3 => new SessionInput.Stop("enough"),
                    _ => new SessionInput.Start(),
                });
                break;
        }
    }

    private void Connect()
    {
        LetTimePass(10, untilDial: true);
        if (++_connections > MaxConnections || !(_dials || _session.State == SessionState.Active) || _connected)
        {
            return;
        }

        _dials = false;
        _output.Reset();
        _output.ExtendedMessages = _output.EnhancedRouteRefresh = true;
        _connected = true;
        Give(new SessionInput.Connected(_local, _remote));
        if (!_handshake)
        {
            return;
        }

        Hear(MessageCodec.Write(OpenNegotiation.OurOpen(_neighbor, _capabilities)).Span);
        Hear(MessageCodec.Keepalive.Span);
    }

    private void LetTimePass(int seconds, bool untilDial = false)
    {
        var end = _now + TimeSpan.FromSeconds(seconds);
        while (_session.NextDeadline is { } next && next <= end && !(untilDial && _dials))
        {
            _now = next > _now ? next : _now;
            Give(new SessionInput.Tick());
            Require(_session.NextDeadline is null || _session.NextDeadline > _now, "a deadline that is never met");
        }

        _now = untilDial ? _now : end;
    }

    private void Hear(ReadOnlySpan<byte> bytes)
    {
        if (_connected)
        {
            Give(new SessionInput.Received(bytes.ToArray()));
        }
    }

    private void Give(SessionInput input)
    {
        foreach (var effect in _session.Handle(input, _now))
        {
            switch (effect)
            {
                case SessionEffect.Send send:
                    Require(_connected, "sends without a connection");
                    CheckSent(send);
                    break;
                case SessionEffect.Close:
                    Require(_connected, "closes what is not open");
                    _connected = false;
                    break;
                case SessionEffect.Dial:
                    Require(!_connected, "dials while it is connected");
                    _dials = true;
                    break;
                case SessionEffect.AbandonDial:
                    _dials = false;
                    break;
            }
        }

        Require(_connected == _session.State >= SessionState.OpenSent, "state and connection disagree");
    }

    // A neighbor that opens in its own way decides by that how AS numbers are written.
    private UpdateContext Agreed => _handshake ? _sent : _sent with { FourOctetAs = _session.Diagnostics.Negotiated?.FourOctetAs ?? false };

    private void CheckSent(SessionEffect.Send send)
    {
        var bytes = send.Bytes.Span;
        while (_output.TryNext(ref bytes, out var type, out var body))
        {
            Require(type == send.Type, "sends another type than it says");
            if (type == BgpMessageType.Update)
            {
                Require(UpdateCodec.Read(body, Agreed).Worst == AttributeFault.None, "sends an UPDATE that is not right");
            }

            CheckText(MessageFormatter.Describe(type, body, Agreed));
        }
    }

    private static ImmutableArray<Advertisement> Routes(ReadOnlySpan<byte> octets)
    {
        var routes = ImmutableArray.CreateBuilder<Advertisement>(octets.Length);
        for (var i = 0; i < octets.Length; i++)
        {
            routes.Add(new Advertisement
            {
                Prefix = (octets[i] & 1) != 0 ? new IPNetwork(new IPAddress([10, (byte)i, octets[i], 0]), 24) : new IPNetwork(new IPAddress([0x20, 1, octets[i], (byte)i, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 64),
                Communities = [new Community(65000, (ushort)(octets[i] >> 6))],
                LargeCommunities = (octets[i] & 32) != 0 ? [new LargeCommunity(65000, 1, octets[i])] : [],
            });
        }

        return routes.DrainToImmutable();
    }

    private static byte[] Frame(BgpMessageType type, ReadOnlySpan<byte> body)
    {
        var message = new byte[WireWriter.HeaderLength + body.Length];
        message.AsSpan(0, 16).Fill(0xff);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(16), (ushort)message.Length);
        message[18] = (byte)type;
        body.CopyTo(message.AsSpan(WireWriter.HeaderLength));
        return message;
    }
}
