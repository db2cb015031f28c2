using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
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
            while (HasConnection && _framer.TryNext(ref bytes, out var type, out var body))
            {
                OnMessage(type, body, now);
            }
        }
        catch (SessionFaultException fault)
        {
            Fail(fault, now);
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
                RestartHold(now);
                OnRouteRefresh(MessageCodec.ReadRouteRefresh(body), now);
                break;
            default:
                throw Unexpected(type);
        }
    }

    private void OnOpen(OpenMessage open, TimeSpan now)
    {
        _negotiated = OpenNegotiation.Negotiate(Options, _ourOpen!, open);
        _wire = AdvertisingContext.WireContext(Options, _negotiated);
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
        SendRoutes(_ribOut.WriteChanges(), now);
        MoveTo(SessionState.Established, "the neighbor has confirmed");
        _effects.Add(new SessionEffect.Established(_negotiated!));
        _effects.Add(new SessionEffect.AdvertisementsSent(_ribOut.Count, _ribOut.Skipped));
    }

    private void RestartHold(TimeSpan now) =>
        _timers.Hold = _negotiated is { HoldTime.IsZero: false } negotiated ? now + negotiated.HoldTime.Duration : null;

    private void OnUpdate(DecodedUpdate update)
    {
        foreach (var routes in RouteReception.Read(update))
        {
            _effects.Add(new SessionEffect.RoutesReceived(routes));
        }
    }

    private void OnRouteRefresh(RouteRefreshMessage refresh, TimeSpan now)
    {
        // RFC 2918 4: for a family that was not negotiated it is ignored (nothing of it was sent).
        if (refresh.Family.Known is { } family)
        {
            SendRoutes(_ribOut.WriteAgain(family), now);
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

        var shutdown = code == NotificationCode.AdministrativeShutdown || code == NotificationCode.AdministrativeReset
            ? ShutdownText.Read(notification.Data.Span)
            : null;
        var text = shutdown is null ? $"the neighbor says {code}" : $"the neighbor says {code}: {shutdown}";
        _effects.Add(new SessionEffect.Close());
        EndSession(new SessionError(text, FromPeer: true, code.Code, code.Subcode), now);
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
