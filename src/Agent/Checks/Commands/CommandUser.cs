using System.Runtime.InteropServices;
using System.Text;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>
/// Whose rights a command has. Another user's are taken on by <c>setpriv</c> (util-linux), between our fork and the program: in a process
/// of many threads nothing else may happen there.
/// </summary>
internal static unsafe partial class CommandUser
{
    private const int RoomForAnAccount = 16 * 1024;

    /// <summary>What is to be run, or why it cannot be.</summary>
    public static (IReadOnlyList<string> Command, string? Problem) Apply(ProbeOptions.Command options)
    {
        if (options.User is not { } user)
        {
            return (options.Arguments, null);
        }

        if (Find(user) is not var (id, group))
        {
            return ([], $"there is no user {user} on this machine");
        }

        var own = SystemCalls.EffectiveUser();
        if (own == id && options.Group is null)
        {
            return (options.Arguments, null);
        }

        return own != 0
            ? ([], $"it is to run as {user}, which only an agent that runs as root can do; leave the user out to run it as the agent's own")
            : (["setpriv", $"--reuid={id}", $"--regid={options.Group ?? $"{group}"}", "--init-groups", "--", .. options.Arguments], null);
    }

    private static (uint Id, uint Group)? Find(string user)
    {
        var room = stackalloc byte[RoomForAnAccount];
        Account account;
        Account* found;
        fixed (byte* name = Encoding.UTF8.GetBytes(user + '\0'))
        {
            return GetAccount(name, &account, room, RoomForAnAccount, &found) == 0 && found is not null ? (account.Id, account.Group) : null;
        }
    }

    [LibraryImport("libc", EntryPoint = "getpwnam_r")]
    private static partial int GetAccount(byte* name, Account* account, byte* room, nuint length, Account** found);

    // struct passwd, the same in glibc and musl
    [StructLayout(LayoutKind.Sequential)]
    private struct Account
    {
        public byte* Name;
        public byte* Password;
        public uint Id;
        public uint Group;
        public byte* Comment;
        public byte* Home;
        public byte* Shell;
    }
}
