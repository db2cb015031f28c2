using FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Hub;

/// <summary>
/// When the intents that the hub traces came, were on the disk and were answered; of the newest <see cref="Kept"/> only. Told by the stream and the node loop, asked by whoever writes the
/// answer: from any thread.
/// </summary>
internal sealed class IntentClock(TimeProvider time)
{
    /// <summary>Answers older than that wait behind others, and their times are of no use any more.</summary>
    public const int Kept = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Times> _known = [];

    /// <summary>An intent came. One that nobody traces is not timed.</summary>
    public void Received(ulong revision, string traceParent)
    {
        if (traceParent.Length == 0)
        {
            return;
        }

        lock (_gate)
        {
            if (_known.Count >= Kept)
            {
                _known.Remove(_known.Keys.Min());
            }

            _known[revision] = new Times(traceParent, time.GetUtcNow(), time.GetTimestamp());
        }
    }

    /// <summary>It is on the disk.</summary>
    public void Stored(ulong revision) => Stamp(revision, static (times, elapsed) => times.Stored ??= elapsed);

    /// <summary>The node has answered it.</summary>
    public void Answered(ulong revision) => Stamp(revision, static (times, elapsed) => times.Answered ??= elapsed);

    /// <summary>For the first answer to the intent; null: there is nothing to tell.</summary>
    public IntentTimes? Take(ulong revision)
    {
        lock (_gate)
        {
            return _known.Remove(revision, out var times) && times.Answered is { } answered
                ? new IntentTimes
                {
                    TraceParent = times.TraceParent,
                    ReceivedUnixUs = (times.ReceivedAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
                    StoredAfterUs = Microseconds(times.Stored),
                    AnsweredAfterUs = Microseconds(answered),
                }
                : null;
        }
    }

    private void Stamp(ulong revision, Action<Times, TimeSpan> stamp)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(revision, out var times))
            {
                stamp(times, time.GetElapsedTime(times.Received));
            }
        }
    }

    // What took less than a microsecond happened all the same.
    private static ulong Microseconds(TimeSpan? elapsed) => elapsed is { } took ? (ulong)Math.Max(1, took.Ticks / TimeSpan.TicksPerMicrosecond) : 0;

    private sealed record Times(string TraceParent, DateTimeOffset ReceivedAt, long Received)
    {
        public TimeSpan? Stored { get; set; }

        public TimeSpan? Answered { get; set; }
    }
}
