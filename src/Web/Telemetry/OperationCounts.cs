using System.Diagnostics.Metrics;
using FailoverHub.Web.Api;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Telemetry;

/// <summary>Counts operations as they end, by type and outcome. One loop, from the start of the hub to its end.</summary>
internal sealed class OperationCounts : BackgroundService
{
    /// <summary>An ended operation may be told twice; of so many it is remembered that they were counted.</summary>
    private const int Remembered = 1_024;

    private readonly IOperations _operations;
    private readonly Meter _meter;
    private readonly Counter<long> _ended;
    private readonly Histogram<double> _took;

    public OperationCounts(IMeterFactory meters, IOperations operations)
    {
        _operations = operations;
        _meter = meters.Create(HubMetrics.MeterName);
        _ended = _meter.CreateCounter<long>("failoverhub.operations", null, "Operations that have ended, by type and outcome.");
        _took = _meter.CreateHistogram(
            "failoverhub.operation.duration", "s", "From an operation's acceptance to its end, by type.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600] });
        foreach (OperationType type in Enum.GetValues<OperationType>())
        {
            foreach (OperationStatus outcome in (OperationStatus[])[OperationStatus.Succeeded, OperationStatus.Failed])
            {
                _ended.Add(0, Labels(type, outcome));
            }
        }
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var counted = new HashSet<string>();
        var order = new Queue<string>();
        await foreach (OperationView operation in _operations.WatchAsync(stoppingToken))
        {
            if (!operation.IsFinished || !counted.Add(operation.Id))
            {
                continue;
            }

            order.Enqueue(operation.Id);
            if (order.Count > Remembered)
            {
                counted.Remove(order.Dequeue());
            }

            _ended.Add(1, Labels(operation.Type, operation.Status));
            if (operation.FinishedAt is { } ended)
            {
                _took.Record(Math.Max(0, (ended - operation.RequestedAt).TotalSeconds), KeyValuePair.Create<string, object?>("type", ApiWords.Kebab(operation.Type)));
            }
        }
    }

    private static ReadOnlySpan<KeyValuePair<string, object?>> Labels(OperationType type, OperationStatus outcome) =>
        new KeyValuePair<string, object?>[] { new("type", ApiWords.Kebab(type)), new("outcome", outcome.ToString()) };
}
