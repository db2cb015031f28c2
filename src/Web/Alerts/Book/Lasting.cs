namespace FailoverHub.Web.Alerts.Book;

/// <summary>How long something has been so. Time in which nobody could tell does not count: it is neither wrong nor right then.</summary>
/// <param name="Sum">So long.</param>
/// <param name="SeenAt">When it was last seen to be so, by the hub's uptime; null: since then it was not known.</param>
internal readonly record struct Lasting(TimeSpan Sum, TimeSpan? SeenAt)
{
    /// <summary>A look comes each second. When one comes much later (the disk stalled, the machine was busy) nobody looked in between.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(20);

    /// <summary>It is seen for the first time.</summary>
    public static Lasting From(TimeSpan now) => new(TimeSpan.Zero, now);

    /// <summary>It is still so.</summary>
    public Lasting Seen(TimeSpan now)
    {
        TimeSpan since = now - (SeenAt ?? now);
        return new Lasting(Sum + (since < LongestLook ? since : LongestLook), now);
    }

    /// <summary>It is not known whether it is still so.</summary>
    public Lasting NotSeen() => this with { SeenAt = null };
}
