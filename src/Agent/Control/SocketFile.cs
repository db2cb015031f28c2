using System.Globalization;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Control;

/// <summary>What stands in a directory under a name, as far as a socket there depends on it.</summary>
/// <param name="IsSocket">A Unix domain socket.</param>
/// <param name="IsOurs">Belongs to this process's user, or to root.</param>
/// <param name="OthersMayWrite">Its group or everybody.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="Place">Device and number of what stands there, as <c>stat -c %d:%i</c> has them.</param>
internal sealed partial record SocketFile(bool IsSocket, bool IsOurs, bool OthersMayWrite, uint Owner, string Place)
{
    private const int WorkingDirectory = -100; // AT_FDCWD
    private const int NotThroughLinks = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint Wanted = 0x1 | 0x2 | 0x8 | 0x100; // STATX_TYPE, STATX_MODE, STATX_UID, STATX_INO
    private const int NoSuchEntry = 2; // ENOENT

    // struct statx: 256 octets on every architecture, the owner at 20, the mode at 28, the number at 32, the device at 136 and 140.
    private const int Size = 256;
    private const int OwnerOffset = 20;
    private const int ModeOffset = 28;
    private const int NumberOffset = 32;
    private const int MajorOffset = 136;
    private const int MinorOffset = 140;
    private const int TypeMask = 0xF000; // S_IFMT
    private const int SocketType = 0xC000; // S_IFSOCK
    private const int GroupOrOthersWrite = 0x12; // S_IWGRP, S_IWOTH

    /// <summary>Null: there is nothing.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="throughLinks">What a symbolic link leads to, instead of the link.</param>
    /// <exception cref="IOException">It cannot be known.</exception>
    public static SocketFile? Look(string path, bool throughLinks)
    {
        // .NET says of no entry whether it is a socket, nor whose it is.
        Span<byte> status = stackalloc byte[Size];
        if (ReadStatus(WorkingDirectory, path, throughLinks ? 0 : NotThroughLinks, Wanted, status) != 0)
        {
            return Marshal.GetLastPInvokeError() == NoSuchEntry ? null : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        var owner = MemoryMarshal.Read<uint>(status[OwnerOffset..]);
        var mode = MemoryMarshal.Read<ushort>(status[ModeOffset..]);
        var place = string.Create(
            CultureInfo.InvariantCulture,
            $"{Device(MemoryMarshal.Read<uint>(status[MajorOffset..]), MemoryMarshal.Read<uint>(status[MinorOffset..]))}:{MemoryMarshal.Read<ulong>(status[NumberOffset..])}");
        return new SocketFile((mode & TypeMask) == SocketType, owner == 0 || owner == EffectiveUser(), (mode & GroupOrOthersWrite) != 0, owner, place);
    }

    // makedev(3): what st_dev is made of.
    private static ulong Device(uint major, uint minor) => ((ulong)(major & 0xfffff000) << 32) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & 0xffffff00) << 12) | (minor & 0xff);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ReadStatus(int directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
