using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>
/// What the runtime's own <c>Process</c> has not got: a child in a session of its own, with its pipe and its end on one poll. All of
/// libc; handles and process ids are the kernel's numbers.
/// </summary>
internal static unsafe partial class SystemCalls
{
    public const int TermSignal = 15;
    public const int KillSignal = 9;
    public const int Interrupted = 4; // EINTR
    public const int WouldBlock = 11; // EAGAIN
    public const int NotFound = 2; // ENOENT
    public const int NotExecutable = 13; // EACCES
    public const int NoProgram = 8; // ENOEXEC

    /// <summary>For a wait status: somebody else has had it. The process has ended, and nobody knows how.</summary>
    public const int Lost = -1;

    public const short Readable = 0x001; // POLLIN

    private const int CloseOnExec = 0x80000; // O_CLOEXEC
    private const int NonBlocking = 0x800; // O_NONBLOCK
    private const int SetFlags = 4; // F_SETFL
    private const int OpenProcessCall = 434; // pidfd_open, the same number on every architecture
    private const int NoHang = 1; // WNOHANG

    /// <summary>A pipe; neither end is inherited, reading never waits.</summary>
    /// <returns>0, or an error number.</returns>
    public static int CreatePipe(out int read, out int write)
    {
        var ends = stackalloc int[2];
        if (Pipe(ends, CloseOnExec) != 0)
        {
            (read, write) = (-1, -1);
            return Marshal.GetLastPInvokeError();
        }

        (read, write) = (ends[0], ends[1]);
        _ = Control(read, SetFlags, NonBlocking);
        return 0;
    }

    /// <summary>A counter that is readable when it is not zero; not inherited. Less than 0: no handles are left.</summary>
    public static int CreateEvent() => EventHandle(0, CloseOnExec | NonBlocking);

    /// <summary>Readable when the process has ended. Less than 0: this kernel has no such handles, or gives us none.</summary>
    public static int OpenProcess(int process) => (int)Call(OpenProcessCall, process, 0);

    /// <summary>The wait status when the process has ended, which is then gone for good; null: it runs.</summary>
    public static int? Reap(int process)
    {
        int status;
        int result;
        do
        {
            result = WaitFor(process, &status, NoHang);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);

        return result == 0 ? null : result < 0 ? Lost : status;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int handle);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int handle, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int handle, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(Waited* handles, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "posix_spawnp")]
    public static partial int Spawn(out int process, byte* file, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    public static partial int InitActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    public static partial int DestroyActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen")]
    public static partial int AddOpen(void* actions, int handle, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static partial int AddDuplicate(void* actions, int handle, int newHandle);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    public static partial int InitAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    public static partial int DestroyAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    public static partial int SetSpawnFlags(void* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    public static partial int SetSignalMask(void* attributes, void* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    public static partial int SetSignalDefaults(void* attributes, void* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    public static partial int NoSignals(void* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    public static partial int AllSignals(void* signals);

    [LibraryImport("libc", EntryPoint = "signal")]
    public static partial nint SetDisposition(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int handle, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    private static partial int EventHandle(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint first, nint second);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitFor(int process, int* status, int options);

    // struct pollfd
    public struct Waited
    {
        public int Handle;
        public short Wanted;
        public short Happened;
    }
}
