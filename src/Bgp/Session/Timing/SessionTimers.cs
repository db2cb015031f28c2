namespace FailoverHub.Bgp.Session.Timing;

// The timers of RFC 4271 8 as points in time; null: not running. The owner sees only the next of them.
internal sealed class SessionTimers
{
    // While dialling: when the dial has taken too long. Otherwise: when to dial again (ConnectRetryTimer and IdleHoldTimer, which never run together).
    public TimeSpan? Retry { get; set; }

    public TimeSpan? Hold { get; set; }

    public TimeSpan? Keepalive { get; set; }

    // No deadline: from here on a KEEPALIVE may go out, if there is an occasion before it has to.
    public TimeSpan? KeepaliveFrom { get; set; }

    // Runs while output waits that the neighbor does not take (RFC 9687).
    public TimeSpan? SendHold { get; set; }

    // When the next answer to ROUTE-REFRESH may go out, while one is owed and nothing else is in its way.
    public TimeSpan? Refresh { get; set; }

    public TimeSpan? Next => Earlier(Earlier(Retry, SendHold), Earlier(Refresh, Earlier(Hold, Keepalive)));

    public void StopAll() => Retry = Hold = Keepalive = KeepaliveFrom = SendHold = Refresh = null;

    private static TimeSpan? Earlier(TimeSpan? left, TimeSpan? right) =>
        left is null ? right : right is null ? left : left < right ? left : right;
}
