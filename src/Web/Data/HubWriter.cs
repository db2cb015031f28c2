using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data;

/// <summary>Something to be written that nobody on a hot path waits for.</summary>
internal abstract class HubWrite
{
    /// <summary>A newer write with the same key replaces one that is still waiting. Null: every one counts.</summary>
    public virtual string? Key => null;

    /// <summary>Adds it to the batch's transaction. May be called again, with a new context, when that fails.</summary>
    public abstract Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken);

    /// <summary>It is on the disk.</summary>
    public virtual void Committed()
    {
    }

    /// <summary>It can never be written and was dropped.</summary>
    public virtual void Dropped(Exception why)
    {
    }
}

/// <summary>
/// The one background writer: events, samples, journals and what is known of nodes go to the disk here, in batches, in the order they
/// came. Bound: <see cref="Capacity"/> writes; what comes when it is full is refused and counted, and told as an event once there is room
/// again. A write that fails for a reason that may pass (disk full, locked) is tried again each second until the hub stops.
/// </summary>
internal sealed partial class HubWriter(IDbContextFactory<HubDbContext> factory, TimeProvider time, ILogger<HubWriter> logger) : IAsyncDisposable
{
    public const int Capacity = 20_000;
    private const int BatchSize = 1_000;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<HubWrite> _waiting = [];
    private readonly Dictionary<string, LinkedListNode<HubWrite>> _byKey = [];
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _stopped = new();
    private Task? _loop;
    private long _refused;
    private volatile bool _failing;
    private long _lost;
    private long _committed;

    /// <summary>Raised on the writer's task after each batch that was committed.</summary>
    public event Action? BatchCommitted;

    /// <summary>Writes that wait now.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Writes that were refused because the queue was full, or that waited when the hub stopped.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Writes that are on the disk.</summary>
    public long Written => Interlocked.Read(ref _committed);

    /// <summary>The last attempt failed, for a reason that may pass.</summary>
    public bool IsFailing => _failing;

    /// <summary>Makes the write that tells of lost ones; set by the room that knows what an event is.</summary>
    public Func<long, HubWrite>? LossNote { get; set; }

    /// <summary>Begins. The task ends when it is disposed, or by a defect.</summary>
    public Task Start() => _loop = Task.Run(RunAsync);

    /// <summary>Takes a write; never blocks. False: full, it is lost.</summary>
    public bool Enqueue(HubWrite write)
    {
        lock (_gate)
        {
            if (write.Key is { } key && _byKey.TryGetValue(key, out var older))
            {
                older.Value = write;
            }
            else if (_waiting.Count >= Capacity)
            {
                _refused++;
                _lost++;
                return false;
            }
            else
            {
                var node = _waiting.AddLast(write);
                if (write.Key is { } newKey)
                {
                    _byKey[newKey] = node;
                }
            }
        }

        _signal.Writer.TryWrite(true);
        return true;
    }

    /// <summary>Completes when everything that was enqueued before is on the disk.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var marker = new Marker();
        if (!Enqueue(marker))
        {
            throw new InvalidOperationException("The writer's queue is full.");
        }

        await marker.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Writes what is waiting, once, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_loop is not null)
        {
            _signal.Writer.TryComplete();
            await _stopped.CancelAsync();

            // A defect was told by whoever watches the task.
            await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _loop = null;
        }

        _stopped.Dispose();
    }

    private async Task RunAsync()
    {
        while (await _signal.Reader.WaitToReadAsync())
        {
            _signal.Reader.TryRead(out _);
            await DrainAsync();
        }

        // The last writes of a hub that stops: one attempt, for nobody is left to wait for a disk that is full.
        await DrainAsync();
    }

    private async Task DrainAsync()
    {
        for (var batch = Take(); batch.Count > 0; batch = Take())
        {
            while (!await TryWriteAsync(batch))
            {
                if (_stopped.IsCancellationRequested)
                {
                    Drop(batch);
                    return;
                }

                await Task.Delay(RetryAfter, time, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Nobody is left to wait for the disk: with this batch everything behind it is lost.
    private void Drop(List<HubWrite> batch)
    {
        lock (_gate)
        {
            batch.AddRange(_waiting);
            _waiting.Clear();
            _byKey.Clear();
            Interlocked.Add(ref _lost, batch.Count);
        }

        LogLost(logger, batch.Count);
        var why = new OperationCanceledException("The hub has stopped.");
        batch.ForEach(w => w.Dropped(why));
    }

    private List<HubWrite> Take()
    {
        var batch = new List<HubWrite>();
        lock (_gate)
        {
            if (_refused > 0 && _waiting.Count < Capacity && LossNote is { } note)
            {
                batch.Add(note(_refused));
                _refused = 0;
            }

            while (batch.Count < BatchSize && _waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                if (first.Value.Key is { } key)
                {
                    _byKey.Remove(key);
                }

                batch.Add(first.Value);
            }
        }

        return batch;
    }

    /// <returns>False: to be tried again.</returns>
    private async Task<bool> TryWriteAsync(List<HubWrite> batch)
    {
        try
        {
            await WriteAsync(batch);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            if (!StorageFaults.IsForEver(e))
            {
                if (!_failing)
                {
                    _failing = true;
                    LogFailing(logger, e);
                }

                return false;
            }

            return await WriteOneByOneAsync(batch, e);
        }

        if (_failing)
        {
            _failing = false;
            LogRecovered(logger);
        }

        Interlocked.Add(ref _committed, batch.Count);
        batch.ForEach(w => w.Committed());
        BatchCommitted?.Invoke();
        return true;
    }

    // One of them breaks a constraint: it must not keep the others from the disk.
    private async Task<bool> WriteOneByOneAsync(List<HubWrite> batch, Exception why)
    {
        if (batch.Count == 1)
        {
            LogDropped(logger, batch[0].GetType().Name, why);
            batch[0].Dropped(why);
            return true;
        }

        foreach (var write in batch.ToList())
        {
            if (!await TryWriteAsync([write]))
            {
                return false;
            }

            batch.Remove(write);
        }

        return true;
    }

    private async Task WriteAsync(List<HubWrite> batch)
    {
        await using var db = await factory.CreateDbContextAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        foreach (var write in batch)
        {
            await write.ApplyAsync(db, CancellationToken.None);
        }

        await db.SaveChangesAsync();
        await transaction.CommitAsync();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "History cannot be written; it is kept in memory and tried again each second")]
    private static partial void LogFailing(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "History is being written again")]
    private static partial void LogRecovered(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "A {What} can never be written and is lost")]
    private static partial void LogDropped(ILogger logger, string what, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "The hub stopped while history could not be written; {Count} entries are lost")]
    private static partial void LogLost(ILogger logger, int count);

    private sealed class Marker : HubWrite
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Committed() => Done.TrySetResult();

        public override void Dropped(Exception why) => Done.TrySetException(why);
    }
}
