using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Nodes;

/// <summary>
/// A node whose speaker is BIRD, configured as the platform's customers do it. What these tests ask of our agent is first asked of it: where it fails, the
/// data center of the tests is broken and not the agent.
/// </summary>
internal sealed class ControlSpeaker(Sandbox sandbox, string node)
{
    private string Configuration => $"/run/control-{node}.conf";

    private string Socket => $"/run/control-{node}.ctl";

    public async Task StartAsync(string community, CancellationToken cancellation)
    {
        await sandbox.WriteAsync(Configuration, Text(community), cancellation);
        sandbox.Spawn($"control-{node}", Addresses.NodeNetwork(node), ["bird", "-f", "-c", Configuration, "-s", Socket, "-P", $"/run/control-{node}.lock"]);
    }

    /// <summary>Sends everything again with another community, on the same sessions.</summary>
    public async Task ChangeCommunityAsync(string community, CancellationToken cancellation)
    {
        await sandbox.WriteAsync(Configuration, Text(community), cancellation);
        await BirdAsync("configure", cancellation);
    }

    /// <summary>Withdraws everything and keeps the sessions.</summary>
    public async Task WithdrawAsync(CancellationToken cancellation)
    {
        await BirdAsync("disable shared4", cancellation);
        await BirdAsync("disable shared6", cancellation);
    }

    /// <summary>Ends every session with a Cease and this text.</summary>
    public Task ShutDownAsync(string text, CancellationToken cancellation) => BirdAsync($"disable all \"{text}\"", cancellation);

    private async Task BirdAsync(string command, CancellationToken cancellation) =>
        _ = (await sandbox.RunAsync(Addresses.NodeNetwork(node), ["birdc", "-s", Socket, command], cancellation)).Checked();

    private string Text(string community)
    {
        var sessions = string.Join('\n', Enumerable.Range(1, 4).Select(n => $"protocol bgp server{n} from servers {{ neighbor {Addresses.RouteServer(n)} as 65000; }}"));
        return $$"""
            log "/run/log/control-{{node}}-bird.log" all;
            router id 10.0.0.{{(node == "a" ? 1 : 2)}};
            protocol device { }
            protocol static shared4 { ipv4; route {{Addresses.SharedIpv4}} blackhole; }
            protocol static shared6 { ipv6; route {{Addresses.SharedRange64}} blackhole; route {{Addresses.SharedRange56}} blackhole; }
            filter announce_all {
              bgp_community.add(({{community.Replace(':', ',')}}));
              bgp_origin = ORIGIN_INCOMPLETE;
              accept;
            }
            template bgp servers {
              local {{Addresses.Node(node)}} as 65001;
              multihop 16;
              hold time 9;
              connect delay time 1;
              connect retry time 1;
              error wait time 1, 2;
              ipv4 { extended next hop on; import none; export filter announce_all; };
              ipv6 { import none; export filter announce_all; };
            }
            {{sessions}}

            """;
    }
}
