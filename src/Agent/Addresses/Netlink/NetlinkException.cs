using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>The kernel refused something.</summary>
/// <param name="error">Its errno.</param>
internal sealed class NetlinkException(int error) : IOException($"netlink: {Marshal.GetPInvokeErrorMessage(error)}")
{
    public const int NotPermitted = 1; // EPERM
    public const int Exists = 17; // EEXIST
    public const int NotSupported = 95; // EOPNOTSUPP
    public const int NotAvailable = 99; // EADDRNOTAVAIL

    public int Error => error;

    /// <summary>There is no netlink for this process, now or later: a sandbox forbids it or the kernel has none.</summary>
    public bool IsUnavailable => error is NotPermitted or 13 or 22 or 38 or 93 or 94 or NotSupported or 97; // EACCES, EINVAL, ENOSYS, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EAFNOSUPPORT
}
