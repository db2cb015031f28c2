using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Speaker.Sockets;

/// <summary>
/// Waits for a fixed number of sockets at once, to the microsecond and without allocating anything: <c>ppoll(2)</c>. Each socket has a slot;
/// an empty slot is not waited for. Belongs to one thread, which also is the only one that closes the sockets.
/// </summary>
internal sealed partial class SocketPoll
{
    private const short In = 0x001; // POLLIN
    private const short Out = 0x004; // POLLOUT
    private const short Broken = 0x008 | 0x010 | 0x020; // POLLERR, POLLHUP, POLLNVAL: always reported, wanted or not
    private const int Interrupted = 4; // EINTR

    private readonly Descriptor[] _slots;

    public SocketPoll(int slots)
    {
        // Made where nothing is moved: its thread nearly always waits in the kernel with it, and an array of the ordinary heap that may not be moved keeps all
        // the room before it from being given back (2.4 MiB of an idle agent).
        _slots = GC.AllocateArray<Descriptor>(slots, pinned: true);
        for (var slot = 0; slot < slots; slot++)
        {
            Clear(slot);
        }
    }

    public void Clear(int slot) => _slots[slot] = new Descriptor { Handle = -1 };

    public void Set(int slot, Socket socket, bool read, bool write)
    {
        if (read || write)
        {
            _slots[slot] = new Descriptor
            {
                Handle = (int)socket.SafeHandle.DangerousGetHandle(),
                Wanted = (short)((read ? In : 0) | (write ? Out : 0)),
            };
        }
        else
        {
            Clear(slot);
        }
    }

    /// <summary>After a <see cref="Wait"/>: a read will not block. It may well fail.</summary>
    public bool CanRead(int slot) => (_slots[slot].Wanted & In) != 0 && (_slots[slot].Happened & (In | Broken)) != 0;

    /// <summary>After a <see cref="Wait"/>: a write will not block, or a dial is decided. It may well have failed.</summary>
    public bool CanWrite(int slot) => (_slots[slot].Wanted & Out) != 0 && (_slots[slot].Happened & (Out | Broken)) != 0;

    /// <summary>Returns when something can be done with one of the sockets, when the time is over, or now and then without a reason.</summary>
    /// <param name="time">The longest wait; null: no limit.</param>
    /// <exception cref="SocketException">The kernel has no memory left.</exception>
    public void Wait(TimeSpan? time)
    {
        var limit = default(Timespec);
        if (time is { } wait)
        {
            limit = new Timespec(wait.Ticks / TimeSpan.TicksPerSecond, wait.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick);
        }

        int result;
        unsafe
        {
            fixed (Descriptor* slots = _slots)
            {
                result = Poll(slots, (nuint)_slots.Length, time is null ? null : &limit, null);
            }
        }

        if (result < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                throw new SocketException(error);
            }

            // What the slots say then is not defined.
            for (var slot = 0; slot < _slots.Length; slot++)
            {
                _slots[slot].Happened = 0;
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    private static unsafe partial int Poll(Descriptor* slots, nuint count, Timespec* limit, void* signals);

    // struct pollfd
    private struct Descriptor
    {
        public int Handle;
        public short Wanted;
        public short Happened;
    }

    // struct timespec of the 64-bit architectures
    private readonly record struct Timespec(long Seconds, long Nanoseconds);
}
