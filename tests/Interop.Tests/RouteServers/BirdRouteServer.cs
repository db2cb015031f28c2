using System.Globalization;
using System.Text.RegularExpressions;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.RouteServers;

/// <summary>BIRD 2.</summary>
internal sealed partial class BirdRouteServer(Sandbox sandbox, int number, RouteServerOptions options) : RouteServer(sandbox, number, options)
{
    private string Socket => $"/run/{Name}.ctl";

    private string Log => $"/run/log/{Name}-bird.log";

    protected override async Task<SandboxProcess> SpawnAsync(bool recovers, CancellationToken cancellation)
    {
        await Sandbox.WriteAsync($"/run/{Name}.conf", Configuration(), cancellation);
        return Sandbox.Spawn(Name, Addresses.RouteServerNetwork, ["bird", "-f", "-c", $"/run/{Name}.conf", "-s", Socket, "-P", $"/run/{Name}.lock", .. recovers ? ["-R"] : Array.Empty<string>()]);
    }

    public override async Task<SeenSession> SessionAsync(string node, CancellationToken cancellation)
    {
        var shown = await DescribeAsync(node, cancellation);
        var summary = Summary().Match(shown);
        if (!summary.Success)
        {
            throw new InvalidOperationException($"BIRD says: {shown.Trim()}");
        }

        // Not the time that it shows: BIRD computes the time of day anew for every answer, and it moves by microseconds.
        var log = await Sandbox.ReadAsync(Log, cancellation);
        return new SeenSession(
            summary.Groups["info"].Value.StartsWith("Established", StringComparison.Ordinal),
            $"session {log.Split('\n').Count(line => line.EndsWith($" {Protocol(node)}: BGP session established", StringComparison.Ordinal))}",
            $"{Field(shown, "Last error")} {Field(shown, "Message")}".Trim());
    }

    // From its counters of prefixes: of messages it has none, and its log leaves lines out when many come at once.
    public override async Task<SeenTraffic> TrafficAsync(string node, CancellationToken cancellation)
    {
        var shown = await DescribeAsync(node, cancellation);
        return new SeenTraffic(Number(HoldTimer().Match(shown)), ImportUpdates().Matches(shown).Sum(Number));

        static int Number(Match match) => match.Success ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }

    public override Task<string> DescribeAsync(string node, CancellationToken cancellation) => BirdAsync($"show protocols all {Protocol(node)}", cancellation);

    public override async Task RefreshAsync(string node, CancellationToken cancellation) => await BirdAsync($"reload in {Protocol(node)}", cancellation);

    public override async Task ResetAsync(string node, CancellationToken cancellation) => await BirdAsync($"restart {Protocol(node)}", cancellation);

    public override async Task<IReadOnlyList<SeenRoute>> RoutesAsync(CancellationToken cancellation)
    {
        List<SeenRoute> routes = [];
        SeenRoute? current = null;
        var prefix = "";
        foreach (var line in (await BirdAsync("show route all", cancellation)).Split('\n'))
        {
            var head = RouteHead().Match(line);
            if (head.Success)
            {
                Flush();
                // The second and later routes of a prefix have blanks instead of it.
                prefix = head.Groups["prefix"].Value is { Length: > 0 } named ? named : prefix;
                var node = head.Groups["protocol"].Value.Replace("node_", "", StringComparison.Ordinal);
                current = !Addresses.Nodes.Contains(node) ? null : new SeenRoute
                {
                    Prefix = prefix,
                    From = node,
                    Best = head.Groups["best"].Success,
                    Origin = "",
                    AsPath = "",
                    NextHop = "",
                    Communities = "",
                };
                continue;
            }

            var attribute = line.Trim().Split(": ", 2);
            current = current is null || attribute.Length < 2 ? current : attribute[0] switch
            {
                "BGP.origin" => current with { Origin = attribute[1].ToLowerInvariant() },
                "BGP.as_path" => current with { AsPath = attribute[1].Trim() },
                "BGP.next_hop" => current with { NextHop = attribute[1].Trim() },
                "BGP.large_community" => current with { LargeCommunities = LargeCommunity().Replace(attribute[1].Trim(), "$1:$2:$3") },
                "BGP.community" => current with { Communities = Community().Replace(attribute[1].Trim(), "$1:$2") },
                _ => current,
            };
        }

        Flush();
        return routes;

        void Flush()
        {
            if (current is not null)
            {
                routes.Add(current);
            }
        }
    }

