using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Session.Diagnostics;

/// <summary>
/// What an operator asks about a session, at one moment. Immutable. All times are on the clock of <c>now</c> (monotonic, of no fixed origin); counts are
/// since the session object was made and go on over every reconnect.
/// </summary>
public sealed record SessionDiagnostics
{
    /// <summary>Where it stands.</summary>
    public required SessionState State { get; init; }

    /// <summary>Since when; null: it was never started.</summary>
    public required TimeSpan? Since { get; init; }

    /// <summary>Why it went there, in words; empty: it was never started.</summary>
    public required string Reason { get; init; }

    /// <summary>When it came up, while it is up; else null.</summary>
    public TimeSpan? EstablishedAt { get; init; }

    /// <summary>When it dials next; null: it does not wait to dial.</summary>
    public TimeSpan? NextDialAt { get; init; }

    /// <summary>What both sides agreed on, from OpenConfirm on; else null.</summary>
    public NegotiatedParameters? Negotiated { get; init; }

    /// <summary>The last failure, also when the session has come up since; null: none.</summary>
    public SessionFailure? LastFailure { get; init; }

    /// <summary>Failures since the session was last up; a stop does not change it.</summary>
    public int FailuresInARow { get; init; }

    /// <summary>How often it came up.</summary>
    public int TimesEstablished { get; init; }

    /// <summary>How often it was lost after it had come up, our own stops not counted.</summary>
    public int Flaps { get; init; }

    /// <summary>The last NOTIFICATION that we handed to the connection; it arrives only if the neighbor takes all before it. Null: none.</summary>
    public NotificationRecord? LastNotificationSent { get; init; }

    /// <summary>The last NOTIFICATION of the neighbor; null: none.</summary>
    public NotificationRecord? LastNotificationReceived { get; init; }

    /// <summary>Messages from the neighbor.</summary>
    public MessageCounts Received { get; init; }

    /// <summary>Messages to the neighbor, as far as they were handed to the connection.</summary>
    public MessageCounts Sent { get; init; }

    /// <summary>UPDATEs of the neighbor that were malformed and did not end the session (RFC 7606).</summary>
    public long MalformedUpdates { get; init; }

    /// <summary>What was wrong with the last of them; null: none.</summary>
    public UpdateProblem? LastUpdateProblem { get; init; }

    /// <summary>Prefixes that the neighbor has from us, as far as the kernel took them. While output waits: those before what waits, and changes are not counted.</summary>
    public int Announced { get; init; }

    /// <summary>Since when the neighbor has taken no whole message of the output that waits for it; null: nothing waits.</summary>
    public TimeSpan? OutputBlockedSince { get; init; }
}

/// <summary>A failure and its time.</summary>
/// <param name="Error">What, who said so, and its code.</param>
/// <param name="At">When.</param>
public sealed record SessionFailure(SessionError Error, TimeSpan At);

/// <summary>What was wrong with an UPDATE, and its time.</summary>
/// <param name="At">When.</param>
/// <param name="Text">In words.</param>
public sealed record UpdateProblem(TimeSpan At, string Text);

/// <summary>A NOTIFICATION and its time.</summary>
/// <param name="At">When.</param>
/// <param name="Code">Error code (RFC 4271 4.5).</param>
/// <param name="Subcode">Error subcode.</param>
/// <param name="Text">Code, subcode and text of the other side in words.</param>
public sealed record NotificationRecord(TimeSpan At, byte Code, byte Subcode, string Text);

/// <summary>Number of messages in one direction, by type.</summary>
public readonly record struct MessageCounts
{
    /// <summary>OPEN.</summary>
    public long Open { get; init; }

    /// <summary>UPDATE.</summary>
    public long Update { get; init; }

    /// <summary>NOTIFICATION.</summary>
    public long Notification { get; init; }

    /// <summary>KEEPALIVE.</summary>
    public long Keepalive { get; init; }

    /// <summary>ROUTE-REFRESH, the marks of RFC 7313 not counted.</summary>
    public long RouteRefresh { get; init; }

    /// <summary>ROUTE-REFRESH that marks the beginning or the end of a refresh (BoRR, EoRR: RFC 7313), or that is of no known subtype.</summary>
    public long RefreshMarks { get; init; }

    /// <summary>All of them.</summary>
    public long Total => Open + Update + Notification + Keepalive + RouteRefresh + RefreshMarks;

    internal MessageCounts With(BgpMessageType type, bool isMark) => type switch
    {
        BgpMessageType.Open => this with { Open = Open + 1 },
        BgpMessageType.Update => this with { Update = Update + 1 },
        BgpMessageType.Notification => this with { Notification = Notification + 1 },
        BgpMessageType.Keepalive => this with { Keepalive = Keepalive + 1 },
        _ when isMark => this with { RefreshMarks = RefreshMarks + 1 },
        _ => this with { RouteRefresh = RouteRefresh + 1 },
    };
}
