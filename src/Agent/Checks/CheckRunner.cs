using System.Globalization;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Checks;

/// <summary>
/// One check that runs again and again: probe, count, wait. Only when its verdict is another one does anybody hear of it.
/// <code>
///   interval ──> IProbe ──> VerdictCounter ──> node (HealthChanged)
///      ^                         └───────────> Current
///      └── fast while a change is pending
/// </code>
/// </summary>
/// <param name="check">What to do, and when.</param>
/// <param name="probe">That does it; belongs to this runner from now on.</param>
/// <param name="post">Tells the node, waiting for room.</param>
/// <param name="time">For the intervals.</param>
/// <param name="logger">For a bug in a probe.</param>
internal sealed partial class CheckRunner(
    CheckOptions check,
    IProbe probe,
    Func<NodeEvent, CancellationToken, ValueTask> post,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    private VerdictCounter _counter = VerdictCounter.Start(check.Initial);
    private CheckReading _current = new(check, VerdictCounter.Of(check.Initial), null, 0, null, 0);
    private string? _bugSaid;

    public CheckOptions Check => check;

    /// <summary>From any thread.</summary>
    public CheckReading Current => Volatile.Read(ref _current);

    /// <summary>Before it runs: goes on where a runner of the same probe has ended, so that a reload of other times starts nothing anew.</summary>
    public void Continue(CheckReading before)
    {
        if (before.VerdictSince is null)
        {
            return;
        }

        _counter = new VerdictCounter(before.Verdict, 0);
        Volatile.Write(ref _current, before with { Check = check, Contrary = 0 });
    }

    /// <summary>The loop. Its first run is at once.</summary>
    /// <param name="offset">0 to 1: so much of the first interval is left out, so that the checks of a node are not all run at the same time.</param>
    /// <param name="cancellationToken">Ends it, and a run that is going on.</param>
    public async Task RunAsync(double offset, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                var run = await RunOnceAsync(began, cancellationToken);
                await TakeAsync(run, cancellationToken);
                var interval = _counter.IsChangePending ? check.FastInterval : check.Interval;
                if (!_counter.IsChangePending)
                {
                    interval *= 1 - offset;
                    offset = 0;
                }

                var left = interval - time.GetElapsedTime(began);
                if (left > TimeSpan.Zero)
                {
                    await Task.Delay(left, time, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    public void Dispose() => probe.Dispose();

    private async Task<CheckRun> RunOnceAsync(long began, CancellationToken cancellationToken)
    {
        var at = time.GetUtcNow();
        using var patience = new CancellationTokenSource(check.Timeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        ProbeResult result;
        try
        {
            result = await probe.RunAsync(over.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            result = ProbeResult.Bad(string.Create(CultureInfo.InvariantCulture, $"no answer within {check.Timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // What cannot say that all is well does not count as well; and one check must not end the others.
            result = ProbeResult.Bad($"internal error: {Printable.Of(exception.Message, 200)}");
            if (_bugSaid != exception.Message)
            {
                _bugSaid = exception.Message;
                Broke(logger, check.Name, exception);
            }
        }

        // A run that was ended with the agent says nothing.
        cancellationToken.ThrowIfCancellationRequested();
        return new CheckRun(at, result with { Took = time.GetElapsedTime(began) });
    }

    private async ValueTask TakeAsync(CheckRun run, CancellationToken cancellationToken)
    {
        var before = Current;
        var inARow = _counter.Contrary + 1;
        _counter = _counter.Take(run.Result.Good, check.Rise, check.Fall);

        // What it only counts as becomes its own verdict with the first result that agrees.
        var own = _counter is { Contrary: 0, Verdict: not Health.Unknown };
        var isNew = own && (before.VerdictSince is null || before.Verdict != _counter.Verdict);
        if (isNew)
        {
            // First of all, so that whoever continues from here knows what the node knows.
            var text = inARow > 1 ? $"{run.Result.Text} ({inARow} times in a row)" : run.Result.Text;
            await post(new NodeEvent.HealthChanged(check, _counter.Verdict, text), cancellationToken);
        }

        Volatile.Write(ref _current, new CheckReading(check, _counter.Verdict, isNew ? run.At : before.VerdictSince, _counter.Contrary, run, before.Runs + 1));
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Critical, Message = "Check {Check} broke on an internal error, which counts as a bad result; it goes on")]
    private static partial void Broke(ILogger logger, string check, Exception exception);
}
