using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Tests.Doctor;

/// <summary>What a running agent answers.</summary>
internal static class DoctorStatus
{
    public static StatusDocument Running(string node) => new()
    {
        Node = node,
        Version = "0.1.0",
        ProcessId = 4711,
        StartedAt = DateTimeOffset.UnixEpoch,
        ReadAt = DateTimeOffset.UnixEpoch,
        State = "running",
        RouterId = "192.0.2.1",
        LocalAs = 65001,
        PeerAs = 65000,
        DampingOn = true,
        Drained = false,
        Prefixes = [],
        Sessions = [],
    };
}
