using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FailoverHub.Web.Data;

/// <summary>What the kernel says of an entry of a folder, or of a file that is open.</summary>
/// <param name="IsFile">A regular file.</param>
/// <param name="IsLink">A symbolic link.</param>
/// <param name="Names">How many names it has, in whatever folders.</param>
/// <param name="Owner">Number of the user whose it is.</param>
/// <param name="Group">Number of its group.</param>
/// <param name="Number">Its own within the file system.</param>
/// <param name="FileSystem">Number of the file system.</param>
internal readonly partial record struct FileEntry(bool IsFile, bool IsLink, uint Names, uint Owner, uint Group, ulong Number, ulong FileSystem)
{
    private const int WorkingDirectory = -100; // AT_FDCWD
    private const int NotThroughLinks = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint AllThatIsRead = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100; // STATX_TYPE, MODE, NLINK, UID, GID, INO
    private const int NoSuchEntry = 2; // ENOENT
    private const int NoFolder = 20; // ENOTDIR

    // struct statx: 256 octets on every architecture. Names at 16, owner at 20, group at 24, mode at 28, number at 32, file system at 136.
    private const int Size = 256;
    private const int TypeMask = 0xF000; // S_IFMT
    private const int RegularFile = 0x8000; // S_IFREG
    private const int SymbolicLink = 0xA000; // S_IFLNK

    /// <summary>Null: there is nothing of that name.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="throughLinks">What a symbolic link leads to, instead of the link.</param>
    /// <exception cref="IOException">It cannot be known.</exception>
    public static FileEntry? Look(string path, bool throughLinks)
    {
        Span<byte> status = stackalloc byte[Size];
        if (ReadStatus(WorkingDirectory, path, throughLinks ? 0 : NotThroughLinks, AllThatIsRead, status) != 0)
        {
            return Marshal.GetLastPInvokeError() is NoSuchEntry or NoFolder ? null : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        var type = MemoryMarshal.Read<ushort>(status[28..]) & TypeMask;
        return new FileEntry(
            type == RegularFile,
            type == SymbolicLink,
            MemoryMarshal.Read<uint>(status[16..]),
            MemoryMarshal.Read<uint>(status[20..]),
            MemoryMarshal.Read<uint>(status[24..]),
            MemoryMarshal.Read<ulong>(status[32..]),
            MemoryMarshal.Read<ulong>(status[136..]));
    }

    /// <summary>The same entry of the same file system, under whatever name.</summary>
    public bool IsTheSameAs(FileEntry? other) => other is { } entry && entry.Number == Number && entry.FileSystem == FileSystem;

    /// <summary>Makes an open file this one's owner's. Only root may.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    public void GiveToItsOwner(SafeFileHandle file)
    {
        if (ChangeOwner(file, Owner, Group) != 0)
        {
            throw new IOException($"A file of user {Owner} cannot be made his: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>From here on the process works as this one's owner, whatever it opens; what is open already stays so. Only root can.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    public void WorkAsItsOwner()
    {
        // The groups first: who is no longer root may not change them.
        if (SetGroups(0, 0) != 0 || SetEffectiveGroup(Group) != 0 || SetEffectiveUser(Owner) != 0)
        {
            throw new IOException($"Root cannot work as user {Owner} here: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ReadStatus(int directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int ChangeOwner(SafeFileHandle file, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    private static partial int SetGroups(nint count, nint groups);

    [LibraryImport("libc", EntryPoint = "setegid", SetLastError = true)]
    private static partial int SetEffectiveGroup(uint group);

    [LibraryImport("libc", EntryPoint = "seteuid", SetLastError = true)]
    private static partial int SetEffectiveUser(uint user);
}
