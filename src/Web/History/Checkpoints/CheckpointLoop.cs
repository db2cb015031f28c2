using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>
/// The loop "audit-checkpoints": signs the head of the audit when the hub starts and then each hour, when there is something new. It ends with
/// the hub. A chain that it finds broken is an event, once.
/// </summary>
internal sealed partial class CheckpointLoop(AuditCheckpoints checkpoints, AuditKey key, EventLog events, TimeProvider time, ILogger<CheckpointLoop> logger) : BackgroundService
{
    /// <summary>Kind of the event that says that the audit was tampered with.</summary>
    public const string AuditBroken = "audit-broken";

    /// <summary>Kind of the event that says that the hub takes the signatures in the database for its own, because it did not know them.</summary>
    public const string SignaturesTakenOver = "audit-signatures-taken-over";

    /// <summary>Kind of the event that says that another key signs from now on.</summary>
    public const string KeyChanged = "audit-key-changed";

    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private readonly TaskCompletionSource _firstRound = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _toldBroken;
    private bool _failing;
    private bool _takenUp;

    /// <summary>Completes when what was written before the hub started has been looked at.</summary>
    public Task FirstRound => _firstRound.Task;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            do
            {
                await MakeAsync(stoppingToken);
                _firstRound.TrySetResult();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }
    }

    private async Task TakeUpAsync(CancellationToken cancellationToken)
    {
        if (await checkpoints.TakeUpAsync(cancellationToken) is { } last)
        {
            events.Append(new EventDraft
            {
                At = time.GetUtcNow(),
                Kind = SignaturesTakenOver,
                Severity = EventSeverity.Warning,
                Text = $"The hub did not know which signatures of the audit are its own ('{AuditMemory.FileName}' was not there): it goes on from the one that is in the database, of entry {last.EntryId} by key {last.KeyId}. That is so on the first start of a version that remembers them; otherwise find out who moved the file, and compare the audit with an earlier export.",
            });
        }

        // What another key has signed is told as what it is: a chain that is not the hub's.
        if (await checkpoints.LastAsync(cancellationToken) is { } newest && newest.KeyId != key.Id && checkpoints.IsOwn(newest.KeyId))
        {
            TellOfAnotherKey(newest);
        }
    }

    private void TellOfAnotherKey(AuditCheckpoint last) => events.Append(new EventDraft
    {
        At = time.GetUtcNow(),
        Kind = KeyChanged,
        Severity = EventSeverity.Warning,
        Text = $"Checkpoints of the audit are signed by another key from now on, {key.Id}; until now it was {last.KeyId}. If nobody replaced the key's file, find out who did.",
    });

    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!_takenUp)
            {
                await TakeUpAsync(cancellationToken);
                _takenUp = true;
            }

            var outcome = await checkpoints.MakeAsync(cancellationToken);
            _failing = false;
            if (outcome.Broken is { } broken && !_toldBroken)
            {
                _toldBroken = true;
                LogBroken(logger, broken.Text);
                events.Append(new EventDraft
                {
                    At = time.GetUtcNow(),
                    Kind = AuditBroken,
                    Severity = EventSeverity.Critical,
                    Text = $"The audit was changed behind the hub's back, so it is not signed any more: {broken.Text} Keep a copy of the database and compare it with a backup.",
                });
            }
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            if (!_failing)
            {
                _failing = true;
                LogFailing(logger, e);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The audit was changed behind the hub's back, so it is not signed any more: {Problem}")]
    private static partial void LogBroken(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "The audit could not be signed; it is tried again in an hour")]
    private static partial void LogFailing(ILogger logger, Exception exception);
}
