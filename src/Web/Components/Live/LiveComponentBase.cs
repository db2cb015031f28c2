using System.Threading.Channels;
using FailoverHub.Web.Components.Layout;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Components;

namespace FailoverHub.Web.Components.Live;

/// <summary>
/// A component that shows the present: it follows streams of newer states, repaints at most four times a second however
/// fast they come, and at least once a second so that ages tick. Its loops end, awaited, when the page is left. What cannot be read from the database now
/// stays as it was read before, and is read again until it can be: a database that is away takes nothing off the screen.
/// </summary>
public abstract class LiveComponentBase : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BeforeReadingAgain = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _leaving = new();
    private readonly List<Task> _loops = [];
    private readonly Dictionary<Delegate, DateTimeOffset> _readAt = [];

    // Capacity 1, further marks are dropped: one repaint shows everything that has changed until then.
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>The clock of the hub.</summary>
    [Inject]
    protected TimeProvider Clock { get; set; } = null!;

    /// <summary>How this browser wants to see times.</summary>
    [CascadingParameter]
    public DisplayPreferences Display { get; set; } = DisplayPreferences.Default;

    /// <summary>Where this page says what could not be read; null: nobody says it here.</summary>
    [CascadingParameter]
    public ReadFaults? Faults { get; set; }

    /// <summary>The moment that this painting is as of. Ages are counted from it.</summary>
    protected DateTimeOffset Now { get; private set; }

    /// <summary>Cancelled when the page is left.</summary>
    protected CancellationToken Leaving { get; }

    /// <summary>A component with its own end.</summary>
    protected LiveComponentBase() => Leaving = _leaving.Token;

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        Now = Clock.GetUtcNow();
        _loops.Add(RepaintAsync());
        _loops.Add(TickAsync());
    }

    /// <summary>Follows a stream until the page is left; <paramref name="apply"/> runs on the page's own dispatcher.</summary>
    /// <param name="watch">Opens the stream.</param>
    /// <param name="apply">Takes a newer state over; the repaint follows by itself.</param>
    protected void Follow<T>(Func<CancellationToken, IAsyncEnumerable<T>> watch, Action<T> apply) =>
        Follow(watch, item =>
        {
            apply(item);
            return Task.CompletedTask;
        });

    /// <inheritdoc cref="Follow{T}(Func{CancellationToken, IAsyncEnumerable{T}}, Action{T})"/>
    protected void Follow<T>(Func<CancellationToken, IAsyncEnumerable<T>> watch, Func<T, Task> apply) => _loops.Add(FollowAsync(watch, apply, TimeSpan.Zero, apply));

    /// <summary>The same for what is read anew by each change: at most one reading a second, and one after the last change.</summary>
    /// <param name="watch">Opens the stream; it may leave out states for a slow reader, but not the last one.</param>
    /// <param name="read">Reads everything anew.</param>
    protected void FollowCalmly<T>(Func<CancellationToken, IAsyncEnumerable<T>> watch, Func<Task> read) =>
        _loops.Add(FollowAsync(watch, _ => read(), Tick, read));

    /// <summary>Reads for the first time, or because it is about something else now. If the database is away it returns all the same, and it is read again until it can be.</summary>
    /// <param name="read">Takes over what it reads only when all of it was read.</param>
    protected async Task ReadOrRetryAsync(Func<Task> read)
    {
        if (!await TryReadAsync(read, read) && !Leaving.IsCancellationRequested)
        {
            _loops.Add(ReadAgainAsync(read));
        }
    }

    /// <summary>Has the page repainted soon.</summary>
    protected void MarkChanged() => _changed.Writer.TryWrite(true);

    /// <summary>Called on the dispatcher before each repaint, after <see cref="Now"/> was set.</summary>
    protected virtual void BeforeRepaint()
    {
    }

    private async Task FollowAsync<T>(Func<CancellationToken, IAsyncEnumerable<T>> watch, Func<T, Task> apply, TimeSpan pause, Delegate reading)
    {
        try
        {
            await foreach (T item in watch(Leaving))
            {
                while (!await TryReadAsync(() => apply(item), reading))
                {
                    MarkChanged();
                    await Task.Delay(BeforeReadingAgain, Clock, Leaving);
                }

                MarkChanged();
                if (pause > TimeSpan.Zero)
                {
                    await Task.Delay(pause, Clock, Leaving);
                }
            }
        }
        catch (OperationCanceledException) when (Leaving.IsCancellationRequested)
        {
            // The page was left.
        }
        catch (Exception exception) when (!Leaving.IsCancellationRequested)
        {
            // A page that no longer follows would show old facts as current: better an error that says so.
            await DispatchExceptionAsync(exception);
        }
    }

    private async Task ReadAgainAsync(Func<Task> read)
    {
        try
        {
            do
            {
                await Task.Delay(BeforeReadingAgain, Clock, Leaving);
            }
            while (!await TryReadAsync(read, read));
            MarkChanged();
        }
        catch (OperationCanceledException) when (Leaving.IsCancellationRequested)
        {
            // The page was left.
        }
        catch (Exception exception) when (!Leaving.IsCancellationRequested)
        {
            await DispatchExceptionAsync(exception);
        }
    }

    /// <summary>Reads on the page's own dispatcher; false: the database could not be read, which the page says.</summary>
    /// <param name="read">Reads.</param>
    /// <param name="reading">What is read, as one and the same object each time.</param>
    private async Task<bool> TryReadAsync(Func<Task> read, Delegate reading)
    {
        var done = false;
        await InvokeAsync(async () =>
        {
            try
            {
                await read();
                done = true;
                _readAt[reading] = Clock.GetUtcNow();
                Faults?.Drop(this, reading);
            }
            catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
            {
                if (Leaving.IsCancellationRequested)
                {
                    // Cut short because the page was left: nobody is to be told.
                    return;
                }

                Faults?.Keep(this, reading, new ReadFault(_readAt.TryGetValue(reading, out DateTimeOffset at) ? at : null, fault.GetBaseException().Message));
            }
        });
        return done;
    }

    private async Task RepaintAsync()
    {
        try
        {
            while (await _changed.Reader.WaitToReadAsync(Leaving))
            {
                _changed.Reader.TryRead(out _);
                await InvokeAsync(() =>
                {
                    Now = Clock.GetUtcNow();
                    BeforeRepaint();
                    StateHasChanged();
                });
                await Task.Delay(ShortestPause, Clock, Leaving);
            }
        }
        catch (OperationCanceledException) when (Leaving.IsCancellationRequested)
        {
            // The page was left.
        }
        catch (Exception exception) when (!Leaving.IsCancellationRequested)
        {
            await DispatchExceptionAsync(exception);
        }
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(Tick, Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(Leaving))
            {
                MarkChanged();
            }
        }
        catch (OperationCanceledException) when (Leaving.IsCancellationRequested)
        {
            // The page was left.
        }
    }

    /// <summary>Ends the loops and waits for them. Override to let go of more; call the base first.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await Task.WhenAll(_loops);
        Faults?.DropAll(this);
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }
}
