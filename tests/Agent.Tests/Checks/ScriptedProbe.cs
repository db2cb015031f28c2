using System.Threading.Channels;
using FailoverHub.Agent.Checks;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Checks;

/// <summary>A probe that finds what the test says, when it says so; and the clock beside it that tells what is waited for.</summary>
internal sealed class ScriptedProbe : IProbe
{
    private readonly Channel<Func<CancellationToken, Task<ProbeResult>>> _answers = Channel.CreateUnbounded<Func<CancellationToken, Task<ProbeResult>>>();
    private int _running;

    /// <summary>Runs that have begun, by number from 1.</summary>
    public Signal<int> Begun { get; } = new();

    /// <summary>Runs that were going on at the same time, at most.</summary>
    public int MostAtOnce { get; private set; }

    public bool Disposed { get; private set; }

    public void Answer(bool good, string text = "scripted") => _answers.Writer.TryWrite(_ => Task.FromResult(new ProbeResult(good, text)));

    public void Hang() => _answers.Writer.TryWrite(timeout => new TaskCompletionSource<ProbeResult>().Task.WaitAsync(timeout));

    /// <summary>Does not end with the timeout either.</summary>
    public TaskCompletionSource<ProbeResult> HangOn()
    {
        var end = new TaskCompletionSource<ProbeResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answers.Writer.TryWrite(_ => end.Task);
        return end;
    }

    public void Break(Exception exception) => _answers.Writer.TryWrite(_ => throw exception);

    public async Task<ProbeResult> RunAsync(CancellationToken timeout)
    {
        MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _running));
        Begun.Add(Begun.Seen.Count + 1);
        try
        {
            var answer = await _answers.Reader.ReadAsync(timeout);
            return await answer(timeout);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    public void Dispose() => Disposed = true;
}

/// <summary>A clock by hand that tells each wait that is begun on it.</summary>
internal sealed class WaitingClock : FakeTimeProvider
{
    public Signal<TimeSpan> Waits { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Waits.Add(dueTime);
        return timer;
    }
}
