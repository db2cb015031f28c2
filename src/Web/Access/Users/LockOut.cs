namespace FailoverHub.Web.Access.Users;

/// <summary>
/// What failed attempts do to an account. Pure. After <see cref="Attempts"/> in a row nobody is let in by a password or a code for <see cref="Lasts"/>;
/// while it lasts no password is even looked at, so that guessing learns nothing.
/// </summary>
/// <param name="Failed">Failed attempts in a row.</param>
/// <param name="Until">Closed until then; null: open.</param>
internal sealed record LockOut(int Failed, DateTimeOffset? Until)
{
    public const int Attempts = 5;

    public static readonly TimeSpan Lasts = TimeSpan.FromMinutes(5);

    public bool IsClosed(DateTimeOffset now) => Until is { } until && now < until;

    /// <summary>One more failed attempt.</summary>
    public LockOut AfterFailure(DateTimeOffset now) => Failed + 1 >= Attempts ? new LockOut(0, now + Lasts) : this with { Failed = Failed + 1 };
}
