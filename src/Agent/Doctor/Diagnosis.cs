using System.Collections.Immutable;
using FailoverHub.Agent.Addresses;

namespace FailoverHub.Agent.Doctor;

/// <summary>From what was gathered to what it means: each precondition of the platform's guide, and of our own, in the order in which they build on each other.</summary>
internal static class Diagnosis
{
    public static ImmutableArray<Finding> Of(DoctorFacts facts) =>
    [
        Agent(facts),
        PlatformDiagnosis.Metadata(facts),
        PlatformDiagnosis.DataCenter(facts),
        .. AddressDiagnosis.OnInterface(facts),
        .. AddressDiagnosis.Permanent(facts),
        PlatformDiagnosis.NetworkHelper(facts),
        PathDiagnosis.Ipv6Source(facts),
        PathDiagnosis.Route(facts),
        PathDiagnosis.Mtu(facts),
        PathDiagnosis.Tcp(facts),
        PathDiagnosis.Share(facts),
        OtherSpeakers(facts),
        PlatformDiagnosis.Host(facts),
        Clock(facts),
        StateDirectory(facts),
        ManagedAddresses(facts),
        Urgency(facts),
        Selinux(facts),
        HubDiagnosis.Connected(facts),
        HubDiagnosis.Certificate(facts),
    ];

    private static Finding Agent(DoctorFacts facts) => facts.Status is { } status
        ? Finding.Passed("agent", $"{status.Node} runs, process {status.ProcessId}, version {status.Version}")
        : Finding.Unknown("agent", $"no agent answers: {facts.StatusProblem}", "What follows is judged without its word. Is it meant to run, and is this its user or root? For another one give --state DIR or --control SOCKET.");

    private static Finding OtherSpeakers(DoctorFacts facts) => facts.OtherSpeakers switch
    {
        [] => Finding.Passed("other-speakers", "no other program on this machine speaks BGP"),
        var found when found.Contains("lelastic") => Finding.Failed("other-speakers", "lelastic runs on this machine as well", "Two clients of one address end each other's sessions. Stop one: systemctl disable --now lelastic"),
        var found => Finding.Unknown("other-speakers", $"{string.Join(", ", found)} runs on this machine as well", "If it speaks with the same route servers, stop it or the agent: two clients of one address end each other's sessions."),
    };

    private static Finding Clock(DoctorFacts facts) => facts.ClockIsSynchronised switch
    {
        true => Finding.Passed("clock", "the clock is kept by a time server"),
        false => Finding.Failed("clock", "no time server keeps the clock", "Times in journal and history would be wrong, and certificates may be refused. Switch one on: timedatectl set-ntp true, or install chrony."),
        null => Finding.Unknown("clock", "the kernel does not say whether a time server keeps the clock"),
    };

    private static Finding StateDirectory(DoctorFacts facts) => facts.StateIsMissing
        ? Finding.Unknown("state-directory", $"{facts.Options.StateDirectory} is not there yet", "The agent makes it when it may: run doctor as root or as the agent's user.")
        : facts.StateProblem is null
        ? Finding.Passed("state-directory", $"{facts.Options.StateDirectory} can be written")
        : facts.Status is not null
        ? Finding.Unknown("state-directory", $"{facts.Options.StateDirectory}: {facts.StateProblem}", "The agent may be another user, and says in its log when it cannot write there. Run doctor as that user or as root.")
        : Finding.Failed("state-directory", $"{facts.Options.StateDirectory}: {facts.StateProblem}", "Without it intents of the hub are rejected and nothing is kept over a restart. Run as root or as the agent's user, make room on its disk, or give another one with --state DIR.");

    private static Finding ManagedAddresses(DoctorFacts facts) => (facts.Options.Addresses.Mode, facts.Privileges.MayManageAddresses) switch
    {
        (AddressMode.Watched, _) => Finding.NotApplicable("address-rights", "the agent only watches addresses"),
        (_, true) => Finding.Passed("address-rights", $"{facts.Privileges.Who} may add addresses"),
        (_, false) => Finding.Failed("address-rights", $"{facts.Privileges.Who} may not add addresses, and --addresses managed wants to", "Give it CAP_NET_ADMIN: AmbientCapabilities=CAP_NET_ADMIN in its unit, or run it as root."),
        _ => Finding.Unknown("address-rights", $"it cannot be told whether {facts.Privileges.Who} may add addresses"),
    };

    private static Finding Urgency(DoctorFacts facts) => facts.Privileges.MayBeUrgent switch
    {
        true => Finding.Passed("priority", $"{facts.Privileges.Who} may run its sessions with real-time priority"),
        false => Finding.Unknown("priority", $"{facts.Privileges.Who} may not run its sessions with real-time priority", "On a busy machine keepalives may leave late. Put LimitRTPRIO=1 in its unit, as the shipped one has; that needs no capability."),
        null => Finding.Unknown("priority", $"it cannot be told whether {facts.Privileges.Who} may run its sessions with real-time priority"),
    };

    // The platform's guide: systemd may start only what is labelled as an executable of the system.
    private static Finding Selinux(DoctorFacts facts) => facts.SelinuxLabel switch
    {
        null => Finding.NotApplicable("selinux", "SELinux does not enforce anything here"),
        var label when label.Split(':') is [_, _, "bin_t" or "usr_t" or "lib_t", ..] || label.Contains("_exec_t", StringComparison.Ordinal) => Finding.Passed("selinux", $"the executable is labelled {label}"),
        var label => Finding.Failed("selinux", $"the executable is labelled {label}, and systemd may not start it", $"Label it: chcon -t bin_t {Environment.ProcessPath}"),
    };
}
