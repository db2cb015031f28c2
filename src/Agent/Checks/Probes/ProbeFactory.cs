using FailoverHub.Agent.Checks.Commands;

namespace FailoverHub.Agent.Checks.Probes;

internal static class ProbeFactory
{
    /// <summary>The probe that does what the check says.</summary>
    public static IProbe Create(CheckOptions check, TimeProvider time, CommandRuns runs) => check.Probe switch
    {
        ProbeOptions.Tcp tcp => new TcpProbe(tcp),
        ProbeOptions.Http http => new HttpProbe(http, time) { ConnectTimeout = check.Timeout },
        ProbeOptions.Command command => new CommandProbe(command, check.Timeout, ChildProcess.Grace, runs),
        ProbeOptions.Process process => new ProcessProbe(process),
        _ => throw new InvalidOperationException($"No probe for {check.Probe.GetType().Name}."),
    };
}
