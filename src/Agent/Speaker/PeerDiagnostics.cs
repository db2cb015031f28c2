using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Speaker.Metering;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;

namespace FailoverHub.Agent.Speaker;

/// <summary>What an operator asks about one neighbor, as it was at one moment. Immutable.</summary>
internal sealed record PeerDiagnostics
{
    public required NeighborEndpoint Neighbor { get; init; }

    /// <summary>When it was read, by the wall clock in UTC.</summary>
    public required DateTimeOffset ReadAt { get; init; }

    /// <summary>The same moment on the monotonic clock that the session's times are on.</summary>
    public required TimeSpan Now { get; init; }

    /// <summary>Where the session stands.</summary>
    public SessionState State => Session.State;

    /// <summary>Everything that the session knows about itself; its times are monotonic, see <see cref="WallClock"/>.</summary>
    public required SessionDiagnostics Session { get; init; }

    /// <summary>The last messages in both directions, oldest first; times likewise.</summary>
    public required ImmutableArray<TraceEntry> Trace { get; init; }

    public required PeerMetrics Metrics { get; init; }

    /// <summary>Of every KEEPALIVE since the agent started.</summary>
    public LatenessHistogram KeepaliveLateness { get; init; }

    /// <summary>A monotonic time of the session as the wall clock shows it, in UTC.</summary>
    public DateTimeOffset WallClock(TimeSpan time) => ReadAt - (Now - time);
}
