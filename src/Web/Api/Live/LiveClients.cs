namespace FailoverHub.Web.Api.Live;

/// <summary>How many programs follow the fleet, and what they were told.</summary>
internal sealed class LiveClients
{
    private int _open;
    private long _snapshots;
    private long _changes;

    public int Open => Volatile.Read(ref _open);

    /// <summary>Whole snapshots: one at the beginning of a stream, and one for each client that had fallen too far behind.</summary>
    public long Snapshots => Interlocked.Read(ref _snapshots);

    public long Changes => Interlocked.Read(ref _changes);

    public void Connected() => Interlocked.Increment(ref _open);

    public void Disconnected() => Interlocked.Decrement(ref _open);

    public void Told(string kind) => _ = kind == "snapshot" ? Interlocked.Increment(ref _snapshots) : Interlocked.Increment(ref _changes);
}
