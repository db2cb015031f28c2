using System.Diagnostics;
using System.Globalization;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>A long-running process of a <see cref="Sandbox"/>.</summary>
internal sealed class SandboxProcess(Sandbox sandbox, string name, Process entrance) : IAsyncDisposable
{
    /// <summary>Name given at start; its log is /run/log/NAME.log.</summary>
    public string Name => name;

    /// <summary>It has ended.</summary>
    public bool HasExited => entrance.HasExited;

    /// <summary>What it has written so far.</summary>
    public Task<string> LogAsync(CancellationToken cancellation) => sandbox.ReadAsync($"/run/log/{name}.log", cancellation);

    /// <summary>Waits until it is in its place, about to become what it was started as.</summary>
    /// <returns>Its process id inside.</returns>
    public Task<string> StartedAsync(CancellationToken cancellation) => Eventually.SeeAsync(
        $"the process id of {name}", async c => (await sandbox.ReadAsync($"/run/pid/{name}", c)).Trim(), id => id.Length > 0, cancellation);

    /// <summary>Sends a signal.</summary>
    /// <param name="signal">Without SIG: TERM, KILL, STOP, CONT.</param>
    /// <param name="cancellation">Ends the wait for the process to be started.</param>
    public async Task SignalAsync(string signal, CancellationToken cancellation)
    {
        var id = await StartedAsync(cancellation);
        (await sandbox.RunAsync(null, ["sh", "-c", $"kill -{signal} {id}"], cancellation)).Checked();
        if (signal == "CONT")
        {
            // Its entrance stopped with it, and would stay so and not notice its end.
            using var kill = Process.Start("kill", ["-CONT", entrance.Id.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync(cancellation);
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Exit code; 128 and the signal's number when a signal ended it.</returns>
    public async Task<int> ExitAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Eventually.Bound);
        try
        {
            await entrance.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Assert.Fail($"{name} was still running {Eventually.Bound.TotalSeconds} s after it was to end. Its log:\n{await LogAsync(cancellation)}");
        }

        return entrance.ExitCode;
    }

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync(CancellationToken cancellation)
    {
        await SignalAsync("KILL", cancellation);
        _ = await ExitAsync(cancellation);
    }

    /// <summary>SIGKILL if it still runs, and waits until it is gone. It is gone a moment before its entrance is.</summary>
    public async Task KillAnywayAsync(CancellationToken cancellation)
    {
        var id = await StartedAsync(cancellation);
        _ = await sandbox.RunAsync(null, ["sh", "-c", $"kill -KILL {id}"], cancellation);
        _ = await ExitAsync(cancellation);
    }

    /// <summary>Forgets it; the sandbox has ended it.</summary>
    public async ValueTask DisposeAsync()
    {
        // The entrance outlives the sandbox's end only until the kernel has told it.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await entrance.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            entrance.Kill();
        }

        entrance.Dispose();
    }
}