    // From the log and not from its "Import withdraws", which begins anew with each session. Routes that go with their session are logged alike,
    // but after it has left "up".
    public override async Task<int> WithdrawalsAsync(string node, CancellationToken cancellation)
    {
        var protocol = Protocol(node);
        var (up, withdrawals) = (false, 0);
        foreach (var line in (await Sandbox.ReadAsync(Log, cancellation)).Split('\n'))
        {
            if (line.Contains($" {protocol}: State changed to ", StringComparison.Ordinal))
            {
                up = line.EndsWith(" up", StringComparison.Ordinal);
            }
            else if (up && line.Contains($" {protocol}.ipv", StringComparison.Ordinal) && line.Contains(" > removed ", StringComparison.Ordinal))
            {
                withdrawals++;
            }
        }

        return withdrawals;
    }

    private static string Field(string shown, string name)
    {
        var line = shown.Split('\n').FirstOrDefault(l => l.TrimStart().StartsWith(name + ":", StringComparison.Ordinal));
        return line is null ? "" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static string Protocol(string node) => $"node_{node}";

    private Task<string> BirdAsync(string command, CancellationToken cancellation) => AskAsync(["birdc", "-s", Socket, command], cancellation);

    private string Configuration()
    {
        var neighbors = string.Join('\n', Addresses.Nodes.Select(node => $"protocol bgp node_{node} from agents {{ neighbor {AddressOf(node)} as 65001; }}"));
        string[] extras =
        [
            $"multihop {Options.TtlSecurity ?? 16}",
            .. Options.TtlSecurity is null ? Array.Empty<string>() : ["ttl security on"],
            .. Options.HoldTime is { } hold ? [$"hold time {hold}"] : Array.Empty<string>(),
            .. Options.Password is { } password ? [$"password \"{password}\""] : Array.Empty<string>(),
            .. Options.ExtendedMessages ? ["enable extended messages on"] : Array.Empty<string>(),
            .. Options.GracefulRestart ? ["graceful restart on", "graceful restart time 120"] : Array.Empty<string>(),
        ];
        var extra = string.Join(' ', extras.Select(line => line + ";"));
        // To BIRD a mapped IPv4 address is an IPv4 address, and as such no next hop of an IPv6 route unless this is on.
        var extendedIpv6 = Options.OverIpv4 ? "extended next hop on;" : "";
        // error wait time: by default BIRD refuses a node that failed for 60 s. strict bind: all four share port 179.
        return $$"""
            log "{{Log}}" all;
            debug protocols { states, events, {{(Options.ManyPrefixes ? "" : "routes, ")}}packets };
            timeformat protocol iso long us;
            router id {{Identifier}};
            protocol device { }
            protocol direct { ipv6; interface "lan"; }
            filter preferring {
              if (65000,1) ~ bgp_community then { bgp_local_pref = 200; accept; }
              if (65000,2) ~ bgp_community then { bgp_local_pref = 100; accept; }
              reject;
            }
            template bgp agents {
              local {{Address}} as 65000;
              {{extra}}
              passive on;
              strict bind on;
              error wait time 1, 2;
              ipv4 { extended next hop on; import filter preferring; export none; };
              ipv6 { {{extendedIpv6}} import filter preferring; export none; };
            }
            {{neighbors}}

            """;
    }

    [GeneratedRegex(@"^node_\w+\s+BGP\s+\S+\s+\S+\s+[\d-]+ [\d:.]+\s*(?<info>.*)$", RegexOptions.Multiline)]
    private static partial Regex Summary();

    [GeneratedRegex(@"^(?<prefix>[0-9a-f:.]+/\d+)?\s+\S.* \[(?<protocol>\w+) [^\]]*\](?<best> \*)?")]
    private static partial Regex RouteHead();

    [GeneratedRegex(@"\((\d+),(\d+)\)")]
    private static partial Regex Community();

    [GeneratedRegex(@"\((\d+), ?(\d+), ?(\d+)\)")]
    private static partial Regex LargeCommunity();

    [GeneratedRegex(@"Hold timer: +[\d.]+/(\d+)")]
    private static partial Regex HoldTimer();

    [GeneratedRegex(@"Import updates: +(\d+)")]
    private static partial Regex ImportUpdates();
}
