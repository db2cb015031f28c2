using System.Threading.Channels;
using FailoverHub.Web.Components.Layout;
using Microsoft.AspNetCore.Components;

namespace FailoverHub.Web.Components.Live;

/// <summary>
/// A component that shows the present: it follows streams of newer states, repaints at most four times a second however
/// fast they come, and at least once a second so that ages tick. Its loops end, awaited, when the page is left.
/// </summary>
public abstract class LiveComponentBase : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _leaving = new();
    private readonly List<Task> _loops = [];

    // Capacity 1, further marks are dropped: one repaint shows everything that has changed until then.
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>The clock of the hub.</summary>
    [Inject]
    protected TimeProvider Clock { get; set; } = null!;

    /// <summary>How this browser wants to see times.</summary>
    [CascadingParameter]
    public DisplayPreferences Display { get; set; } = DisplayPreferences.Default;

    /// <summary>The moment that this painting is as of. Ages are counted from it.</summary>
    protected DateTimeOffset Now { get; private set; }

    /// <summary>Cancelled when the page is left.</summary>
    protected CancellationToken Leaving => _leaving.Token;

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
    protected void Follow<T>(Func<CancellationToken, IAsyncEnumerable<T>> watch, Func<T, Task> apply) => _loops.Add(FollowAsync(watch, apply, TimeSpan.Zero));

    /// <summary>The same for what is read anew by each change: at most one reading a second, and one after the last change.</summary>
    /// <param name="watch">Opens the stream; it may leave out states for a slow reader, but not the last one.</param>
    /// <param name="read">Reads everything anew.</param>
    protected void FollowCalmly<T>(Func<CancellationToken, IAsyncEnumerable<T>> watch, Func<Task> read) =>
        _loops.Add(FollowAsync(watch, _ => read(), Tick));

    /// <summary>Has the page repainted soon.</summary>
    protected void MarkChanged() => _changed.Writer.TryWrite(true);

    /// <summary>Called on the dispatcher before each repaint, after <see cref="Now"/> was set.</summary>
    protected virtual void BeforeRepaint()
    {
    }

    private async Task FollowAsync<T>(Func<CancellationToken, IAsyncEnumerable<T>> watch, Func<T, Task> apply, TimeSpan pause)
    {
        try
        {
            await foreach (T item in watch(Leaving))
            {
                await InvokeAsync(() => apply(item));
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
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }
}
