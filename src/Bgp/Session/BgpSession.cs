namespace FailoverHub.Bgp.Session;

/// <summary>
/// One BGP session (RFC 4271 8), without sockets, tasks or a clock: inputs and time go in, effects come out. Has one owner and is not thread-safe.
/// </summary>
public sealed class BgpSession
{
    /// <summary>Makes a session in <see cref="SessionState.Idle"/>.</summary>
    /// <param name="options">What it is to be.</param>
    /// <param name="random">For the jitter of its timers (RFC 4271 10).</param>
    public BgpSession(SessionOptions options, Random random)
    {
        Options = options;
        _ = random;
    }

    /// <summary>What it was made with.</summary>
    public SessionOptions Options { get; }

    /// <summary>Where it stands, for display. The owner of the connection does not decide by it.</summary>
    public SessionState State { get; private set; }

    /// <summary>When it next wants <see cref="SessionInput.Tick"/>, on the clock of <c>now</c>; null: never.</summary>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>Takes one input.</summary>
    /// <param name="input">What happened.</param>
    /// <param name="now">Monotonic time since any fixed origin; never goes back.</param>
    /// <returns>What to do, in order. Valid until the next call: the list is used again.</returns>
    public IReadOnlyList<SessionEffect> Handle(SessionInput input, TimeSpan now)
    {
        _ = State;
        return [];
    }
}
