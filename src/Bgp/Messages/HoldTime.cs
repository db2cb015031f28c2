namespace FailoverHub.Bgp.Messages;

/// <summary>A hold time that RFC 4271 4.2 allows: zero (no keepalives) or 3 to 65535 seconds.</summary>
public readonly record struct HoldTime
{
    /// <summary>Seconds: 0 or 3 to 65535.</summary>
    public ushort Seconds { get; }

    /// <summary>Makes a hold time.</summary>
    /// <param name="seconds">0 or 3 to 65535.</param>
    /// <exception cref="ArgumentOutOfRangeException">1 or 2.</exception>
    public HoldTime(ushort seconds)
    {
        if (!IsAcceptable(seconds))
        {
            throw new ArgumentOutOfRangeException(nameof(seconds), seconds, "A hold time is 0 or at least 3 seconds (RFC 4271 4.2).");
        }

        Seconds = seconds;
    }

    /// <summary>Whether RFC 4271 4.2 allows it.</summary>
    public static bool IsAcceptable(int seconds) => seconds is 0 or (>= 3 and <= ushort.MaxValue);

    /// <summary>No keepalives and no hold timer.</summary>
    public bool IsZero => Seconds == 0;

    /// <summary>The hold time as a duration.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds(Seconds);

    /// <summary>The smaller of two offers (RFC 4271 4.2): what both sides use.</summary>
    public static HoldTime Negotiate(HoldTime ours, HoldTime theirs) => ours.Seconds <= theirs.Seconds ? ours : theirs;
}
