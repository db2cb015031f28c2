using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Platform;

/// <summary>
/// SIGTERM and SIGINT end the agent in order; a second one ends what it still waits for, and when there is nothing of the kind, a second SIGINT
/// ends it at once. SIGHUP has the configuration read again: systemd's "reload".
/// </summary>
internal sealed class StopSignals : IDisposable
{
    /// <summary>What shells report for a program that Ctrl-C ended.</summary>
    private const int Interrupted = 130;

    private readonly PosixSignalRegistration[] _registrations;
    private readonly Action<string> _stop;
    private readonly Func<string, bool> _hurry;
    private int _asked;

    /// <param name="stop">Called once, with the signal's name, on a thread of the runtime.</param>
    /// <param name="hurry">Called for each further one; false: there was nothing to cut short.</param>
    /// <param name="reload">Called for each SIGHUP; returns at once.</param>
    public StopSignals(Action<string> stop, Func<string, bool> hurry, Action reload)
    {
        _stop = stop;
        _hurry = hurry;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnStop(context, "SIGTERM")),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnStop(context, "SIGINT")),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                reload();
            }),
        ];
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void OnStop(PosixSignalContext context, string name)
    {
        context.Cancel = true;
        if (Interlocked.Exchange(ref _asked, 1) == 0)
        {
            _stop(name);
        }
        else if (!_hurry(name) && context.Signal == PosixSignal.SIGINT)
        {
            Environment.Exit(Interrupted);
        }
    }
}
