using System.Collections.Immutable;

namespace FailoverHub.Agent.Tests;

/// <summary>What happened so far, for tests that await a condition instead of a time.</summary>
internal sealed class Signal<T>
{
    private static readonly TimeSpan _safety = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private ImmutableList<T> _seen = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ImmutableList<T> Seen
    {
        get
        {
            lock (_gate)
            {
                return _seen;
            }
        }
    }

    public void Add(T item)
    {
        TaskCompletionSource next;
        lock (_gate)
        {
            _seen = _seen.Add(item);
            (next, _next) = (_next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        next.SetResult();
    }

    /// <summary>Completes with the first item, from a place in the sequence on, that fits; fails with everything that was seen.</summary>
    public async Task<TItem> FirstAsync<TItem>(Func<TItem, bool>? fits = null, int from = 0)
        where TItem : T
    {
        var found = await UntilAsync(seen => seen.Skip(from).OfType<TItem>().Any(item => fits?.Invoke(item) ?? true));
        return found.Skip(from).OfType<TItem>().First(item => fits?.Invoke(item) ?? true);
    }

    /// <summary>Completes with everything seen as soon as the condition holds for it.</summary>
    public async Task<ImmutableList<T>> UntilAsync(Func<ImmutableList<T>, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(_safety);
        while (true)
        {
            Task next;
            ImmutableList<T> seen;
            lock (_gate)
            {
                (next, seen) = (_next.Task, _seen);
            }

            if (holds(seen))
            {
                return seen;
            }

            try
            {
                await next.WaitAsync(safety.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"Never came about. Seen:{Environment.NewLine}{string.Join(Environment.NewLine, seen)}");
            }
        }
    }
}

/// <summary>A directory that goes with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("failoverhub-agent-").FullName;

    public string At(string name) => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
