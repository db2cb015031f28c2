using System.Collections.Immutable;
using System.Threading.Channels;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>What has come by a stream, or that it has come or gone.</summary>
/// <param name="Stream">By which.</param>
/// <param name="Batch">Null: it is open now, or no more.</param>
internal sealed record VantageNews(VantageStream Stream, TakenBatch? Batch);

/// <summary>One node's open stream, as a vantage point: plans go out by it, and what is told of them comes in.</summary>
internal sealed class VantageStream : IDisposable
{
    private readonly VantageStreams _all;
    private readonly Action<VantagePlan> _send;
    private readonly VantageIntake _intake = new();
    private volatile VantagePlan _plan = VantagePlan.Empty;

    internal VantageStream(VantageStreams all, string id, string node, Action<VantagePlan> send)
    {
        _all = all;
        _send = send;
        Id = id;
        Node = node;
    }

    /// <summary>By which the node's probes are kept: the id of its certificate, or its name where there are none.</summary>
    public string Id { get; }

    /// <summary>What the node was called when the stream was opened.</summary>
    public string Node { get; }

    /// <summary>What it is asked now.</summary>
    public VantagePlan Plan => _plan;

    /// <summary>That it tells more than it was asked has been said.</summary>
    internal bool Told { get; set; }

    /// <summary>Has it ask that, and nothing else, from now on. Does not wait. Only the owner of the plans calls this.</summary>
    public void Ask(VantagePlan plan)
    {
        _plan = plan;
        _send(plan);
    }

    /// <summary>Takes what the node tells, without waiting. Only the reader of the stream calls this.</summary>
    public void Take(VantageBatch batch) => _all.Take(this, batch, (at, uptime) => _intake.Take(_plan, batch, at, uptime));

    /// <summary>The stream is no more.</summary>
    public void Dispose() => _all.Close(this);
}

/// <summary>
/// The nodes that offer themselves as vantage points, and what they tell, on the way to <see cref="VantageRunner"/>. What is refused is refused here, at the stream that brought it; at most
/// <see cref="MostWaiting"/> batches wait, and one that comes then is lost and counted: the next is a second away.
/// </summary>
internal sealed partial class VantageStreams(TimeProvider time, ILogger<VantageStreams> logger)
{
    /// <summary>Of an agent: it asks what it is told to.</summary>
    public const string Capability = "vantage";

    private const int MostWaiting = 1_024;

    private readonly Lock _gate = new();
    private readonly Channel<VantageNews> _news = Channel.CreateBounded<VantageNews>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly long[] _refused = new long[Enum.GetValues<VantageRefusal>().Length];
    private ImmutableDictionary<string, VantageStream> _open = ImmutableDictionary.Create<string, VantageStream>(StringComparer.Ordinal);
    private long _taken;
    private long _lost;

    /// <summary>Open streams by the node's id.</summary>
    public ImmutableDictionary<string, VantageStream> Current => Volatile.Read(ref _open);

    /// <summary>What comes; for one reader.</summary>
    public ChannelReader<VantageNews> News => _news.Reader;

    /// <summary>Results that were taken.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Results that are lost: a node has given them up because its stream was stuck, or the hub had too much to do.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Results that were not taken for that reason.</summary>
    public long Refused(VantageRefusal why) => Interlocked.Read(ref _refused[(int)why]);

    /// <summary>A node's stream is open, in place of one of the same node that is still there. Null: a node with such an id would be taken for the hub.</summary>
    /// <param name="id">The id of its certificate, or its name where there are none.</param>
    /// <param name="node">What it is called.</param>
    /// <param name="send">Sends it a plan; does not wait.</param>
    public VantageStream? Open(string id, string node, Action<VantagePlan> send)
    {
        if (string.Equals(id, VantagePoint.HubId, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var stream = new VantageStream(this, id, node, send);
        lock (_gate)
        {
            _open = _open.SetItem(id, stream);
        }

        Tell(new VantageNews(stream, null));
        return stream;
    }

    internal void Close(VantageStream stream)
    {
        lock (_gate)
        {
            if (_open.TryGetValue(stream.Id, out VantageStream? present) && ReferenceEquals(present, stream))
            {
                _open = _open.Remove(stream.Id);
            }
        }

        Tell(new VantageNews(stream, null));
    }

    internal void Take(VantageStream stream, VantageBatch batch, Func<DateTimeOffset, TimeSpan, TakenBatch> take)
    {
        Moment now = Moment.Of(time);
        TakenBatch taken = take(now.Wall, now.Uptime);
        foreach (VantageRefusal why in Enum.GetValues<VantageRefusal>())
        {
            Interlocked.Add(ref _refused[(int)why], taken.RefusedFor(why));
        }

        if (taken.RefusedFor(VantageRefusal.Pace) > 0 && !stream.Told)
        {
            stream.Told = true;
            LogFlood(stream.Node);
        }

        bool waits = Tell(new VantageNews(stream, taken));
        Interlocked.Add(ref _taken, waits ? taken.Probes.Length : 0);
        Interlocked.Add(ref _lost, batch.Dropped + (waits ? 0 : taken.Probes.Length));
    }

    // When there is no room the reader is awake, and looks at what is open anyway.
    private bool Tell(VantageNews news) => _news.Writer.TryWrite(news);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Node} tells of more probes than it was asked to send; what is too much is not taken. Told once per stream")]
    private partial void LogFlood(string node);
}
