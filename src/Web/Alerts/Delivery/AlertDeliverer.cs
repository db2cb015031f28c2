using System.Collections.Immutable;
using System.Threading.Channels;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Delivery;

/// <summary>
/// The loop "alert deliverer": sends what waits in the database, by <see cref="DeliveryPlan"/>, one message at a time for each channel. A message is crossed off after it was
/// taken, so that a hub that is killed in between sends it again: at least once. What no channel took for a day is given up, and that is told. It ends with the hub; what is
/// being sent then is tried again by the next one.
/// </summary>
internal sealed partial class AlertDeliverer(DeliveryStore store, AlertSettings settings, AlertSenders senders, TimeProvider time, ILogger<AlertDeliverer> logger) : BackgroundService
{
    /// <summary>So long a message is tried.</summary>
    public static readonly TimeSpan GivenUpAfter = TimeSpan.FromHours(24);

    private static readonly TimeSpan RetryDiskAfter = TimeSpan.FromSeconds(1);

    // Capacity 1, further marks are dropped: one look sees everything that waits by then.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, Traffic> _traffic = [];
    private readonly long _began = time.GetTimestamp();
    private ImmutableDictionary<string, string> _failing = ImmutableDictionary<string, string>.Empty;
    private volatile bool _knowsFailing;
    private int _waiting;

    /// <summary>Raised after each attempt with the channel's type and whether it was taken: a handler only counts.</summary>
    public event Action<AlertChannelType, bool>? Tried;

    /// <summary>Messages that waited when it was last looked.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Channels whose newest message was not taken, with the error, also when an earlier run of the hub tried it; null: that is not known yet.</summary>
    public ImmutableDictionary<string, string>? Failing => _knowsFailing ? Volatile.Read(ref _failing) : null;

