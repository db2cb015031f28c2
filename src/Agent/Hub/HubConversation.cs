using System.Threading.Channels;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Protos.V1;
using Grpc.Core;

namespace FailoverHub.Agent.Hub;

/// <summary>One stream to the hub after the greeting: one loop that writes, one that reads, both ended and awaited together.</summary>
internal sealed class HubConversation(
    AsyncDuplexStreamingCall<AgentMessage, HubMessage> call,
    HubLinkSettings settings,
    NodeLoop node,
    Journal journal,
    TimeProvider time)
{
    /// <summary>A stream that lived this long was no accident.</summary>
    public static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(10);

    private const int BatchEntries = 200;

    private static readonly TimeSpan _defaultInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _shortestInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _longestInterval = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private (string BootId, ulong Sequence)? _unacknowledged;
    private readonly long _began = time.GetTimestamp();
    private int _proven;
    private volatile bool _finishing;

    /// <summary>Times of the intents that the hub traces.</summary>
    public required IntentClock Clock { get; init; }

    /// <summary>Readable when there may be something to write.</summary>
    public required ChannelReader<bool> Wake { get; init; }

    public required ChannelReader<IntentAnswer> Answers { get; init; }

    public required ChannelReader<RequestAnswer> RequestAnswers { get; init; }

    /// <summary>Between reports while nothing changes.</summary>
    public required TimeSpan ReportInterval { get; init; }

    /// <summary>Makes <see cref="Wake"/> readable.</summary>
    public required Action OnSomethingToDo { get; init; }

    /// <summary>Once, when the stream has proved of use: the hub has acknowledged something, or it has lived for <see cref="ProvenAfter"/>.</summary>
    public required Action OnProven { get; init; }

    public static TimeSpan ReportIntervalOf(Welcome welcome) => welcome.ReportIntervalMs == 0
        ? _defaultInterval
        : TimeSpan.FromMilliseconds(Math.Clamp(welcome.ReportIntervalMs, _shortestInterval.TotalMilliseconds, _longestInterval.TotalMilliseconds));

    /// <summary>Runs until the stream ends; why it did.</summary>
    /// <param name="over">Cancelled when either direction has ended, so that the other does.</param>
    public async Task<string> RunAsync(CancellationTokenSource over)
    {
        var writing = WriteAsync(over.Token);
        var reading = ReadAsync(over.Token);
        try
        {
            var first = await Task.WhenAny(writing, reading);
            if (first == writing && writing.IsCompletedSuccessfully)
            {
                // We have said everything and closed our half; the hub closes its own.
                await reading;
                return "it was told everything";
            }

            await over.CancelAsync();
            await Task.WhenAll(writing, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // The first to end says why; the other one only followed.
            await first;
            return "it closed the stream";
        }
        finally
        {
            settings.Vantage?.Take(null);
            _finished.TrySetResult();
        }
    }

    /// <summary>Asks for everything that waits to be sent, a last report and what of the journal is left, and a proper end; completes with the stream.</summary>
    public Task FinishAsync()
    {
        _finishing = true;
        OnSomethingToDo();
        return _finished.Task;
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var sequence = 0UL;
        NodeState? reported = null;
        var reportedAt = 0L;
        while (true)
        {
            // Taken off the queue only when it is written: a stream that breaks there leaves it for the next one.
            while (Answers.TryPeek(out var answer))
            {
                await call.RequestStream.WriteAsync(HubMapping.Result(answer, Clock.Take(answer.Revision)), cancellationToken);
                Answers.TryRead(out _);
            }

            while (RequestAnswers.TryPeek(out var answer))
            {
                await call.RequestStream.WriteAsync(HubMapping.Result(answer), cancellationToken);
                RequestAnswers.TryRead(out _);
            }

            if (time.GetElapsedTime(_began) >= ProvenAfter)
            {
                Prove();
            }

            var state = node.Current;
            if (!ReferenceEquals(state, reported) || time.GetElapsedTime(reportedAt) >= ReportInterval)
            {
                (reported, reportedAt) = (state, time.GetTimestamp());
                var message = HubMapping.Report(state, settings.Metrics, ++sequence, node.Now);
                message.Report.Checks.AddRange(settings.Checks().Select(CheckReports.Of));
                message.Report.IdentityPort = (uint)settings.IdentityPort();
                await call.RequestStream.WriteAsync(message, cancellationToken);
            }

            if (settings.Vantage?.TakeBatch() is { } batch)
            {
                await call.RequestStream.WriteAsync(VantageMapping.Batch(batch), cancellationToken);
            }

            if (await WriteJournalAsync(cancellationToken) && _finishing)
            {
                await call.RequestStream.CompleteAsync();
                return;
            }

            await WaitAsync(reportedAt, cancellationToken);
        }
    }

    // One batch at a time: the next one begins behind the acknowledgement, so nothing is skipped and nothing sent twice on one stream.
    // True: the hub has acknowledged everything there is.
    private async Task<bool> WriteJournalAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_unacknowledged is not null)
            {
                return false;
            }
        }

        if (journal.Next(BatchEntries) is not { } page)
        {
            return true;
        }

        lock (_gate)
        {
            _unacknowledged = (page.BootId, page.Entries[^1].Sequence);
        }

        await call.RequestStream.WriteAsync(HubMapping.Batch(page), cancellationToken);
        return false;
    }

    // Until something is to be done or the next report is due.
    private async Task WaitAsync(long reportedAt, CancellationToken cancellationToken)
    {
        var left = ReportInterval - time.GetElapsedTime(reportedAt);
        if (left <= TimeSpan.Zero)
        {
            return;
        }

        using var due = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, cancellationToken);
        try
        {
            await Wake.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // A report is due.
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            var message = call.ResponseStream.Current;
            switch (message.BodyCase)
            {
                case HubMessage.BodyOneofCase.Intent:
                    Clock.Received(message.Intent.Revision, message.Intent.TraceParent);
                    await node.OfferIntentAsync(HubMapping.Intent(message.Intent), cancellationToken);
                    break;
                case HubMessage.BodyOneofCase.Request when HubMapping.Request(message.Request) is { } asked:
                    await node.PostAsync(asked, cancellationToken);
                    break;
                case HubMessage.BodyOneofCase.ProbePlan:
                    settings.Vantage?.Take(VantageMapping.Plan(message.ProbePlan));
                    break;
                case HubMessage.BodyOneofCase.JournalAck:
                    Acknowledge(message.JournalAck);
                    break;
                default:
                    // From a newer hub: what this agent does not know it does not need.
                    break;
            }
        }
    }

    private void Acknowledge(JournalAck acknowledgement)
    {
        journal.Acknowledge(acknowledgement.BootId, acknowledgement.Sequence);
        lock (_gate)
        {
            if (_unacknowledged is { } waiting && waiting.BootId == acknowledgement.BootId && waiting.Sequence <= acknowledgement.Sequence)
            {
                _unacknowledged = null;
            }
        }

        Prove();
        OnSomethingToDo();
    }

    private void Prove()
    {
        if (Interlocked.Exchange(ref _proven, 1) == 0)
        {
            OnProven();
        }
    }
}
