namespace FailoverHub.Bgp.Session;

/// <summary>The six states of RFC 4271 8.2.2.</summary>
public enum SessionState
{
    /// <summary>Not started, stopped, or waiting to start again after an error.</summary>
    Idle,

    /// <summary>A connection is being dialled.</summary>
    Connect,

    /// <summary>The dial failed (waiting for the next one), or a passive session waits to be dialled.</summary>
    Active,

    /// <summary>Connected, our OPEN is sent, the neighbor's is awaited.</summary>
    OpenSent,

    /// <summary>OPENs are exchanged, the neighbor's KEEPALIVE is awaited.</summary>
    OpenConfirm,

    /// <summary>Routes are exchanged.</summary>
    Established,
}
