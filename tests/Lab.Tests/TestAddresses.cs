using System.Net;

namespace FailoverHub.Lab.Tests;

/// <summary>Loopback addresses that no other test and no other run uses, so that fixed ports never collide.</summary>
internal static class TestAddresses
{
    private static int taken;

    public static IPAddress Next()
    {
        var process = Environment.ProcessId;
        var host = Interlocked.Increment(ref taken);
        return new IPAddress([127, (byte)(64 + (process & 63)), (byte)(process >> 6), (byte)host]);
    }
}
