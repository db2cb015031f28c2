namespace FailoverHub.Web.Agents.Limits;

/// <summary>
/// How fast one stream may speak. An agent says a few things a second; one that floods is read more slowly, which the connection's flow control
/// tells it, so that the others have the fleet's owner to themselves. Nothing is dropped.
/// </summary>
internal sealed class MessagePace(TimeProvider time)
{
    /// <summary>Messages at once, after a silence.</summary>
    public const int Burst = 200;

    public const int PerSecond = 50;

    private static readonly TimeSpan Each = TimeSpan.FromSeconds(1.0 / PerSecond);
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _next = -Each * Burst;

    /// <summary>How long to wait before the next message is taken; zero for who keeps to it.</summary>
    public TimeSpan Next()
    {
        var now = time.GetElapsedTime(_began);
        var earliest = now - (Each * Burst);
        _next = (_next > earliest ? _next : earliest) + Each;
        return _next > now ? _next - now : TimeSpan.Zero;
    }
}
