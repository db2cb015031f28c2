using System.Threading.Channels;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Answering;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Telemetry.Traces;
using Grpc.Core;

namespace FailoverHub.Web.Agents;

/// <summary>An agent has not read what it was sent for so long that its stream is ended.</summary>
internal sealed class UnreadException(string why) : RpcException(new Status(StatusCode.ResourceExhausted, why));

/// <summary>
/// One open stream, as the rest of the hub sees it. What goes out waits in a queue of <see cref="QueueCapacity"/>; an agent that reads so
/// slowly that it is full loses its stream, and gets the newest intent when it comes back.
/// </summary>
internal sealed class AgentStream : IAgentStream, IDisposable
{
    private const int QueueCapacity = 64;

    private readonly Channel<HubMessage> _outgoing = Channel.CreateBounded<HubMessage>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly TaskCompletionSource _admitted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _end;
    private readonly string _hubVersion;
    private readonly OperationTraces? _traces;
    private volatile RpcException? _why;

    public AgentStream(long id, string hubVersion, OperationTraces? traces, CancellationToken callAborted)
    {
        Id = id;
        _hubVersion = hubVersion;
        _traces = traces;
        _end = CancellationTokenSource.CreateLinkedTokenSource(callAborted);
        Ended = _end.Token;
    }

    public long Id { get; }

    /// <summary>Whose it is; set before it can be admitted.</summary>
    public string Node { get; set; } = "";

    /// <summary>With what the node answers who it is; set before it can be admitted, null: it is not asked.</summary>
    public NodeGrant? Grant { get; set; }

    /// <summary>What the node tells of its probes goes there; null: it is asked for none.</summary>
    public VantageStream? Vantage { get; set; }

    /// <summary>The other nodes of its pair whose physical host is known; set before it can be admitted.</summary>
    public IReadOnlyList<(string Node, string Host)> Peers { get; set; } = [];

    /// <summary>Cancelled when the stream must end, whoever wants it so.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Why the hub ended it; null: it did not.</summary>
    public RpcException? Why => _why;

    /// <summary>The order of the journals that come by it.</summary>
    public JournalLane Journal { get; } = new();

    public Task AdmittedAsync() => _admitted.Task.WaitAsync(Ended);

    public void Admit()
    {
        Send(AgentMapping.ToWelcome(_hubVersion, Grant, Peers));
        _admitted.TrySetResult();
    }

    public void Offer(IntentFacts intent) => Send(AgentMapping.ToMessage(intent, _traces?.Sent(Node, intent)));

    public void Ask(SessionResetOrder request) => Send(AgentMapping.ToMessage(request));

    public void End(StreamEnd end, string why) => End(
        end switch
        {
            StreamEnd.NameClash => StatusCode.AlreadyExists,
            StreamEnd.NotAllowed => StatusCode.Unauthenticated,
            StreamEnd.NotNow => StatusCode.Unavailable,
            _ => StatusCode.Aborted,
        },
        why);

    public void End(StatusCode status, string why) => End(new RpcException(new Status(status, why)));

    private void End(RpcException why)
    {
        Interlocked.CompareExchange(ref _why, why, null);
        try
        {
            _end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended already, by itself.
        }
    }

    public void Send(HubMessage message)
    {
        if (!_outgoing.Writer.TryWrite(message))
        {
            End(new UnreadException($"{QueueCapacity} messages wait for the agent to read them."));
        }
    }

    /// <summary>Brings what waits to the wire until the stream ends. Owner: the call that made this object.</summary>
    public async Task WriteAllAsync(IServerStreamWriter<HubMessage> wire)
    {
        try
        {
            await foreach (var message in _outgoing.Reader.ReadAllAsync(Ended))
            {
                await wire.WriteAsync(message, Ended);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException && Ended.IsCancellationRequested)
        {
            // The stream has ended; the reading side says so too.
        }
    }

    public void Dispose() => _end.Dispose();
}
