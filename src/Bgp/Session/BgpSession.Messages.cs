using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session.Diagnostics;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session;

// What the neighbor's messages do.
public sealed partial class BgpSession
{
    private void OnReceived(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        try
        {
            // A message may end the session; what stands behind it then belongs to nobody.
            while (HasConnection && TryNextMessage(ref bytes, out var type, out var body))
            {
                _recorder.Received(type, body, _wire);
                OnMessage(type, body, now);
            }
        }
        catch (SessionFaultException fault)
        {
            Fail(fault, now);
        }
    }

    private bool TryNextMessage(ref ReadOnlySpan<byte> bytes, out BgpMessageType type, out ReadOnlySpan<byte> body)
    {
        try
        {
            return _framer.TryNext(ref bytes, out type, out body);
        }
        catch (SessionFaultException)
        {
            // Of no type and of no length, but what the operator looks for in the trace.
            _recorder.ReceivedNoMessage(_framer.Refused.Span);
            throw;
        }
    }

    private void OnMessage(BgpMessageType type, ReadOnlySpan<byte> body, TimeSpan now)
    {
        if (type == BgpMessageType.Notification)
        {
            OnNotification(MessageCodec.ReadNotification(body), now);
            return;
        }

        switch (State, type)
        {
            case (SessionState.OpenSent, BgpMessageType.Open):
                OnOpen(OpenCodec.Read(body), now);
                break;
            case (SessionState.OpenConfirm, BgpMessageType.Keepalive):
                OnEstablished(now);
                break;
            case (SessionState.Established, BgpMessageType.Keepalive):
                RestartHold(now);
                break;
            case (SessionState.Established, BgpMessageType.Update):
                RestartHold(now);
                OnUpdate(UpdateCodec.Read(body, _wire));
                break;
            case (SessionState.Established, BgpMessageType.RouteRefresh):
                // No sign of life: RFC 4271 8.2.2 names KEEPALIVE and UPDATE only.
                OnRouteRefresh(MessageCodec.ReadRouteRefresh(body, _negotiated!.EnhancedRouteRefresh), now);
                break;
            default:
                throw Unexpected(type);
        }
    }

    private void OnOpen(OpenMessage open, TimeSpan now)
    {
        _negotiated = OpenNegotiation.Negotiate(Options, _ourOpen!, open);
        _wire = AdvertisingContext.WireContext(Options, _negotiated);
        // RFC 8654 4: what we offered we have to be able to read, whatever the neighbor itself offers. What we send follows what both did.
        _framer.ExtendedMessages = _ourOpen!.Capabilities.Contains(Capability.ExtendedMessage.Instance);
        _framer.EnhancedRouteRefresh = _negotiated.EnhancedRouteRefresh;
        SendKeepalive(now);
        // Without a hold time RFC 4271 would wait for the KEEPALIVE for ever; the large one gives that wait an end.
        _timers.Hold = now + (_negotiated.HoldTime.IsZero ? LargeHoldTime : _negotiated.HoldTime.Duration);
        MoveTo(SessionState.OpenConfirm, "the neighbor's OPEN is accepted");
    }

    private void OnEstablished(TimeSpan now)
    {
        _establishedAt = now;
        RestartHold(now);
        _ribOut.Open(new AdvertisingContext(Options, _negotiated!, _local!));
        _owesRoutes = _owesEndOfRib = true;
        var sent = SendOwedRoutes(now);
        MoveTo(SessionState.Established, "the neighbor has confirmed");
        RestartSendHold(now);
        _effects.Add(new SessionEffect.Established(_negotiated!));
        if (sent)
        {
            _effects.Add(new SessionEffect.AdvertisementsSent(_ribOut.Count, _ribOut.Skipped));
        }
    }

    private void OnUpdate(DecodedUpdate update)
    {
        if (update.Problem is { } problem)
        {
            _recorder.MalformedUpdate(problem);
        }

        foreach (var routes in RouteReception.Read(update))
        {
            _effects.Add(new SessionEffect.RoutesReceived(routes));
        }
    }

    // The neighbor ends the session: nothing is answered (RFC 4271 6.4).
    private void OnNotification(NotificationMessage notification, TimeSpan now)
    {
        var code = notification.Code;
        if (code == NotificationCode.UnsupportedOptionalParameter && _negotiated is null)
        {
            _offerCapabilities = false;
        }

        _recorder.NotificationReceived(notification);
        var error = new SessionError($"the neighbor says {NotificationWords.Of(notification)}", FromPeer: true, code.Code, code.Subcode)
        {
            Advice = NotificationWords.Advice(notification.Meaning.Code, fromPeer: true),
        };
        _effects.Add(new SessionEffect.Close());
        EndSession(error, now);
    }

    // RFC 6608: the data is the type of the message.
    private SessionFaultException Unexpected(BgpMessageType type)
    {
        var code = State switch
        {
            SessionState.OpenSent => NotificationCode.UnexpectedInOpenSent,
            SessionState.OpenConfirm => NotificationCode.UnexpectedInOpenConfirm,
            _ => NotificationCode.UnexpectedInEstablished,
        };
        return new SessionFaultException(code, $"the neighbor sent {type} in state {State}", [(byte)type]);
    }
}
