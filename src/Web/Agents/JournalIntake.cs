using System.Collections.Immutable;
using System.Threading.Channels;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.History;
using Grpc.Core;

namespace FailoverHub.Web.Agents;

/// <summary>A batch of a journal, understood.</summary>
/// <param name="Source">Whose.</param>
/// <param name="Items">Oldest first, at least one.</param>
internal sealed record ReceivedJournal(JournalSource Source, ImmutableArray<JournalItem> Items);

/// <summary>
/// The journal of one stream on its way into the history: in order, at the pace of its node, each part acknowledged when it is on the disk. Reports go on meanwhile.
/// One batch is worked at and one may wait; an agent sends the next one behind the acknowledgement, and whoever sends more is read no further until there is room. Owner of the loop: the call of
/// the stream.
/// </summary>
internal sealed partial class JournalIntake(AgentLinkServices services, AgentStream stream, JournalPace pace, ILogger logger)
{
    private readonly Channel<ReceivedJournal> _waiting = Channel.CreateBounded<ReceivedJournal>(new BoundedChannelOptions(1) { SingleReader = true });

    /// <summary>Takes a batch; waits while there is no room.</summary>
    public ValueTask PostAsync(ReceivedJournal batch) => _waiting.Writer.WriteAsync(batch, stream.Ended);

    /// <summary>Ends with the stream.</summary>
    public async Task RunAsync()
    {
        try
        {
            await foreach (var batch in _waiting.Reader.ReadAllAsync(stream.Ended))
            {
                await KeepAsync(batch);
            }
        }
        catch (OperationCanceledException) when (stream.Ended.IsCancellationRequested)
        {
            // What was not acknowledged the agent sends again.
        }
    }

    private async Task KeepAsync(ReceivedJournal batch)
    {
        var left = batch.Items;
        while (!left.IsEmpty)
        {
            int now = pace.Take(left, out var wait);
            if (now == 0)
            {
                Tell(batch.Source.Node);
                await Task.Delay(wait, services.Time, stream.Ended);
                continue;
            }

            if (!await StoreAsync(batch.Source, left[..now]))
            {
                return;
            }

            stream.Send(AgentMapping.ToAck(batch.Source.BootId, left[now - 1].Sequence));
            left = left[now..];
        }
    }

    private async Task<bool> StoreAsync(JournalSource source, ImmutableArray<JournalItem> items)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!services.Writer.Enqueue(new JournalWrite(source, items, services.History, services.Time, done.SetResult)))
        {
            stream.End(StatusCode.ResourceExhausted, "The hub's history cannot take more now; the journal is to be sent again.");
            return false;
        }

        // The end of a stream waits for no disk.
        if (await done.Task.WaitAsync(stream.Ended))
        {
            return true;
        }

        stream.End(StatusCode.Internal, "The journal could not be stored.");
        return false;
    }

    private void Tell(string node)
    {
        if (!pace.IsNews())
        {
            return;
        }

        LogSlowed(logger, node);
        services.Events.Append(new EventDraft
        {
            At = services.Time.GetUtcNow(),
            Kind = EventKinds.JournalSlowed,
            Severity = EventSeverity.Warning,
            Node = node,
            Pair = services.Fleet.State.Facts.PairOf(node)?.Name,
            Text = $"{node} has sent more of its journal than a node that was away for days would: from now on it is taken in at {JournalPace.PerSecond:0} entry a second, of commands on the node itself one in {1 / JournalPace.LocalPerSecond:0} s. Nothing is lost, the rest waits on the node. If nobody knows why so much happens there, look at the node.",
        });
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Node} sends more of its journal than the history is to take at once; it is stored and acknowledged slowly from now on. Told once an hour")]
    private static partial void LogSlowed(ILogger logger, string node);
}
