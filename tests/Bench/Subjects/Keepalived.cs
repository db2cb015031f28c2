using System.Net;
using FailoverHub.Bench.Lab;

namespace FailoverHub.Bench.Subjects;

/// <summary>keepalived on a node: VRRP between the nodes, and the shared address on the interface of whoever is master. No BGP, so it is no <see cref="Subject"/>.</summary>
internal sealed class Keepalived : IAsyncDisposable
{
    private readonly MeasuredProcess _process;
    private readonly string _log;

    private Keepalived(MeasuredProcess process, string log) => (_process, _log) = (process, log);

    /// <summary>A <c>vrrp_script</c>.</summary>
    /// <param name="Command">Absolute.</param>
    /// <param name="Interval">Whole seconds.</param>
    /// <param name="Fall">Failures, and as many successes.</param>
    internal sealed record Check(string Command, int Interval, int Fall);

    /// <param name="network">Of the node.</param>
    /// <param name="address">The shared one.</param>
    /// <param name="adverts">Seconds between two of them.</param>
    /// <param name="isPrimary">Preferred.</param>
    /// <param name="check">What it gives the mastership up for; null: nothing.</param>
    /// <param name="cancellation">Of the start.</param>
    public static async Task<Keepalived> StartAsync(NodeNetwork network, IPAddress address, string adverts, bool isPrimary, Check? check, CancellationToken cancellation)
    {
        var folder = $"/run/bench/keepalived-{network.Name}";
        Directory.CreateDirectory(folder);
        var script = check is null ? "" : $$"""
            vrrp_script service {
              script "{{check.Command}}"
              interval {{check.Interval}}
              fall {{check.Fall}}
              rise {{check.Fall}}
            }
            """;
        await File.WriteAllTextAsync(
            $"{folder}/keepalived.conf",
            $$"""
            global_defs {
              script_user root
              enable_script_security
            }
            {{script}}
            vrrp_instance web {
              version 3
              state {{(isPrimary ? "MASTER" : "BACKUP")}}
              interface eth0
              virtual_router_id 7
              priority {{(isPrimary ? 150 : 100)}}
              advert_int {{adverts}}
              virtual_ipaddress {
                fe80::7/64
                {{address}}/128
              }
              {{(check is null ? "" : "track_script {\n service\n}")}}
            }

            """,
            cancellation);
        var process = await MeasuredProcess.StartAsync(network, $"{folder}/log",
            ["keepalived", "--vrrp", "--dont-fork", "--log-console", "--use-file", $"{folder}/keepalived.conf", "--pid", $"{folder}/pid", "--vrrp_pid", $"{folder}/vrrp.pid"]);
        return new Keepalived(process, $"{folder}/log");
    }

    /// <summary>The end of its log.</summary>
    public string LastWords() => File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(15)) : "";

    /// <summary>SIGTERM: it takes its address away.</summary>
    public async ValueTask DisposeAsync() => await _process.TerminateAsync(CancellationToken.None);
}
