namespace FailoverHub.Agent.Addresses.Permanent;

/// <summary>What sets up the interfaces of a host when it starts.</summary>
internal enum PermanentKind
{
    /// <summary>None of the others was found.</summary>
    Unknown,

    /// <summary>Ubuntu: <c>/etc/netplan</c>.</summary>
    Netplan,

    /// <summary>Debian: <c>/etc/network/interfaces</c>.</summary>
    Ifupdown,

    /// <summary>systemd-networkd: <c>/etc/systemd/network</c>.</summary>
    Networkd,

    /// <summary>CentOS, RHEL and their kin.</summary>
    NetworkManager,
}
