namespace FailoverHub.Agent.Node.Holding;

/// <summary>
/// How our own announcements are damped. A prefix that is lost by itself, and comes back, again and again, collects a penalty that decays by half
/// in each <see cref="HalfLife"/>; with too much of it the prefix stays withdrawn for a while although it could be announced.
/// </summary>
internal sealed record DampingSettings
{
    /// <summary>Of one flap.</summary>
    public double Penalty { get; init; } = 1000;

    /// <summary>Above this the prefix is held back: three flaps in a row are free.</summary>
    public double SuppressAbove { get; init; } = 3000;

    /// <summary>Below this it is announced again.</summary>
    public double ReuseBelow { get; init; } = 1000;

    /// <summary>More than zero.</summary>
    public TimeSpan HalfLife { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>No prefix is held back for longer at a time, however unsteady it is.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>More than this is never collected: it decays to <see cref="ReuseBelow"/> within <see cref="Longest"/> (RFC 2439 4.2 has the same ceiling).</summary>
    public double Ceiling => ReuseBelow * Math.Pow(2, Longest / HalfLife);
}

/// <summary>A prefix is held back.</summary>
/// <param name="Since">When that began.</param>
/// <param name="Until">When it ends, if the prefix is steady until then.</param>
internal sealed record Suppression(Moment Since, Moment Until);

/// <summary>How unsteady a prefix was. Immutable, and a function of the flaps and their times alone.</summary>
/// <param name="Flaps">That were added since the penalty was last forgotten.</param>
/// <param name="Penalty">At <paramref name="AsOf"/>.</param>
/// <param name="AsOf">Monotonic.</param>
/// <param name="Suppression">Null: not held back.</param>
internal sealed record FlapHistory(int Flaps, double Penalty, TimeSpan AsOf, Suppression? Suppression)
{
    /// <summary>The penalty as it has decayed by now.</summary>
    public double PenaltyAt(TimeSpan now, DampingSettings settings) => Penalty * Math.Pow(0.5, (now - AsOf) / settings.HalfLife);

    /// <summary>One more flap.</summary>
    /// <param name="before">Null: there was none that counts any more.</param>
    /// <param name="now">When it happened.</param>
    /// <param name="settings">What it costs.</param>
    public static FlapHistory Add(FlapHistory? before, Moment now, DampingSettings settings)
    {
        var left = before?.PenaltyAt(now.Monotonic, settings) ?? 0;

        // What is left of old flaps cannot hold anything back; forgotten, so that the number of flaps says something about now.
        var forgotten = before is null or { Suppression: null } && left < settings.ReuseBelow / 2;
        var penalty = Math.Min(left + settings.Penalty, settings.Ceiling);
        var since = before?.Suppression?.Since ?? (penalty > settings.SuppressAbove ? now : null);
        return new FlapHistory(
            forgotten ? 1 : before!.Flaps + 1,
            penalty,
            now.Monotonic,
            since is { } began ? new Suppression(began, End(began, penalty, now, settings)) : null);
    }

    // It decays to the reuse threshold in so many half-lives, or the longest time comes first.
    private static Moment End(Moment since, double penalty, Moment now, DampingSettings settings)
    {
        var decayed = settings.HalfLife * Math.Log2(penalty / settings.ReuseBelow);
        var longest = since.Monotonic + settings.Longest - now.Monotonic;
        var left = decayed < longest ? decayed : longest;
        return new Moment(now.Monotonic + left, now.At + left);
    }
}
