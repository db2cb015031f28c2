using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability.Storage;

namespace FailoverHub.Web.History.Retention;

/// <summary>
/// The loop "retention": each minute it has the hub's writer remove what is older than it is kept, a step at a time, each behind whatever waits by
/// then, so that nothing waits for it for long; and it gives some of the freed room back to the disk. It ends with the hub.
/// </summary>
internal sealed partial class RetentionLoop(RetentionSettings settings, HubWriter writer, TimeProvider time, ILogger<RetentionLoop> logger, ProbeSampleStore? probes = null) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    // A machine that was switched off for so long may still send what it had not got acknowledged.
    private const int KeepPositionsDays = 90;

    /// <summary>One round: everything that is too old now will be gone when the writer has done what it was given.</summary>
    public async Task BeginRoundAsync(CancellationToken cancellationToken)
    {
        RetentionPeriods retention = await settings.ReadAsync(cancellationToken);
        probes?.KeepFor(new ProbeRetention(TimeSpan.FromHours(retention.ProbeHours), TimeSpan.FromDays(retention.MinuteDays), TimeSpan.FromDays(retention.HourDays)));
        if (retention.EventDays is { } days)
        {
            long before = (time.GetUtcNow() - TimeSpan.FromDays(days)).ToUnixTimeMilliseconds();
            writer.Enqueue(new RemoveEvents(writer, before, LogRemoved));
            writer.Enqueue(new RemoveIntents(before));
        }

        var positions = Math.Max(retention.EventDays ?? RetentionPeriods.MostEventDays, KeepPositionsDays);
        writer.Enqueue(new RemovePositions((time.GetUtcNow() - TimeSpan.FromDays(positions)).ToUnixTimeMilliseconds()));
        writer.Enqueue(new GiveBack());
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await BeginRoundAsync(stoppingToken);
                }
                catch (Exception e) when (StorageFaults.IsStorageFault(e))
                {
                    LogFailed(logger, e);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }
    }

    private void LogRemoved(int removed) => LogRemoved(logger, removed);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} events that were older than they are kept are gone")]
    private static partial void LogRemoved(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "How long the past is kept could not be read; nothing is removed until the next minute")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
