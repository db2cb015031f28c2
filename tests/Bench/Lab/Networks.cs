using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;

namespace FailoverHub.Bench.Lab;

/// <summary>
/// The data center: the route servers in the network namespace of the bench itself, each subject in one of its own, all on one bridge. bench.sh has put the
/// bench in namespaces that end with it, so nothing is cleaned up here.
/// </summary>
internal static partial class Networks
{
    private const int NetworkNamespace = 0x40000000; // CLONE_NEWNET

    /// <summary>Address of a route server, 1 to 4: those of the platform with dcid 18.</summary>
    public static IPAddress RouteServer(int number) => IPAddress.Parse($"2600:3c0f:18:34::{number}");

    /// <summary>Address of a subject, 1 and up.</summary>
    public static IPAddress Node(int number) => IPAddress.Parse($"2600:3c0f:18:1::{number + 0xff:x}");

    /// <summary>Makes the segment and the servers' addresses.</summary>
    public static async Task MakeAsync(CancellationToken cancellation) => await Command.RunAsync(
        ["sh", "-ec", string.Join('\n', (string[])
        [
            "mount -t tmpfs tmpfs /run",
            "mkdir -p /run/bench",
            "ip link set lo up",
            "ip link add lan type bridge stp_state 0 mcast_snooping 0 forward_delay 0",
            "ip -6 addr add 2600:3c0f:18:1::1/64 dev lan nodad",
            "ip link set lan up",
            .. Enumerable.Range(1, Peers.Board.Servers).Select(number => $"ip -6 addr add {RouteServer(number)}/128 dev lo nodad"),
        ])],
        cancellation);

    /// <summary>Makes the network of a subject, and a thread that lives in it.</summary>
    public static async Task<NodeNetwork> AddNodeAsync(int number, CancellationToken cancellation)
    {
        var name = $"node{number}";
        await Command.RunAsync(
            ["sh", "-ec", string.Join('\n', (string[])
            [
                $"ip netns add {name}",
                $"ip -n {name} link set lo up",
                $"ip link add eth0 netns {name} type veth peer name port{number}",
                $"ip link set port{number} master lan up",
                $"ip -n {name} -6 addr add {Node(number)}/64 dev eth0 nodad",
                $"ip -n {name} link set eth0 up",
                $"ip -n {name} -6 route add default via 2600:3c0f:18:1::1",
            ])],
            cancellation);
        return new NodeNetwork(name, Node(number));
    }

    internal static void Enter(string name)
    {
        using var file = File.OpenHandle($"/run/netns/{name}");
        if (SetNamespace(file, NetworkNamespace) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"setns {name}");
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeHandle file, int kind);
}

/// <summary>
/// The network of one subject. What runs on its thread runs in it: sockets that are made there and processes that are started there belong to it, without
/// an nsenter before each, which would be measured too.
/// </summary>
internal sealed class NodeNetwork
{
    private readonly BlockingCollection<Action> _work = [];

    public NodeNetwork(string name, IPAddress address)
    {
        Name = name;
        Address = address;
        new Thread(() =>
        {
            Networks.Enter(name);
            foreach (var work in _work.GetConsumingEnumerable())
            {
                work();
            }
        })
        { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Of its namespace.</summary>
    public string Name { get; }

    /// <summary>Of its only interface.</summary>
    public IPAddress Address { get; }

    /// <summary>Runs something in it.</summary>
    public async Task<T> InsideAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return await done.Task;
    }
}
