using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session;

// What the neighbor is told.
public sealed partial class BgpSession
{
    private void OnSetAdvertisements(SessionInput.SetAdvertisements set, TimeSpan now)
    {
        _ribOut.SetDesired(set.Advertisements);
        if (State == SessionState.Established)
        {
            _owesRoutes = true;
            SendWhatIsOwed(now);
        }
    }

    // While output waits, nothing is written behind it: when the neighbor reads again it is brought from what it has to what it should have by then, and not through
    // everything that was wanted in between.
    private void SendWhatIsOwed(TimeSpan now)
    {
        if (SendOwedRoutes(now))
        {
            _effects.Add(new SessionEffect.AdvertisementsSent(_ribOut.Count, _ribOut.Skipped));
        }
    }

    private bool SendOwedRoutes(TimeSpan now)
    {
        if (!_owesRoutes || _outputBlockedSince is not null)
        {
            return false;
        }

        _owesRoutes = false;
        SendRoutes(_ribOut.WriteChanges(), now);
        if (_owesEndOfRib)
        {
            _owesEndOfRib = false;
            SendEndOfRib(now);
        }

        return true;
    }

    // RFC 4724 4: after the initial routes of each family, also when there are none. A neighbor that has just restarted waits for it before it chooses; what it had
    // before was lost with the last session and is all sent again at once, so its R bit asks for nothing more of us.
    private void SendEndOfRib(TimeSpan now)
    {
        if (_negotiated is { GracefulRestart: true } negotiated)
        {
            foreach (var family in negotiated.Families)
            {
                SendRoutes(MessageCodec.EndOfRib(family), now);
            }
        }
    }

    private void OnRouteRefresh(RouteRefreshMessage refresh, TimeSpan now)
    {
        // RFC 2918 4: for a family that was not negotiated it is ignored (nothing of it was sent). The marks of the neighbor's own refresh change nothing here, where
        // nothing is imported, and unknown subtypes are ignored (RFC 7313 5); both are counted.
        if (refresh.Subtype == RouteRefreshSubtype.Request && refresh.Family.Known is { } family && _negotiated!.Families.Contains(family))
        {
            _refreshes.Ask(family);
            AnswerRefreshes(now);
        }
    }

    private void AnswerRefreshes(TimeSpan now)
    {
        if (State != SessionState.Established || _outputBlockedSince is not null)
        {
            // While output waits, its progress is what wakes us.
            _timers.Refresh = null;
            return;
        }

        foreach (var family in _negotiated!.Families)
        {
            if (_refreshes.TryTake(family, now))
            {
                SendAgain(family, now);
            }
        }

        _timers.Refresh = _refreshes.NextAt;
    }

    private void SendAgain(RouteFamily family, TimeSpan now)
    {
        var marked = _negotiated!.EnhancedRouteRefresh;
        if (marked)
        {
            Send(MessageCodec.Write(new RouteRefreshMessage(AfiSafi.Of(family), RouteRefreshSubtype.Begin)), BgpMessageType.RouteRefresh);
        }

        SendRoutes(_ribOut.WriteAgain(family), now);
        if (marked)
        {
            // RFC 7313 4: also when there is nothing in between. The neighbor then drops what it should not have.
            Send(MessageCodec.Write(new RouteRefreshMessage(AfiSafi.Of(family), RouteRefreshSubtype.End)), BgpMessageType.RouteRefresh);
        }
    }

    private void SendRoutes(ReadOnlyMemory<byte> updates, TimeSpan now)
    {
        if (!updates.IsEmpty)
        {
            Send(updates, BgpMessageType.Update);
            RestartKeepalive(now);
        }
    }

    private void Send(NotificationMessage notification)
    {
        _recorder.NotificationSent(notification);
        Send(MessageCodec.Write(notification), BgpMessageType.Notification);
    }

    private void Send(ReadOnlyMemory<byte> bytes, BgpMessageType type)
    {
        if (!bytes.IsEmpty)
        {
            _recorder.Sent(bytes.Span, _wire);
            _effects.Add(new SessionEffect.Send(bytes, type));
        }
    }
}
