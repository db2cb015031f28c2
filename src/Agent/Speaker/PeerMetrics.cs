namespace FailoverHub.Agent.Speaker;

/// <summary>Figures of one neighbor since the agent started. Immutable: readers take it as it is.</summary>
/// <param name="MessagesReceived">Of all types.</param>
/// <param name="MessagesSent">Of all types; written on the socket or waiting for it.</param>
/// <param name="LastKeepaliveLateness">How long after its time the last KEEPALIVE was given to the kernel: the scheduler, garbage collection, our own work.</param>
/// <param name="MostKeepaliveLateness">The longest of them.</param>
internal sealed record PeerMetrics(ulong MessagesReceived, ulong MessagesSent, TimeSpan LastKeepaliveLateness, TimeSpan MostKeepaliveLateness)
{
    public static PeerMetrics None { get; } = new(0, 0, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>99 of 100 KEEPALIVEs were not later than this, to a factor of two: 1/8, 1/4, 1/2, 1, 2, ... milliseconds.</summary>
    public TimeSpan KeepaliveLateness99 { get; init; }
}
