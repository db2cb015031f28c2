namespace FailoverHub.Agent.Speaker.Metering;

/// <summary>Counts for one neighbor. Belongs to the speaker's thread; <see cref="Metrics"/> may be read from anywhere.</summary>
internal sealed class PeerMeter
{
    private PeerMetrics _metrics = PeerMetrics.None;
    private MessageCounter _received;
    private MessageCounter _sent;
    private LatenessHistogram _keepalives;

    public PeerMetrics Metrics => Volatile.Read(ref _metrics);

    /// <summary>On the speaker's thread.</summary>
    public LatenessHistogram KeepaliveLateness => _keepalives;

    /// <summary>The counts go on, with a new connection's streams.</summary>
    public void StartOver()
    {
        _received.StartOver();
        _sent.StartOver();
    }

    public void Received(ReadOnlySpan<byte> bytes)
    {
        _received.Add(bytes);
        Publish(_metrics with { MessagesReceived = _received.Count });
    }

    public void Sent(ReadOnlySpan<byte> bytes)
    {
        _sent.Add(bytes);
        Publish(_metrics with { MessagesSent = _sent.Count });
    }

    /// <summary>A KEEPALIVE was given to the kernel, so long after its time.</summary>
    public void KeepaliveWas(TimeSpan late)
    {
        _keepalives.Add(late);
        Publish(_metrics with
        {
            LastKeepaliveLateness = late,
            MostKeepaliveLateness = late > _metrics.MostKeepaliveLateness ? late : _metrics.MostKeepaliveLateness,
            KeepaliveLateness99 = _keepalives.Percentile(99),
        });
    }

    private void Publish(PeerMetrics metrics) => Volatile.Write(ref _metrics, metrics);
}
