namespace FailoverHub.Web.Agents.Limits;

/// <summary>
/// How many connections one node may have open: an agent has one, and a second one for a moment when it has got its next certificate or dials again before the hub has seen the first one
/// break, which takes fifteen seconds. Whoever has a node's key has the node's places, and no others.
/// </summary>
internal sealed partial class NodeConnections(ILogger<NodeConnections> logger, TimeProvider time)
{
    public const int PerNode = 16;

    private static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _open = new(StringComparer.Ordinal);
    private long? _toldAt;

    /// <summary>Takes a place; null: the node has all of its own, and the connection is to be closed.</summary>
    /// <param name="nodeId">Whose certificate the connection has shown.</param>
    /// <param name="name">What the node is called, for the log.</param>
    public Place? TryEnter(string nodeId, string name)
    {
        bool isNews;
        lock (_gate)
        {
            var open = _open.GetValueOrDefault(nodeId);
            if (open < PerNode)
            {
                _open[nodeId] = open + 1;
                return new Place(this, nodeId);
            }

            isNews = _toldAt is not { } told || time.GetElapsedTime(told) >= ToldEvery;
            _toldAt = isNews ? time.GetTimestamp() : _toldAt;
        }

        if (isNews)
        {
            LogFull(logger, name, PerNode);
        }

        return null;
    }

    private void Leave(string nodeId)
    {
        lock (_gate)
        {
            if (--_open[nodeId] == 0)
            {
                _open.Remove(nodeId);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection with the certificate of {Node} is closed: {PerNode} others of it are open. Does a copy of the node dial as well? Told once a minute")]
    private static partial void LogFull(ILogger logger, string node, int perNode);

    /// <summary>The place of one connection, until it is closed.</summary>
    internal sealed class Place(NodeConnections all, string nodeId) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                all.Leave(nodeId);
            }
        }
    }
}
