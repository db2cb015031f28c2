using System.Globalization;

namespace FailoverHub.Agent.Identity;

/// <summary>How a certificate stands at a moment.</summary>
internal enum CertificateCondition
{
    Good,

    /// <summary>The hub gives another one for it by now.</summary>
    RenewalDue,

    /// <summary>It has ended: only a new join helps.</summary>
    Expired,

    /// <summary>By this machine's clock it has not begun: the clock is wrong.</summary>
    NotYetValid,
}

/// <summary>From when to when a certificate is good, UTC, and from when on the hub renews it.</summary>
internal readonly record struct CertificateTimes(DateTimeOffset NotBefore, DateTimeOffset NotAfter, DateTimeOffset RenewAfter)
{
    // Of what is left, so that a certificate of a minute is tried as often in its time as one of a month.
    private const double RetryFraction = 1.0 / 20;

    // Of the time between the first moment of a renewal and the end: a fleet that joined in one minute does not renew in one.
    private const double SpreadFraction = 1.0 / 10;

    private static readonly TimeSpan _soonest = TimeSpan.FromSeconds(1);

    /// <summary>Between two tries of a renewal, and between two looks at the clock, which may be set at any time.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public CertificateCondition At(DateTimeOffset now) =>
        now < NotBefore ? CertificateCondition.NotYetValid
        : now >= NotAfter ? CertificateCondition.Expired
        : now >= RenewAfter ? CertificateCondition.RenewalDue
        : CertificateCondition.Good;

    /// <summary>When this node asks for the next one.</summary>
    /// <param name="luck">0 to 1, drawn once for each certificate.</param>
    public DateTimeOffset RenewAt(double luck) => RenewAfter + ((NotAfter - RenewAfter) * SpreadFraction * luck);

    /// <summary>How long to wait before the next look at the clock, which may be the time of the renewal.</summary>
    public TimeSpan UntilLook(DateTimeOffset now, double luck)
    {
        var left = RenewAt(luck) - now;
        return left > Longest ? Longest : left;
    }

    /// <summary>How long to wait after a renewal that failed.</summary>
    /// <param name="now">On the wall clock.</param>
    /// <param name="luck">0 to 1, drawn for each wait.</param>
    public TimeSpan UntilRetry(DateTimeOffset now, double luck)
    {
        var left = NotAfter - now;
        var wait = left <= TimeSpan.Zero ? Longest : left * RetryFraction;
        wait = wait > Longest ? Longest : wait < _soonest ? _soonest : wait;
        return wait * (0.75 + (luck / 2));
    }

    /// <summary>Why a certificate cannot be used now, in words that name both clocks.</summary>
    public static string Misfit(DateTimeOffset notBefore, DateTimeOffset notAfter, DateTimeOffset now) => now < notBefore
        ? $"its certificate is good from {Text(notBefore)} on, and this machine's clock says {Text(now)}: the clock is off; set it (timedatectl set-ntp true)"
        : $"its certificate ended at {Text(notAfter)}, and this machine's clock says {Text(now)}: the clock is off (timedatectl set-ntp true), or the hub has to be given a new one";

    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
