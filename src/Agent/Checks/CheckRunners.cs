using System.Collections.Immutable;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Checks;

/// <summary>All checks of a node, each in a task of its own. Configured and ended by one caller at a time; read by anybody.</summary>
/// <param name="probes">Makes the probe of a check.</param>
/// <param name="post">Tells the node, waiting for room.</param>
/// <param name="time">For the intervals.</param>
/// <param name="logger">For bugs.</param>
internal sealed class CheckRunners(
    Func<CheckOptions, IProbe> probes,
    Func<NodeEvent, CancellationToken, ValueTask> post,
    TimeProvider time,
    ILogger<CheckRunners> logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private ImmutableArray<Running> _running = [];

    // Were taken away, and end; the newest of each name, which ends after those before it.
    private ImmutableDictionary<string, Task> _leaving = ImmutableDictionary<string, Task>.Empty;

    /// <summary>How they stand, in the order of the configuration.</summary>
    public ImmutableArray<CheckReading> Read()
    {
        lock (_gate)
        {
            return [.. _running.Select(running => running.Runner.Current)];
        }
    }

    /// <summary>
    /// Runs these checks from now on. One that is the same keeps running; one that probes the same with other times keeps its verdict; one
    /// that is gone is ended, and a new one of its name waits for that.
    /// To be called when the node has been told of them: else it takes no verdict of a new one.
    /// </summary>
    public void Configure(ImmutableArray<CheckOptions> checks)
    {
        var before = _running.ToDictionary(running => running.Runner.Check.Name);
        var next = ImmutableArray.CreateBuilder<Running>(checks.Length);
        for (var i = 0; i < checks.Length; i++)
        {
            var check = checks[i];
            before.Remove(check.Name, out var old);
            next.Add(old is not null && old.Runner.Check.Equals(check) ? old : Begin(check, old, (double)i / checks.Length));
        }

        lock (_gate)
        {
            _running = next.MoveToImmutable();
        }

        foreach (var gone in before.Values)
        {
            gone.End();
        }

        _leaving = _leaving.Where(left => !left.Value.IsCompleted).ToImmutableDictionary().SetItems(before.Select(gone => KeyValuePair.Create(gone.Key, gone.Value.Task)));
    }

    /// <summary>Ends all of them, with what they run. Takes as long as a command that will not end may take.</summary>
    public async ValueTask DisposeAsync()
    {
        var ending = _running;
        foreach (var running in ending)
        {
            running.End();
        }

        await Task.WhenAll(ending.Select(running => running.Task).Concat(_leaving.Values));
    }

    private Running Begin(CheckOptions check, Running? old, double offset)
    {
        var runner = new CheckRunner(check, probes(check), post, time, logger);
        var ending = new CancellationTokenSource();
        old?.End();
        var before = old?.Task ?? _leaving.GetValueOrDefault(check.Name, Task.CompletedTask);
        var task = Task.Run(async () =>
        {
            using (ending)
            using (runner)
            {
                await before;
                if (old is not null && old.Runner.Check.Probe.Equals(check.Probe))
                {
                    runner.Continue(old.Runner.Current);
                }

                await runner.RunAsync(offset, ending.Token);
            }
        });
        return new Running(runner, ending, task);
    }

    private sealed record Running(CheckRunner Runner, CancellationTokenSource Ending, Task Task)
    {
        public void End()
        {
            try
            {
                Ending.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended already.
            }
        }
    }
}
