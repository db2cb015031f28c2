using System.Globalization;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>
/// Good when a program exits with 0, as keepalived's <c>vrrp_script</c>; every other exit code, and an end by a signal, is bad. Each run
/// has a thread of its own, because it waits: a hung command must not cost anything else a thread of the pool.
/// </summary>
internal sealed class CommandProbe : IProbe
{
    private const int StackSize = 256 * 1024;
    private const int MostOfOutput = 1000;

    private readonly ProbeOptions.Command _options;
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _grace;
    private readonly CommandRuns _runs;
    private int? _hanging;

    /// <param name="options">What to run.</param>
    /// <param name="timeout">For the words; the time itself is kept by whoever runs this.</param>
    /// <param name="grace">From SIGTERM to SIGKILL.</param>
    /// <param name="runs">Keeps what is under way.</param>
    public CommandProbe(ProbeOptions.Command options, TimeSpan timeout, TimeSpan grace, CommandRuns runs)
    {
        _runs = runs;
        _options = options;
        _timeout = timeout;
        _grace = grace;
    }

    public async Task<ProbeResult> RunAsync(CancellationToken timeout)
    {
        if (_hanging is { } hanging)
        {
            if (_runs.Children.Take(hanging) is null)
            {
                return ProbeResult.Bad($"process {hanging} of an earlier run hangs in the kernel and cannot be ended: look at what it waits for (ps -o pid,stat,wchan {hanging})");
            }

            _hanging = null;
        }

        var (command, problem) = CommandUser.Apply(_options);
        if (problem is not null)
        {
            return ProbeResult.Bad(problem);
        }

        var done = new TaskCompletionSource<ProbeResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Run(command, done, timeout), StackSize) { IsBackground = true, Name = "check-command" };
        thread.Start();
        return await done.Task;
    }

    public void Dispose()
    {
        // A run ends with its own end.
    }

    private void Run(IReadOnlyList<string> command, TaskCompletionSource<ProbeResult> done, CancellationToken timeout)
    {
        try
        {
            var run = _runs.Begin();
            using var arguments = new NativeTexts(command);
            using var environment = Spawning.Environment(run);
            var (end, error) = ChildProcess.Run(_runs.Children, arguments, environment, run, _grace, timeout);
            if (end is not { Status: null })
            {
                // What hangs in the kernel may go on once it is let go: the next start looks for it.
                _runs.End(run);
            }

            _runs.Children.TakeInherited();
            done.SetResult(end is { } known ? Judge(known) : NotStarted(command[0], error));
        }
        catch (Exception exception)
        {
            done.SetException(exception);
        }
    }

    private ProbeResult Judge(ChildEnd end)
    {
        if (end.Status is not { } status)
        {
            _hanging = end.Process;
            return ProbeResult.Bad(With($"not done within {Seconds()} s, and process {end.Process} cannot be ended", end.Output));
        }

        if (end.TimedOut)
        {
            return ProbeResult.Bad(With($"not done within {Seconds()} s, ended with its children", end.Output));
        }

        if (status == SystemCalls.Lost)
        {
            return ProbeResult.Bad(With("its exit code is not known, something else in this process has taken it", end.Output));
        }

        var signal = status & 0x7f;
        var code = (status >> 8) & 0xff;
        return signal != 0 ? ProbeResult.Bad(With($"ended by signal {signal}{Name(signal)}", end.Output))
            : code != 0 ? ProbeResult.Bad(With($"exit code {code}", end.Output))
            : ProbeResult.Fine(With("exit code 0", end.Output));
    }

    private static ProbeResult NotStarted(string program, int error) => ProbeResult.Bad(error switch
    {
        SystemCalls.NotFound when program.Contains('/', StringComparison.Ordinal) && File.Exists(program) => $"{program} cannot be run: the program that its first line (#!) names does not exist",
        SystemCalls.NotFound when program.Contains('/', StringComparison.Ordinal) => $"{program} does not exist",
        SystemCalls.NotFound => $"{program} is in no directory of PATH ({System.Environment.GetEnvironmentVariable("PATH")}): give its whole path",
        SystemCalls.NotExecutable => $"{program} may not be run: make it executable (chmod +x {program}) and its directories open to the agent's user",
        SystemCalls.NoProgram => $"{program} is no program: give it a first line such as #!/bin/sh",
        _ => $"{program} cannot be run: {Marshal.GetPInvokeErrorMessage(error)}",
    });

    private string Seconds() => _timeout.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    private static string With(string end, string output) => output.Length == 0 ? end : $"{end}: {(output.Length > MostOfOutput ? output[^MostOfOutput..] : output)}";

    private static string Name(int signal) => signal switch
    {
        6 => " (SIGABRT)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        _ => "",
    };
}
