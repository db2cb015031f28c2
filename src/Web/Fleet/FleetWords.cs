namespace FailoverHub.Web.Fleet;

/// <summary>Role of a prefix on a node.</summary>
public enum Role
{
    /// <summary>Announced with the primary's community.</summary>
    Primary,

    /// <summary>Announced with the secondary's community.</summary>
    Secondary,
}

/// <summary>Why a prefix is not announced.</summary>
public enum WithdrawnReason
{
    /// <summary>An operator drained the node.</summary>
    Drained,

    /// <summary>The node's checks say so.</summary>
    Unhealthy,

    /// <summary>The address is on no interface of the node.</summary>
    AddressMissing,

    /// <summary>Nobody gave the prefix a role on the node.</summary>
    NotAssigned,

    /// <summary>The agent is stopping.</summary>
    Stopping,
}

/// <summary>Verdict of a node's checks.</summary>
public enum Health
{
    /// <summary>No check, or none has a verdict yet.</summary>
    Unknown,

    /// <summary>The service answers.</summary>
    Healthy,

    /// <summary>The service does not answer.</summary>
    Unhealthy,
}

/// <summary>State of one BGP session as its node reports it (RFC 4271 8.2.2).</summary>
public enum BgpSessionState
{
    /// <summary>Stopped, or waiting after an error.</summary>
    Idle,

    /// <summary>Dialling.</summary>
    Connect,

    /// <summary>Waiting for the next dial.</summary>
    Active,

    /// <summary>OPEN sent.</summary>
    OpenSent,

    /// <summary>OPEN exchanged.</summary>
    OpenConfirm,

    /// <summary>Up.</summary>
    Established,
}

/// <summary>How much the hub knows of a node now. Computed from the age of what was heard, never stored.</summary>
public enum NodeLink
{
    /// <summary>The stream is open and a report came within the last 3 s.</summary>
    Connected,

    /// <summary>Nothing for more than 3 s, or the stream has just ended.</summary>
    Stale,

    /// <summary>The stream has ended, or nothing for more than 15 s.</summary>
    Offline,

    /// <summary>Known to the hub, never heard.</summary>
    NeverSeen,

    /// <summary>Its identity was taken away.</summary>
    Revoked,
}

/// <summary>State of a pair; where several hold the worst is shown.</summary>
public enum PairState
{
    /// <summary>Both nodes announce, the preferred one is active.</summary>
    Healthy,

    /// <summary>A node announces, but something is missing: a session, a fresh report, the standby.</summary>
    Degraded,

    /// <summary>The other node than the preferred one is active.</summary>
    FailedOver,

    /// <summary>An operation is moving the address.</summary>
    Switching,

    /// <summary>Both nodes announce one prefix as primary, and nobody asked for that.</summary>
    DualPrimary,

    /// <summary>No node announces a prefix.</summary>
    NoAnnouncer,

    /// <summary>Operations are forbidden for a time.</summary>
    Frozen,

    /// <summary>In a maintenance window.</summary>
    Maintenance,

    /// <summary>The hub has no fresh report: nothing is known.</summary>
    Unknown,
}

/// <summary>How the active node is known.</summary>
public enum ActiveNodeBasis
{
    /// <summary>Not known.</summary>
    Unknown,

    /// <summary>Concluded from what nodes announce.</summary>
    Inferred,

    /// <summary>The node itself answered a probe sent to the shared address.</summary>
    Observed,
}
