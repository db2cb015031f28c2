using System.Net;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>
/// What the kernel says of the interfaces (<c>rtnetlink(7)</c>), as far as the agent asks. A closed family.
/// </summary>
/// <param name="Sequence">Of the request that it answers; 0: nobody asked.</param>
internal abstract record NetlinkMessage(uint Sequence)
{
    /// <summary>An interface is there, or has gone.</summary>
    /// <param name="Sequence">Of the request.</param>
    /// <param name="IsRemoved">It has gone.</param>
    /// <param name="Index">The kernel's number for it.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Flags"><see cref="LinkFlags"/>.</param>
    /// <param name="Hardware">Its MAC in the lower 48 bits; 0: it has none of that kind.</param>
    internal sealed record Link(uint Sequence, bool IsRemoved, int Index, string Name, LinkFlags Flags, ulong Hardware) : NetlinkMessage(Sequence);

    /// <summary>An address is on an interface, or has gone from it.</summary>
    /// <param name="Sequence">Of the request.</param>
    /// <param name="IsRemoved">It has gone.</param>
    /// <param name="Index">The interface's.</param>
    /// <param name="Ip">IPv4 or IPv6, without a scope.</param>
    /// <param name="PrefixLength">As configured.</param>
    /// <param name="Flags"><see cref="AddressFlags"/>.</param>
    /// <param name="Origin">IFA_PROTO: who set it, 0: nobody said.</param>
    internal sealed record Address(uint Sequence, bool IsRemoved, int Index, IPAddress Ip, int PrefixLength, AddressFlags Flags, byte Origin) : NetlinkMessage(Sequence);

    /// <summary>The last part of an answer in several parts.</summary>
    /// <param name="Sequence">Of the request.</param>
    /// <param name="Problem">A negative errno; 0: all is said.</param>
    internal sealed record Done(uint Sequence, int Problem) : NetlinkMessage(Sequence);

    /// <summary>The answer to a request that was refused, or, with 0, done.</summary>
    /// <param name="Sequence">Of the request.</param>
    /// <param name="Problem">A negative errno.</param>
    internal sealed record Answer(uint Sequence, int Problem) : NetlinkMessage(Sequence);
}

/// <summary>Of <c>struct ifinfomsg</c>, those that matter here.</summary>
[Flags]
internal enum LinkFlags : uint
{
    None = 0,

    /// <summary>IFF_UP: somebody wants it to work. Without it the kernel answers to none of its addresses.</summary>
    Up = 0x1,

    /// <summary>IFF_LOOPBACK.</summary>
    Loopback = 0x8,
}

/// <summary>IFA_FLAGS, those that matter here.</summary>
[Flags]
internal enum AddressFlags : uint
{
    None = 0,

    /// <summary>Of IPv6: made up for privacy. The same bit means for IPv4 only that the address is not the first of its network.</summary>
    Temporary = 0x01,

    /// <summary>May be used while duplicates are still looked for (RFC 4429).</summary>
    Optimistic = 0x04,

    /// <summary>Another host has it as well.</summary>
    DuplicateFound = 0x08,

    /// <summary>Duplicates are still looked for.</summary>
    Tentative = 0x40,

    /// <summary>Does not end by itself.</summary>
    Permanent = 0x80,

    /// <summary>Temporary addresses are made from it: the prefix is the node's own.</summary>
    ManagesTemporary = 0x100,

    /// <summary>Made by the kernel from a router's advertisement (RFC 7217).</summary>
    StablePrivacy = 0x800,
}