    /// <summary>Something new waits.</summary>
    public void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Sends a message that shows whether the channel works, at once and once, and keeps it in the log.</summary>
    public async Task<DeliveryRecord> TestAsync(AlertChannel channel, string by, CancellationToken cancellationToken)
    {
        DateTimeOffset at = time.GetUtcNow();
        var message = AlertMessage.Test(channel.Name, by, at);
        SendResult result;
        try
        {
            result = await senders.SendAsync(channel, new OutgoingMessage(0, message), cancellationToken);
        }
        catch (Exception fault) when (fault is not OperationCanceledException && !StorageFaults.IsStorageFault(fault))
        {
            LogDefect(logger, 0, channel.Name, fault);
            result = new SendResult(null, $"It could not be sent: {fault.Message.ReplaceLineEndings(" ")}", false);
        }

        Tried?.Invoke(channel.Type, result.Error is null);
        return await store.KeepTestAsync(channel.Id, message, ToAttempt(result, at), cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        settings.Changed += Wake;
        bool known = false;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                DateTimeOffset? next;
                try
                {
                    if (!known)
                    {
                        await RememberAsync(stoppingToken);
                        known = true;
                    }

                    next = await TurnAsync(stoppingToken);
                }
                catch (Exception e) when (StorageFaults.IsStorageFault(e))
                {
                    LogNotStored(logger, e);
                    next = time.GetUtcNow() + RetryDiskAfter;
                }

                await WaitAsync(next, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub is stopping.
        }
        finally
        {
            settings.Changed -= Wake;
            await Task.WhenAll(_traffic.Values.Select(t => t.Sending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // What an earlier run of the hub has sent within the minute counts too, and what it did not get rid of.
    private async Task RememberAsync(CancellationToken stop)
    {
        ImmutableDictionary<string, string> failing = await store.FailingAsync(settings.Channels.Select(c => c.Id), stop);
        DateTimeOffset now = time.GetUtcNow();
        foreach ((string channel, DateTimeOffset at) in await store.TriedSinceAsync(now - DeliveryPlan.Window, stop))
        {
            // What lies ahead was tried by a clock that was set back since: of when that was nothing is known.
            if (at <= now)
            {
                Of(channel).Tried.Enqueue(Uptime - (now - at));
            }
        }

        Volatile.Write(ref _failing, failing);
        _knowsFailing = true;
    }

    /// <summary>What is only in memory is counted by this: the wall clock may be set back by hours, and a channel would be silent for as long.</summary>
    private TimeSpan Uptime => time.GetElapsedTime(_began);

    private async Task<DateTimeOffset?> TurnAsync(CancellationToken stop)
    {
        ImmutableArray<AlertChannel> channels = settings.Channels;

        // Before it is read what waits: what is being sent may be crossed off while it is read, and would be sent again.
        ImmutableArray<AlertChannel> free = [.. channels.Where(c => c.Enabled && !Of(c.Id).IsSending)];
        await store.DropForGoneChannelsAsync(stop);
        ImmutableArray<WaitingMessage> all = await store.WaitingAsync([.. channels.Where(c => c.Enabled).Select(c => c.Id)], stop);
        Volatile.Write(ref _waiting, all.Length);

        ImmutableInterlocked.Update(ref _failing, known => known.RemoveRange(known.Keys.Where(id => !channels.Any(c => c.Id == id && c.Enabled))));
        ILookup<string, WaitingMessage> byChannel = all.ToLookup(m => m.ChannelId);
        DateTimeOffset? earliest = null;
        foreach (AlertChannel channel in free)
        {
            Traffic traffic = Of(channel.Id);

            // A defect of a sender ends the hub, which begins anew: what waits stays on the disk.
            await traffic.Sending;
            (DateTimeOffset now, TimeSpan uptime) = (time.GetUtcNow(), Uptime);
            traffic.Forget(uptime - DeliveryPlan.Window);
            switch (DeliveryPlan.Next(channel, [.. byChannel[channel.Id]], traffic.At(now, uptime), now))
            {
                case DeliveryStep.Send send:
                    traffic.Tried.Enqueue(uptime);
                    traffic.IsSending = true;
                    traffic.Sending = SendAsync(channel, all.First(m => m.Id == send.Id), traffic, stop);
                    break;
                case DeliveryStep.Summarise summarise:
                    await store.SummariseAsync(channel.Id, summarise.Ids, now, stop);
                    LogSummarised(logger, summarise.Ids.Length, channel.Name);
                    Wake();
                    break;
                case DeliveryStep.Expire expire:
                    await store.ExpireAsync(expire.Ids, stop);
                    LogExpired(logger, expire.Ids.Length, channel.Name);
                    Wake();
                    break;
                case DeliveryStep.Wait { Until: { } until } when earliest is null || until < earliest:
                    earliest = until;
                    break;
                default:
                    break;
            }
        }

        return earliest;
    }

    private async Task SendAsync(AlertChannel channel, WaitingMessage waiting, Traffic traffic, CancellationToken stop)
    {
        // Off the loop, which has other channels to look after.
        await Task.Yield();
        try
        {
            DateTimeOffset at = time.GetUtcNow();
            SendResult? result = await AttemptAsync(channel, waiting.Id, stop);
            if (result is null)
            {
                return;
            }

            Tried?.Invoke(channel.Type, result.Error is null);
            await KeepAsync(channel, waiting, traffic, result, ToAttempt(result, at), stop);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            LogNotStored(logger, e);
            traffic.PausedUntil = Uptime + RetryDiskAfter;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The next hub sends it.
        }
        finally
        {
            // In this order, and not asked of the task, which ends only after it has woken the loop: the loop would pass the channel by, and nobody would wake it again.
            traffic.IsSending = false;
            Wake();
        }
    }

    /// <summary>One message that cannot be read or sent for a reason that nobody thought of must not stop the others, nor the hub: it is a failed attempt like any other.</summary>
    private async Task<SendResult?> AttemptAsync(AlertChannel channel, long id, CancellationToken stop)
    {
        try
        {
            return await store.MessageAsync(id, time.GetUtcNow(), stop) is { } message ? await senders.SendAsync(channel, new OutgoingMessage(id, message), stop) : null;
        }
        catch (Exception fault) when (fault is not OperationCanceledException && !StorageFaults.IsStorageFault(fault))
        {
            LogDefect(logger, id, channel.Name, fault);
            return new SendResult(null, $"It could not be sent: {fault.Message.ReplaceLineEndings(" ")}", false);
        }
    }

    private async Task KeepAsync(AlertChannel channel, WaitingMessage waiting, Traffic traffic, SendResult result, DeliveryAttempt attempt, CancellationToken stop)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset? dueAt = null;
        EventDraft? told = null;
        if (result.Error is { } error)
        {
            traffic.Failures++;
            ImmutableInterlocked.AddOrUpdate(ref _failing, channel.Id, error, (_, _) => error);
            LogNotTaken(logger, channel.Name, waiting.Id, error);
            TimeSpan pause = DeliveryPlan.PauseAfter(result.IsOfChannel ? traffic.Failures : waiting.Attempts + 1, Random.Shared.NextDouble());
            traffic.PausedUntil = result.IsOfChannel ? Uptime + pause : null;
            bool isOver = now - waiting.CreatedAt >= GivenUpAfter;
            dueAt = isOver ? null : now + pause;
            told = isOver ? GivenUp(channel, waiting, error, now) : null;
        }
        else
        {
            (traffic.Failures, traffic.PausedUntil) = (0, null);
            ImmutableInterlocked.TryRemove(ref _failing, channel.Id, out _);
        }

        // It must not be sent again because the disk was full for a moment.
        while (true)
        {
            try
            {
                if (result is { Error: not null, IsOfChannel: false } && waiting.IsSummary && dueAt is not null)
                {
                    await store.SplitAsync(waiting.Id, attempt, CancellationToken.None);
                    return;
                }

                // Also while the hub stops: what was taken is not to be sent again by the next one.
                await store.KeepAsync(waiting.Id, attempt, dueAt, told, CancellationToken.None);
                return;
            }
            catch (Exception e) when (StorageFaults.MayPass(e))
            {
                LogNotStored(logger, e);
                await Task.Delay(RetryDiskAfter, time, stop);
            }
        }
    }

    private static EventDraft GivenUp(AlertChannel channel, WaitingMessage waiting, string error, DateTimeOffset now) => new()
    {
        At = now,
        Kind = "alert-given-up",
        Severity = EventSeverity.Warning,
        Text = $"A message to channel {channel.Name} was given up after {waiting.Attempts + 1} attempts in {GivenUpAfter.TotalHours:0} h: {error}.",
    };

    private DeliveryAttempt ToAttempt(SendResult result, DateTimeOffset began) => new(began, (long)(time.GetUtcNow() - began).TotalMilliseconds, result.Answer, result.Error);

    private async Task WaitAsync(DateTimeOffset? until, CancellationToken stop)
    {
        using var waking = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task woken = _wake.Reader.WaitToReadAsync(waking.Token).AsTask();
        if (until is { } at)
        {
            TimeSpan wait = at - time.GetUtcNow();
            await Task.WhenAny(woken, Task.Delay(wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait, time, waking.Token));
        }
        else
        {
            await Task.WhenAny(woken);
        }

        await waking.CancelAsync();
        _wake.Reader.TryRead(out _);
    }

    private Traffic Of(string channel)
    {
        if (!_traffic.TryGetValue(channel, out Traffic? traffic))
        {
            _traffic[channel] = traffic = new Traffic();
        }

        return traffic;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Channel {Channel} did not take message {Id}; it is tried again: {Error}")]
    private static partial void LogNotTaken(ILogger logger, string channel, long id, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} messages to channel {Channel} go out as one: there were more than it takes in a minute")]
    private static partial void LogSummarised(ILogger logger, int count, string channel);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} messages to channel {Channel} are too old to be told; what is so now is told instead")]
    private static partial void LogExpired(ILogger logger, int count, string channel);

    [LoggerMessage(Level = LogLevel.Error, Message = "Messages of alerts cannot be read or written; it is tried again each second")]
    private static partial void LogNotStored(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Message {Id} to channel {Channel} could not be sent by a fault that is none of the network")]
    private static partial void LogDefect(ILogger logger, long id, string channel, Exception exception);

    /// <summary>Of one channel, by the hub's uptime; used by the loop, and by its sending while the loop leaves it alone.</summary>
    private sealed class Traffic
    {
        private bool _isSending;

        public Queue<TimeSpan> Tried { get; } = [];

        public int Failures { get; set; }

        public TimeSpan? PausedUntil { get; set; }

        public bool IsSending
        {
            get => Volatile.Read(ref _isSending);
            set => Volatile.Write(ref _isSending, value);
        }

        public Task Sending { get; set; } = Task.CompletedTask;

        /// <summary>As it is by the wall clock of this moment.</summary>
        public ChannelTraffic At(DateTimeOffset now, TimeSpan uptime) => new([.. Tried.Select(t => now - (uptime - t))], now + (PausedUntil - uptime));

        public void Forget(TimeSpan before)
        {
            while (Tried.TryPeek(out TimeSpan oldest) && oldest <= before)
            {
                Tried.Dequeue();
            }
        }
    }
}
