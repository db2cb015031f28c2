using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session;

// What time does.
public sealed partial class BgpSession
{
    private void OnTick(TimeSpan now)
    {
        if (_timers.Retry <= now)
        {
            OnRetryDue(now);
        }

        if (_timers.Hold <= now)
        {
            var waited = _negotiated is { HoldTime.IsZero: false } negotiated ? negotiated.HoldTime.Duration : LargeHoldTime;
            Fail(new SessionFaultException(NotificationCode.HoldTimerExpired, $"nothing was heard from the neighbor for {(int)waited.TotalSeconds} s"), now);
        }

        if (_timers.SendHold <= now)
        {
            // RFC 9687 4.3. The NOTIFICATION waits behind what is not taken, so it only arrives if the neighbor wakes up while the connection is closing.
            var waited = (int)SendHoldTime!.Value.TotalSeconds;
            Fail(new SessionFaultException(NotificationCode.SendHoldTimerExpired, $"the neighbor took nothing of what we sent for {waited} s"), now);
        }

        if (_timers.Refresh <= now)
        {
            AnswerRefreshes(now);
        }

        if (_timers.Keepalive <= now || (_timers.KeepaliveFrom <= now && _outputBlockedSince is null))
        {
            SendKeepalive(now);
        }
    }

    private void OnRetryDue(TimeSpan now)
    {
        if (State == SessionState.Connect)
        {
            _effects.Add(new SessionEffect.AbandonDial());
            Report(new SessionError("the neighbor did not answer in time", FromPeer: false, 0, 0));
            DialAgain(now);
            return;
        }

        Begin(now, "tries again");
    }

    private void RestartHold(TimeSpan now) =>
        _timers.Hold = _negotiated is { HoldTime.IsZero: false } negotiated ? now + negotiated.HoldTime.Duration : null;

    private void SendKeepalive(TimeSpan now)
    {
        _recorder.Sent(MessageCodec.Keepalive.Span, _wire);
        _effects.Add(SendKeepaliveEffect);
        RestartKeepalive(now);
    }

    // Every KEEPALIVE and UPDATE that we send restarts it (RFC 4271 8.2.2, Established).
    private void RestartKeepalive(TimeSpan now)
    {
        if (_negotiated is not { HoldTime.IsZero: false } negotiated)
        {
            _timers.Keepalive = _timers.KeepaliveFrom = null;
            return;
        }

        // RFC 4271 4.4: never more often than once a second. Only a hold time of 3 s comes to that, and it then has no jitter.
        var wait = _backoff.Jittered(negotiated.KeepaliveInterval);
        _timers.Keepalive = now + AtLeast(wait);

        // RFC 4271 10: the jitter may take a quarter of the interval, so may an occasion.
        _timers.KeepaliveFrom = now + AtLeast(negotiated.KeepaliveInterval * 0.75);

        static TimeSpan AtLeast(TimeSpan time) => time < LeastKeepaliveInterval ? LeastKeepaliveInterval : time;
    }

    // Null: the timer does not run. RFC 9687 4.2 stops it where either time is zero, and 4.4 asks for more than the hold time.
    private TimeSpan? SendHoldTime
    {
        get
        {
            if (_negotiated is not { HoldTime.IsZero: false } negotiated || Options.SendHoldTime == TimeSpan.Zero)
            {
                return null;
            }

            var hold = negotiated.HoldTime.Duration;
            return Options.SendHoldTime switch
            {
                null => hold * 2,
                { } configured when configured > hold => configured,
                _ => hold + LeastSendHoldMargin,
            };
        }
    }

    // It belongs to Established (RFC 9687 4.3); before that, the hold timer ends a session in which nothing moves.
    private void RestartSendHold(TimeSpan now) =>
        _timers.SendHold = State == SessionState.Established && _outputBlockedSince is not null ? now + SendHoldTime : null;

    private void OnOutputBlocked(TimeSpan now)
    {
        if (HasConnection && _outputBlockedSince is null)
        {
            _outputBlockedSince = now;
            RestartSendHold(now);
        }
    }

    private void OnOutputProgress(bool drained, TimeSpan now)
    {
        if (_outputBlockedSince is null)
        {
            return;
        }

        // A message of it was taken: the neighbor reads. "Blocked since" is since it last did.
        _outputBlockedSince = drained ? null : now;
        RestartSendHold(now);
        SendWhatIsOwed(now);
        AnswerRefreshes(now);
    }
}
